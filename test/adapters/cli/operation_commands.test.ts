/**
 * That every operation can be reached from the command line, by the command that is said to reach it.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OPERATION_COMMANDS } from '../../../adapters/cli/operation_commands.ts';
import { runCommandLine } from '../../../adapters/cli/program.ts';
import { createApp } from '../../../adapters/http/app.ts';
import { ROUTES } from '../../../adapters/http/routes.ts';
import { serveUnix, type UnixServer } from '../../../adapters/http/serve_unix.ts';
import { OpenStreams } from '../../../adapters/http/stream_body.ts';
import type { OperationName } from '../../../core/operation/table.ts';
import { FakeControl } from '../../core/operation/fake_control.ts';
import { smallHost } from '../http/small_host.ts';
import { MemoryIo } from './memory_io.ts';

const NAMES = Object.keys(OPERATION_COMMANDS) as OperationName[];

/** What the words in capitals stand for. */
const VALUES: Readonly<Record<string, string>> = {
  SERVICE: 'web',
  FILE: 'upkeep.yaml',
  JOB: 'job-web',
  RUN: 'run-web',
  NAME: 'agent',
  TOKEN: 'old',
  CLAIM: ':80',
  SIGNAL: 'HUP',
  QUERY: 'one',
};

/** An argument in a line of usage. */
const PLACE = /<\S+>|\[(?!options\]|command\])\S+\]/g;

/** Commands that ask before they do it. */
const ASKING: readonly OperationName[] = ['service.heal', 'service.delete'];

/** Commands that go on until upkeep ends. */
const LASTING: readonly OperationName[] = ['event.stream', 'daemon.shutdown'];

let dir: string;
let server: UnixServer;
let io: MemoryIo;
let asked: string[];

beforeEach(async () => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'upkeep-reach-')));
  mkdirSync(join(dir, '.upkeep'), { mode: 0o700 });
  writeFileSync(join(dir, 'upkeep.yaml'), 'services: {}');
  asked = [];
  const control = new FakeControl();
  control.access.tokens.create({ name: 'old', scope: 'read' });
  const streams = new OpenStreams();
  const app = createApp(control, { clock: smallHost.clock, streams, report: () => {} });
  const listening = { fetch: (request: Request, env: object) => record(request) && app.fetch(request, env) };
  // Of an app no more than its fetch is served.
  server = await serveUnix(listening as never, join(dir, '.upkeep', 'upkeep.sock'), {
    host: smallHost,
    streams,
  });
  io = new MemoryIo(dir);
});

afterEach(async () => {
  await server.close(0);
  rmSync(dir, { recursive: true, force: true });
});

function record({ method, url }: Request): true {
  asked.push(`${method} ${new URL(url).pathname}`);
  return true;
}

describe.each(NAMES.map((name) => [name, OPERATION_COMMANDS[name]] as const))('%s by %s', (name, line) => {
  const words = line.split(' ');

  test('is told by the help', async () => {
    const commands = words.filter((word) => /^[a-z]/.test(word));
    expect(await runCommandLine([...commands, '--help'], io)).toBe(0);
    const help = io.stdout;
    expect(help).toContain(`Usage: upkeep ${commands.join(' ')}`);
    for (const option of words.filter((word) => word.startsWith('--'))) expect(help).toContain(option);
    const places = words.filter((word) => /^[A-Z]/.test(word)).length;
    const usage = help.split('\n')[0] ?? '';
    expect(usage.match(PLACE)?.length ?? 0).toBeGreaterThanOrEqual(places);
  });

  test('is what that command asks', async () => {
    const { method, path } = ROUTES[name];
    const form = new RegExp(`^${method} ${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
    const argv = words.map((word) => VALUES[word] ?? word);
    const running = runCommandLine(ASKING.includes(name) ? [...argv, '--yes'] : argv, io);
    if (LASTING.includes(name)) {
      await expect.poll(() => asked).toContainEqual(expect.stringMatching(form));
      await server.close(0);
    }
    expect(await running, io.stderr).toBe(0);
    expect(asked).toContainEqual(expect.stringMatching(form));
  });
});
