/**
 * `upkeep demo`
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Daemon, startDaemon } from '../daemon.ts';
import { demoProgram, playStory } from '../demo/story.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { invocation } from '../program_path.ts';
import { paintFor } from '../text/paint.ts';

/** The port of the demo's service, if nobody has it. */
const PREFERRED_PORT = 8300;

/** Keeps a service alive that is made to crash, to lose its port and to leave a socket behind, until Ctrl-C. */
export async function demo(io: Io): Promise<ExitCode> {
  const dir = mkdtempSync(join(tmpdir(), 'upkeep-demo-'));
  const file = join(dir, 'upkeep.yaml');
  const state = join(dir, 'state');
  const port = (await freePort(PREFERRED_PORT)) ?? (await freePort(0)) ?? 0;
  writeFileSync(file, serviceFileText(dir, port));
  try {
    const daemon = await startDaemon(io, {
      spec_file: file,
      state_dir: state,
      recovery: 'as_specified',
      events: 'printed',
      format: 'text',
    });
    await play(daemon, io, port, state);
    await daemon.ended;
    await daemon.printer.flushed();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  return EXIT.done;
}

async function play(daemon: Daemon, io: Io, port: number, state: string): Promise<void> {
  const paint = paintFor(io);
  const say = (line: string): void => daemon.printer.print(paint('bold', line));
  const over = new AbortController();
  void daemon.supervisor.stopped.then(() => over.abort());

  const upkeep = invocation(process.argv[1], io.cwd);
  const look = [
    `  curl http://127.0.0.1:${port}/`,
    ...['status', 'why shop', 'events', 'logs shop/web'].map(
      (rest) => `  ${upkeep} ${rest} --state ${state}`,
    ),
  ];
  say(`The demo's web service is at http://127.0.0.1:${port}/. Look at it from another terminal:`);
  for (const line of look) daemon.printer.print(line);
  say('It will now be treated badly. Ctrl-C ends the demo.');

  const stage = {
    control: daemon.supervisor,
    service: 'shop',
    action: 'web',
    port,
    say,
    signal: over.signal,
  };
  await playStory(stage, () => {
    say('That was every act; they go on, more slowly. Another terminal tells you what upkeep made of it:');
    for (const line of look) daemon.printer.print(line);
  });
}

/** JSON strings are YAML strings: whatever is in a path needs no further care. */
function serviceFileText(dir: string, port: number): string {
  const socket = JSON.stringify(join(dir, 'web.sock'));
  return `services:
  shop:
    actions:
      prepare:
        run: echo "the shop is being prepared"
      web:
        process: true
        run: [${JSON.stringify(process.execPath)}, ${JSON.stringify(demoProgram('web'))}]
        after: [prepare]
        env: { PORT: "${port}", SOCKET: ${socket} }
        tcp_ports: ["127.0.0.1:${port}"]
        sockets: [${socket}]
        kill_other: true
        restart: { stable_after: 2s }
`;
}

/** `port` if it can be had, any port for 0, null where there is none. */
function freePort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : null));
    });
  });
}
