import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Files } from '../../../core/host/host.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import { OomWitness } from '../../../core/process/oom.ts';
import { until } from '../../support/until.ts';
import { FakeMachine } from './fake_machine.ts';

const UPKEEP = 50;
const MAIN = 100;

/** The files of a kernel in memory: its log, its counters, the cgroups of its processes. */
class FakeKernel {
  readonly records: (string | Error)[] = [];
  readonly texts = new Map<string, string>();
  readable = true;
  namespace = 'pid:[4026531836]';
  #next = 0;

  constructor() {
    this.texts.set('/proc/vmstat', 'pgfault 1\noom_kill 5\n');
    this.texts.set('/proc/loadavg', '0.00 0.01 0.05 1/100 1000\n');
    this.cgroup(UPKEEP, '/upkeep');
  }

  cgroup(pid: number, path: string): void {
    this.texts.set(`/proc/${pid}/cgroup`, `9:pids:/x\n4:memory:${path}\n0::/elsewhere\n`);
  }

  kills(pid: number, { cgroup = '/other', uid = 0, name = 'node' } = {}): void {
    this.records.push(
      `6,1,9,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=${cgroup},task_memcg=${cgroup},task=${name},pid=${pid},uid=${uid}\n`,
      `3,2,9,-;Memory cgroup out of memory: Killed process ${pid} (${name}) total-vm:1kB, anon-rss:1kB, UID:${uid} pgtables:1kB oom_score_adj:0\n`,
    );
  }

