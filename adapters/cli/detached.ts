/**
 * Starts upkeep in the background: this program again, in a session of its own, its output in the state folder.
 */
import { closeSync, constants, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readTokenFile, tokenFile } from '../../core/access/token_file.ts';
import type { ExitStatus } from '../../core/host/host.ts';
import { nodeHost } from '../../core/host/node_host.ts';
import { openStateFolder } from '../../core/supervisor/paths.ts';
import { BrokenAnswer } from '../client/errors.ts';
import { hostOf } from '../http/listen_address.ts';
import { runningPid, type UpOptions } from './commands/up.ts';
import { CliError, EXIT, type ExitCode } from './exit.ts';
import type { Io } from './io.ts';
import { pageLink } from './listener.ts';
import { pause } from './pause.ts';
import { mainModule, NODE_FLAGS } from './program_path.ts';
import { jsonDocument, withDaemon } from './session.ts';
import { waitUp } from './wait_up.ts';

/** How often the new daemon is looked for, ms. */
const LOOK_INTERVAL = 50;

/** The size from which on the log of upkeep's own is begun anew at a start, bytes; one old one is kept. */
const LOG_LIMIT = 1024 * 1024;

/** How much of the log is shown where the start fails, lines. */
const TAIL_LINES = 20;

/**
 * Starts upkeep and returns once it answers.
 *
 * @throws {@link CliError} with the end of its output where it ends before that.
 */
export async function startDetached(
  io: Io,
  file: string,
  state: string,
  options: UpOptions,
): Promise<ExitCode> {
  // Before anything is written there: whoever else owns the folder may have prepared it.
  openStateFolder(state, nodeHost());
  const log = join(state, 'upkeep.log');
  const begin = beginLog(log);

  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  const output = openSync(log, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  const child = await nodeHost().spawner.spawn({
    file: process.execPath,
    argv: [...NODE_FLAGS, mainModule(), ...daemonArguments(file, state, options)],
    cwd: io.cwd,
    env: definedOnly(io.env),
    output_fd: output,
  });
  closeSync(output);
  let status: ExitStatus | null = null;
  child.onExit((how) => {
    status = how;
  });

  while ((await answeringPid(state, io)) !== child.pid) {
    if (status !== null) throw startFailed(status, log, begin);
    await pause(LOOK_INTERVAL);
  }
  await tellStarted(io, { pid: child.pid, state_dir: state, log }, options);
  return EXIT.done;
}

/** How long it is waited for the services where nothing else is said, ms. */
const DEFAULT_TIMEOUT = 60_000;

/** @throws {@link CliError} where the services were to be waited for, and one is not up. */
async function tellStarted(
  io: Io,
  started: { readonly pid: number; readonly state_dir: string; readonly log: string },
  { listen, wait = false, timeout = DEFAULT_TIMEOUT, json = false }: UpOptions,
): Promise<void> {
  const { pid, state_dir, log } = started;
  if (json) {
    await io.out(jsonDocument({ ...started, url: listen === undefined ? null : `http://${hostOf(listen)}` }));
  } else {
    await io.out(`upkeep runs in the background (pid ${pid}), its log is ${log}\n`);
    if (listen !== undefined) {
      // By now the token in the file is the one that counts.
      const path = tokenFile(state_dir);
      const link = pageLink(listen, readTokenFile(path, nodeHost().files), path, io);
      await io.out(`upkeep is at ${link}\n`);
    }
  }
  if (!wait) return;
  const up = await withDaemon(io, { state: state_dir }, (client) => waitUp(io, client, timeout, json));
  if (!json) await io.out(`${up === 1 ? '1 service is' : `${up} services are`} up\n`);
}

/** Where the log begins for this start, in bytes. */
function beginLog(log: string): number {
  const size = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  if (size < LOG_LIMIT) return size;
  renameSync(log, `${log}.1`);
  return 0;
}

function daemonArguments(file: string, state: string, options: UpOptions): string[] {
  const recovery = options.recovery === undefined ? [] : ['--recovery', options.recovery];
  // Events are in the store: the log of a daemon that runs for a year holds what is about itself.
  const listen = options.listen === undefined ? [] : ['--listen', hostOf(options.listen)];
  const readOnly = options.readOnly === true ? ['--read-only'] : [];
  return ['up', '-f', file, '--state', state, '--no-events', ...recovery, ...listen, ...readOnly];
}

function definedOnly(env: Io['env']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}

async function answeringPid(state: string, io: Io): Promise<number | null> {
  try {
    return await runningPid(state, io);
  } catch (error) {
    if (error instanceof BrokenAnswer) return null;
    throw error;
  }
}

function startFailed({ exit_code }: ExitStatus, log: string, begin: number): CliError {
  const said = readFileSync(log).subarray(begin).toString('utf8').trimEnd().split('\n').slice(-TAIL_LINES);
  const code = exit_code === EXIT.usage ? EXIT.usage : EXIT.failed;
  return new CliError(
    code,
    [`upkeep did not start; the end of ${log}:`, ...said.map((line) => `  ${line}`)].join('\n'),
  );
}
