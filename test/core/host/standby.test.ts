import { spawn as nodeSpawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Child, ExitStatus, Program, SpawnRequest, Standby } from '../../../core/host/host.ts';
import { linuxProcesses } from '../../../core/host/linux_processes.ts';
import { nodeSpawner } from '../../../core/host/spawner.ts';
import { until } from '../../support/until.ts';

const LATE = 'UPKEEP_JOB';
const processes = linuxProcesses();
const spawner = nodeSpawner(processes);

let dir: string;
let output_fd: number;
/** All that was forked and spawned. */
let pids: number[];

beforeEach(() => {
  dir = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'upkeep-standby-')));
  output_fd = fs.openSync(join(dir, 'log'), 'a');
  pids = [];
});

afterEach(() => {
  for (const pid of pids) {
    const identity = processes.identity(pid);
    if (identity !== null) processes.signal(identity, 'SIGKILL');
  }
  fs.closeSync(output_fd);
  fs.rmSync(dir, { recursive: true, force: true });
});

function program(file: string, argv: readonly string[], more: Partial<Program> = {}): Program {
  return { file, argv, cwd: dir, env: { PATH: process.env['PATH'] ?? '', [LATE]: 'not yet' }, ...more };
}

/** The same, as it is spawned. */
function request(what: Program, more: Partial<SpawnRequest> = {}): SpawnRequest {
  return { ...what, env: { ...what.env, [LATE]: 'a/b/7' }, output_fd, ...more };
}

function children(): number[] {
  return processes.list().filter((pid) => processes.stat(pid)?.ppid === process.pid);
}

/** A process that stands by, and its pid. */
function standBy(what: Program): { standby: Standby; pid: number } {
  const before = new Set(children());
  const standby = spawner.standBy(what, [LATE]);
  const [pid] = children().filter((each) => !before.has(each));
  if (standby === null || pid === undefined) throw new Error('nothing was forked');
  pids.push(pid);
  return { standby, pid };
}

async function spawn(what: SpawnRequest): Promise<Child> {
  const child = await spawner.spawn(what);
  pids.push(child.pid);
  return child;
}

function endOf(child: Child): Promise<ExitStatus> {
  return new Promise((resolve) => child.onExit(resolve));
}

function output(): string {
  return fs.readFileSync(join(dir, 'log'), 'utf8');
}