  readonly files = {
    ...fs,
    readlinkSync: () => this.namespace,
    openSync: () => {
      if (!this.readable) throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
      return 3;
    },
    readSync: (_fd: number, buffer: Buffer) => {
      const record = this.records[this.#next];
      if (record === undefined) throw Object.assign(new Error('EAGAIN'), { code: 'EAGAIN' });
      this.#next += 1;
      if (record instanceof Error) throw record;
      return buffer.write(record, 'latin1');
    },
    readFileSync: (path: string) => {
      const text = this.texts.get(path);
      if (text === undefined) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
      return text;
    },
  } as unknown as Files;
}

let kernel: FakeKernel;
beforeEach(() => {
  kernel = new FakeKernel();
});

function witness(uid = 0): OomWitness {
  const { processes } = new FakeMachine().host;
  return new OomWitness({ files: kernel.files, processes: { ...processes, uid: () => uid } }, UPKEEP);
}

describe('where the kernel’s log can be read', () => {
  it('is certain where the log names the main process', () => {
    const oom = witness();
    oom.begin('j', MAIN);
    kernel.records.push('6,0,0,-;something else\n');
    kernel.kills(MAIN, { name: 'a (strange) name' });
    expect(oom.verdict('j', 'main')).toEqual({
      confidence: 'certain',
      victim: { pid: MAIN, name: 'a (strange) name' },
    });
  });

  it('is nothing where it names others only, whatever the counters say', () => {
    const oom = witness();
    oom.begin('j', MAIN);
    kernel.kills(MAIN + 1, { cgroup: '/upkeep' });
    kernel.texts.set('/proc/vmstat', 'oom_kill 6\n');
    expect(oom.verdict('j', 'main')).toBeNull();
  });

  it('is certain for a child that was seen in the tree, in whatever cgroup', () => {
    const oom = witness();
    oom.begin('j', MAIN);
    oom.sawTree('j', [300, 301], 1000);
    kernel.kills(301);
    expect(oom.verdict('j', 'below')).toEqual({ confidence: 'certain', victim: { pid: 301, name: 'node' } });
  });

  it('is inferred for a child that nobody saw, from its cgroup', () => {
    const oom = witness();
    oom.begin('j', MAIN);
    oom.sawTree('j', [300], 1000);
    kernel.kills(40, { cgroup: '/upkeep-not' });
    kernel.kills(41, { cgroup: '/upkeep/deeper' });
    expect(oom.verdict('j', 'below')).toEqual({ confidence: 'inferred', victim: { pid: 41, name: 'node' } });
  });

  it('takes a cgroup that the program moved to for its own', () => {
    const oom = witness();
    oom.begin('j', MAIN);
    kernel.cgroup(MAIN, '/its/own');
    oom.sawTree('j', [], 1000);
    kernel.kills(40, { cgroup: '/upkeep' });
    expect(oom.verdict('j', 'below')).toBeNull();
    kernel.kills(41, { cgroup: '/its/own' });
    expect(oom.verdict('j', 'below')?.confidence).toBe('inferred');
  });

  it.each([
    ['started since', MAIN + 7, 1000, true],
    ['older', MAIN - 7, 1000, false],
    ['older, from before pids began anew', 2000, 1000, false],
    ['started since, and pids began anew', 7, 60, true],
    ['started before pids began anew', 30_000, 60, true],
    ['older, and pids began anew', 80, 60, false],
  ])(
    'of another cgroup, before a look at the tree, takes only one that is younger: %s',
    (_name, pid, last, is) => {
      kernel.texts.set('/proc/loadavg', `0.00 0.01 0.05 1/100 ${last}\n`);
      const oom = witness();
      oom.begin('j', MAIN);
      kernel.kills(pid);
      expect(oom.verdict('j', 'below') !== null).toBe(is);
    },
  );

  it('of another cgroup takes only one that started since the last look at the tree', () => {
    const oom = witness();
    oom.begin('j', MAIN);
    const upTo = oom.looking();
    kernel.texts.set('/proc/loadavg', '0.00 0.01 0.05 1/100 1010\n');
    oom.sawTree('j', [300], upTo);
    kernel.kills(MAIN + 7);
    expect(oom.verdict('j', 'below')).toBeNull();
    kernel.kills(1005);
    expect(oom.verdict('j', 'below')?.victim?.pid).toBe(1005);
  });

  it('takes none of another user, where upkeep cannot start any', () => {
    const oom = witness(1000);
    oom.begin('j', MAIN);
    kernel.kills(MAIN + 7, { uid: 1001 });
    expect(oom.verdict('j', 'below')).toBeNull();
    kernel.kills(MAIN + 8, { uid: 1000 });
    expect(oom.verdict('j', 'below')?.confidence).toBe('inferred');
  });

  it('takes nothing that happened before the incarnation began', () => {
    const oom = witness();
    kernel.kills(90, { cgroup: '/upkeep' });
    oom.begin('j', MAIN);
    kernel.kills(91, { cgroup: '/other' });
    expect(oom.verdict('j', 'below')).toBeNull();
    expect(oom.verdict('j', 'main')).toBeNull();
  });

  it('takes what happened between the spawn and the moment it is told of it', () => {
    const oom = witness();
    kernel.kills(90, { cgroup: '/upkeep' });
    kernel.kills(MAIN + 1, { cgroup: '/upkeep' });
    oom.begin('j', MAIN);
    expect(oom.verdict('j', 'below')?.victim?.pid).toBe(MAIN + 1);
  });

  it('explains one death by one kill', () => {
    const oom = witness();
    oom.begin('a', MAIN);
    oom.begin('b', MAIN + 1);
    kernel.kills(200, { cgroup: '/upkeep' });
    expect(oom.verdict('a', 'below')?.confidence).toBe('inferred');
    expect(oom.verdict('b', 'below')).toBeNull();
  });

  it('takes for none of its children what is another job’s', () => {
    const oom = witness();
    oom.begin('a', MAIN);
    oom.begin('b', 200);
    oom.sawTree('b', [201], 1000);
    kernel.kills(201, { cgroup: '/upkeep' });
    expect(oom.verdict('a', 'below')).toBeNull();
    expect(oom.verdict('b', 'below')?.confidence).toBe('certain');
  });

  it('goes on where records were lost, and takes a kill of which only the end is left', () => {
    const oom = witness();
    oom.begin('j', MAIN);
    kernel.records.push(Object.assign(new Error('EPIPE'), { code: 'EPIPE' }));
    kernel.records.push(`3,2,9,-;Out of memory: Killed process ${MAIN} (node), total-vm:1kB, anon-rss:1kB\n`);
    expect(oom.verdict('j', 'main')?.confidence).toBe('certain');
  });

  it('knows nothing of a job that is over', () => {
    const oom = witness();
    oom.begin('j', MAIN);
    oom.forget('j');
    kernel.kills(MAIN);
    expect(oom.verdict('j', 'main')).toBeNull();
  });
});

describe('where only counters can be read', () => {
  const EVENTS = '/sys/fs/cgroup/upkeep/memory.events';
  const CONTROL = '/sys/fs/cgroup/memory/upkeep/memory.oom_control';

  beforeEach(() => {
    kernel.readable = false;
  });

  it.each([
    ['/proc/vmstat', 'oom_kill'],
    [EVENTS, 'low 0\noom 3\noom_kill'],
    [CONTROL, 'oom_kill_disable 0\nunder_oom 0\noom_kill'],
  ])('is inferred where %s rose while it lived, and not where it had risen before', (file, text) => {
    kernel.texts.set(file, `${text} 7\n`);
    const oom = witness();
    kernel.texts.set(file, `${text} 8\n`);
    oom.begin('j', MAIN);
    expect(oom.verdict('j', 'main')).toBeNull();
    kernel.texts.set(file, `${text} 9\n`);
    expect(oom.verdict('j', 'main')).toEqual({ confidence: 'inferred', victim: null });
  });

  it('asks the cgroup rather than the machine', () => {
    kernel.texts.set(CONTROL, 'oom_kill 1\n');
    const oom = witness();
    oom.begin('j', MAIN);
    kernel.texts.set('/proc/vmstat', 'oom_kill 6\n');
    expect(oom.verdict('j', 'main')).toBeNull();
  });

  it('asks the cgroup that the program moved to', () => {
    const own = '/sys/fs/cgroup/memory/its/own/memory.oom_control';
    kernel.texts.set(CONTROL, 'oom_kill 1\n').set(own, 'oom_kill 4\n');
    const oom = witness();
    oom.begin('j', MAIN);
    kernel.cgroup(MAIN, '/its/own');
    oom.sawTree('j', [], 1000);
    kernel.texts.set(CONTROL, 'oom_kill 2\n');
    expect(oom.verdict('j', 'main')).toBeNull();
    kernel.texts.set(own, 'oom_kill 5\n');
    expect(oom.verdict('j', 'main')?.confidence).toBe('inferred');
  });

  it('explains one death by one kill', () => {
    const oom = witness();
    for (const job of ['a', 'b', 'c']) oom.begin(job, MAIN);
    kernel.texts.set('/proc/vmstat', 'oom_kill 7\n');
    const verdicts = ['a', 'b', 'c'].map((job) => oom.verdict(job, 'main')?.confidence);
    expect(verdicts).toEqual(['inferred', 'inferred', undefined]);
  });

  it('says nothing where nothing counts, or its cgroup is gone', () => {
    kernel.texts.set(CONTROL, 'oom_kill 1\n');
    const oom = witness();
    oom.begin('j', MAIN);
    kernel.texts.delete(CONTROL);
    expect(oom.verdict('j', 'main')).toBeNull();
    kernel.texts.clear();
    const blind = witness();
    blind.begin('j', MAIN);
    expect(blind.verdict('j', 'main')).toBeNull();
  });

  it('is how it looks in a pid namespace, where the log’s numbers mean nothing', () => {
    kernel.readable = true;
    kernel.namespace = 'pid:[1]';
    const oom = witness();
    oom.begin('j', MAIN);
    kernel.kills(MAIN);
    expect(oom.verdict('j', 'main')).toBeNull();
    kernel.texts.set('/proc/vmstat', 'oom_kill 6\n');
    expect(oom.verdict('j', 'main')).toEqual({ confidence: 'inferred', victim: null });
  });
});

const NAME = `upkeep-test-oom-${process.pid}`;
const cgroup = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup'].map((root) => join(root, NAME)).find(canLimit);

function canLimit(path: string): boolean {
  try {
    fs.mkdirSync(path);
  } catch {
    return false;
  }
  try {
    return ['memory.limit_in_bytes', 'memory.max'].some((name) => fs.existsSync(join(path, name)));
  } finally {
    fs.rmdirSync(path);
  }
}

describe.skipIf(cgroup === undefined)('on this machine (needs a writable memory cgroup)', () => {
  const path = cgroup ?? '';

  function makeCgroup(): void {
    fs.mkdirSync(path);
    const limit = ['memory.limit_in_bytes', 'memory.max'].find((name) => fs.existsSync(join(path, name)));
    fs.writeFileSync(join(path, limit ?? ''), String(64 * 1024 * 1024));
    onTestFinished(async () => {
      await until(() => fs.readFileSync(join(path, 'cgroup.procs'), 'utf8') === '');
      fs.rmdirSync(path);
    });
  }

  /** A process in the cgroup. */
  function start(script: string): { child: ChildProcess; ended: Promise<number | null> } {
    const child = spawn('/bin/sh', ['-c', `echo $$ > ${join(path, 'cgroup.procs')}; ${script}`]);
    onTestFinished(() => void child.kill('SIGKILL'));
    return { child, ended: new Promise((resolve) => child.once('exit', (code) => resolve(code))) };
  }

  const EAT = `${process.execPath} -e 'const kept = []; for (;;) kept.push(Buffer.alloc(1e6, 1))'`;

  it.each([
    ['by the log', nodeHost().files],
    [
      'by the counter',
      {
        ...fs,
        openSync: () => {
          throw new Error('EPERM');
        },
      } as Files,
    ],
  ])('recognises that a child of a shell was killed, %s', async (_how, files) => {
    makeCgroup();
    const host = { ...nodeHost(), files };
    const { child: upkeep } = start('exec sleep 1000');
    await until(() => fs.readFileSync(join(path, 'cgroup.procs'), 'utf8').includes(`${upkeep.pid}`));
    const oom = new OomWitness(host, upkeep.pid ?? 0);
    const { child, ended } = start(`${EAT}; exit $?`);
    oom.begin('j', child.pid ?? 0);
    oom.begin('bystander', process.pid);
    expect(await ended).toBe(137);
    expect(oom.verdict('j', 'below')?.confidence).toBe('inferred');
    expect(oom.verdict('bystander', 'main')).toBeNull();
    upkeep.kill('SIGKILL');
  });
});
