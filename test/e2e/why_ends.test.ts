/**
 * Why a process is not there, or is another one: each cause brought about for real.
 */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Processes } from '../../core/host/host.ts';
import { nodeHost } from '../../core/host/node_host.ts';
import { freePort, signalMain } from '../support/sandbox.ts';
import { until } from '../support/until.ts';
import { LONG_PAUSE, service, sleeper, WhyLab } from './why_lab.ts';

let lab: WhyLab;
beforeEach(() => {
  lab = new WhyLab();
});
afterEach(() => lab.remove());

const HEAL = { operation: 'service.heal', input: { name: 'web', dry_run: true } };

it('EXITED: the code, the last words, the times, what led to it, and the plan to heal it', async () => {
  await lab.start(sleeper({ run: 'echo first; echo last words; exit 3' }));
  await lab.until(({ phase }) => phase === 'retrying');
  const why = await lab.why();
  expect(why).toMatchObject({
    code: 'EXITED',
    confidence: 'certain',
    evidence: { exit_code: 3, restart_count: 0, attempt: 1 },
    log_tail: ['first', 'last words'],
    next: HEAL,
  });
  expect(why.next_step).toMatch(/^Read the last log lines/);
  const { started_at, finished_at, next_attempt_at, since } = why.evidence as Record<string, number>;
  expect(started_at).toBeLessThanOrEqual(finished_at ?? 0);
  expect(since).toBeGreaterThanOrEqual(started_at ?? 0);
  expect(next_attempt_at).toBeGreaterThan(since ?? 0);
  expect(why.events[0]).toMatchObject({ code: 'REQUESTED', cause: null });
  expect(why.events.at(-1)).toMatchObject({ code: 'EXITED', to: 'retrying' });
  expect((await lab.answer()).summary).toContain('exited with code 3');
});

it('EXITED: one that ends as if it were done is told how to run', async () => {
  await lab.start(sleeper({ run: 'true' }));
  await lab.until(({ phase }) => phase === 'retrying');
  expect((await lab.why()).next_step).toMatch(/^Run it in the foreground/);
});

it('SIGNALED: by which signal, told while it runs again, with the log of the incarnation that died', async () => {
  const run = 'echo "incarnation $UPKEEP_JOB"; exec sleep 1000';
  await lab.start(sleeper({ run }));
  const wrote = async (): Promise<boolean> => (await lab.why()).log_tail.length > 0;
  await lab.until(({ phase }) => phase === 'running');
  await until(wrote);
  signalMain(lab.action(), 'SIGKILL');
  await lab.until(({ phase, restart_count, attempt }) =>
    phase === 'retrying' ? attempt === 1 : phase === 'running' && restart_count === 1,
  );
  const why = await lab.why();
  expect(why).toMatchObject({ code: 'SIGNALED', evidence: { exit_signal: 'SIGKILL' } });
  expect(why.evidence['identity']).not.toBeNull();
  expect(why.log_tail[0]).toMatch(/\/0$/);
  // It is well again: nothing has to be called.
  expect(why.next).toEqual(why.phase === 'running' ? null : HEAL);
});

it('COMMAND_NOT_FOUND: which program', async () => {
  await lab.start(sleeper({ run: ['no-such-program'] }));
  await lab.until(({ phase }) => phase === 'retrying');
  expect(await lab.why()).toMatchObject({
    code: 'COMMAND_NOT_FOUND',
    confidence: 'certain',
    evidence: { program: 'no-such-program', exit_code: null },
    next_step: expect.stringContaining('Install the program'),
    next: HEAL,
  });
});

it('SPAWN_FAILED: what is missing', async () => {
  await lab.start(sleeper({ cwd: '/no/such/folder' }));
  await lab.until(({ phase }) => phase === 'retrying');
  expect(await lab.why()).toMatchObject({
    code: 'SPAWN_FAILED',
    message: expect.stringContaining('/no/such/folder'),
    evidence: { errno: 'ENOENT' },
    next: HEAL,
  });
});

it('GAVE_UP: after how many tries, and the last failure', async () => {
  await lab.start(
    sleeper({ run: 'echo broken; exit 9', restart: { ...LONG_PAUSE, delay: '10ms', max_attempts: 2 } }),
  );
  await lab.until(({ phase }) => phase === 'failed');
  expect(await lab.why()).toMatchObject({
    code: 'GAVE_UP',
    evidence: { attempt: 2, exit_code: 9, last_failure: { code: 'EXITED' } },
    log_tail: ['broken'],
    next: HEAL,
  });
});

it('NOT_READY: which claim is held by nobody, with the log of that incarnation', async () => {
  await lab.start(
    sleeper({ run: 'echo no listener; exec sleep 1000', tcp_ports: [9], ready: { timeout: '2s' } }),
  );
  await lab.until(({ phase }) => phase === 'retrying');
  expect(await lab.why()).toMatchObject({
    code: 'NOT_READY',
    evidence: { claims: [{ claim: 'tcp:9', verdict: 'free' }] },
    log_tail: ['no listener'],
    next: HEAL,
  });
});

it('STOP_TIMEOUT: a note, with who had to be killed', async () => {
  const port = await freePort();
  const stop = { timeout: '200ms' };
  await lab.start(service({ IGNORE_TERM: 1, TCP_PORT: port }, { tcp_ports: [port], stop }));
  // It ignores the signal before it listens.
  await lab.until(({ phase }) => phase === 'running');
  const { pid } = lab.action();
  lab.upkeep.restart('web', 'cli');
  await lab.until(({ restart_count, phase }) => restart_count === 1 && phase === 'running');
  const note = await lab.note('STOP_TIMEOUT');
  expect(note).toMatchObject({ evidence: { identity: { pid } }, next: null });
  expect(note.next_step).toContain('stop.timeout');
});

it('SURVIVORS: who cannot be killed, with command line', async () => {
  // What hangs in the kernel cannot be made here: signals that do not arrive stand in for it.
  const host = nodeHost();
  let deaf = true;
  const processes = new Proxy(host.processes, {
    get: (target, name: keyof Processes) => {
      const value = target[name];
      if (typeof value !== 'function') return value;
      if (deaf && (name === 'signal' || name === 'signalGroup')) return () => 'sent';
      return value.bind(target);
    },
  });
  await lab.start(sleeper({ stop: { timeout: '100ms' } }), { host: { ...host, processes } });
  await lab.until(({ phase }) => phase === 'running');
  const main = lab.action();
  const { pid } = main;
  lab.upkeep.stop('web', 'cli');
  try {
    await until(async () => {
      const { code, notes } = await lab.why();
      return code === 'SURVIVORS' || notes.some((note) => note.code === 'SURVIVORS');
    }, 20);
    const why = await lab.why();
    const survivors = why.evidence['survivors'] as { pid: number; command: string }[];
    expect(survivors).toContainEqual({ pid, command: 'sleep 1000' });
    const told = why.code === 'SURVIVORS' ? why : await lab.note('SURVIVORS');
    expect(told).toMatchObject({ next: HEAL, next_step: expect.stringContaining('kernel') });
  } finally {
    deaf = false;
    signalMain(main, 'SIGKILL');
  }
});