function sorted(environ: ReadonlyMap<string, string> | null): [string, string][] {
  return [...(environ ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** What a process is told of by the kernel, but for its number and its age. */
function traits(pid: number): unknown {
  const { pgrp, session } = processes.stat(pid) ?? {};
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    argv: processes.argv(pid),
    exe: processes.exe(pid),
    cwd: fs.readlinkSync(`/proc/${pid}/cwd`),
    environ: sorted(processes.environ(pid)),
    descriptors: processes.descriptors(pid),
    flags: [0, 1, 2].map(
      (fd) => /flags:\s*(\S+)/.exec(fs.readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1],
    ),
    leads: [pgrp === pid, session === pid],
    signals: status.split('\n').filter((line) => /^(Sig(Blk|Ign|Cgt)|Umask|NoNewPrivs)/.test(line)),
    limits: fs.readFileSync(`/proc/${pid}/limits`, 'utf8'),
  };
}

describe('a standby', () => {
  it.each<[string, Record<string, string>]>([
    ['nothing else in its environment', {}],
    ['a PWD of upkeep', { PWD: '/somewhere/else', OLDPWD: '/before' }],
    ['values that a shell would take apart', { A: `it's "$HOME" \`x\` \\ * ~`, B: 'two\nlines', C: '' }],
  ])('becomes just what a fork would have become, with %s', async (_, variables) => {
    const argv = [
      '-c',
      'import time; print(1, flush=True); time.sleep(1000)',
      '',
      `it's`,
      '$HOME `x` "y" \\ *',
      'é',
    ];
    const what = program('python3', argv, { env: { ...program('', []).env, ...variables } });
    const { standby, pid } = standBy(what);
    const child = await spawn(request(what, { standby }));
    expect(child.pid).toBe(pid);
    expect(standby.waiting).toBe(false);
    const forked = await spawn(request(what));
    await until(() => output() === '1\n1\n');
    expect(traits(child.pid)).toEqual(traits(forked.pid));
    expect(processes.environ(child.pid)?.get(LATE)).toBe('a/b/7');
  });

  it('has its output in the log, behind what is there, and its end told', async () => {
    fs.writeSync(output_fd, 'before\n');
    const what = program('sh', ['-c', 'echo out; echo err >&2; exit 7']);
    const { standby } = standBy(what);
    const child = await spawn(request(what, { standby }));
    expect(await endOf(child)).toEqual({ exit_code: 7, exit_signal: null });
    expect(output()).toBe('before\nout\nerr\n');
  });

  it('shows nothing of the program and of its late variable while it waits', async () => {
    const { pid } = standBy(program('redis-server', ['--port', '7001']));
    await until(() => processes.exe(pid)?.endsWith('dash') === true);
    expect(processes.argv(pid)?.join(' ')).not.toMatch(/redis|7001/);
    expect(processes.argv(pid)?.at(-1)).toBe('upkeep-standby');
    expect(processes.environ(pid)?.has(LATE)).toBe(false);
  });

  it.each<[string, Partial<SpawnRequest>]>([
    ['arguments', { argv: ['-c', 'echo other'] }],
    ['program', { file: 'dash' }],
    ['folder', { cwd: '/' }],
    ['environment', { env: { PATH: process.env['PATH'] ?? '', A: 'b', [LATE]: 'x' } }],
  ])('is ended where it waits for another %s', async (_, more) => {
    const what = program('sh', ['-c', 'echo this']);
    const { standby, pid } = standBy(what);
    const child = await spawn(request(what, { standby, ...more }));
    expect(child.pid).not.toBe(pid);
    expect(standby.waiting).toBe(false);
    await endOf(child);
    await until(() => processes.stat(pid) === null);
    expect(output()).toBe(more.argv === undefined ? 'this\n' : 'other\n');
  });

  it('is not used where another folder has taken the place of its own', async () => {
    const cwd = join(dir, 'cwd');
    fs.mkdirSync(cwd);
    const what = program('sh', ['-c', 'ls'], { cwd });
    const { standby, pid } = standBy(what);
    fs.renameSync(cwd, join(dir, 'moved'));
    fs.mkdirSync(cwd);
    fs.writeFileSync(join(cwd, 'new'), '');
    const child = await spawn(request(what, { standby }));
    expect(child.pid).not.toBe(pid);
    await endOf(child);
    expect(output()).toBe('new\n');
  });

  it('is not used once somebody has ended it', async () => {
    const what = program('sh', ['-c', 'echo this']);
    const { standby, pid } = standBy(what);
    process.kill(pid, 'SIGKILL');
    await until(() => !standby.waiting);
    const child = await spawn(request(what, { standby }));
    expect(child.pid).not.toBe(pid);
    expect(await endOf(child)).toEqual({ exit_code: 0, exit_signal: null });
  });

  it('tells how it ended where it was ended at the very moment', async () => {
    const what = program('sh', ['-c', 'echo this']);
    const { standby, pid } = standBy(what);
    process.kill(pid, 'SIGKILL');
    const child = await spawn(request(what, { standby }));
    expect(child.pid).toBe(pid);
    expect(await endOf(child)).toEqual({ exit_code: null, exit_signal: 'SIGKILL' });
  });

  it('ends when it is discarded', async () => {
    const { standby, pid } = standBy(program('sleep', ['1000']));
    expect(standby.waiting).toBe(true);
    standby.discard();
    expect(standby.waiting).toBe(false);
    await until(() => processes.stat(pid) === null);
  });

  it.each<[string, Program]>([
    [
      'a variable whose name the shell would drop',
      program('true', [], { env: { PATH: '/bin', 'a.b': 'c' } }),
    ],
    [
      'a variable that means something to the shell',
      program('true', [], { env: { PATH: '/bin', IFS: ':' } }),
    ],
    ['an argument of two lines', program('sh', ['-c', 'true\ntrue'])],
    ['a NUL byte', program('sh', ['-c', 'true\0'])],
    ['more than the shell reads quickly', program('true', ['x'.repeat(5000)])],
    ['a program that looks like an option', program('-x', [])],
    ['no name', program('', [])],
    ['no PATH to look it up along', program('true', [], { env: {} })],
    ['a folder that is not there', program('true', [], { cwd: '/not/there' })],
  ])('is not forked for %s', (_, what) => {
    expect(spawner.standBy(what, [LATE])).toBeNull();
  });

  describe('when upkeep dies', () => {
    const fixture = fileURLToPath(new URL('fixtures/standby_parent.mjs', import.meta.url));

    /** Starts a parent that makes a standby, and lets it die by SIGKILL: where it waits, or right after its line was sent. */
    async function orphan(when: 'waiting' | 'sent'): Promise<number> {
      const parent = nodeSpawn(process.execPath, [fixture, dir, when], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      parent.stdout.on('data', (bytes: Buffer) => {
        said += bytes.toString();
      });
      await once(parent, 'close');
      const pid = Number(said);
      pids.push(pid);
      return pid;
    }

    it('ends with it', async () => {
      const pid = await orphan('waiting');
      await until(() => processes.stat(pid) === null);
      expect(fs.existsSync(join(dir, 'started'))).toBe(false);
    });

    it('starts nothing, though it was told to: the log is upkeep’s', async () => {
      const pid = await orphan('sent');
      await until(() => processes.stat(pid) === null);
      expect(fs.existsSync(join(dir, 'started'))).toBe(false);
    });
  });
});
