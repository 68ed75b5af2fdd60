/**
 * Why a service has to wait for what it claims, or has lost it: each cause brought about for real.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { nodeHost } from '../../core/host/node_host.ts';
import type { Probe } from '../../core/plugin/probe.ts';
import { freePort, signalMain } from '../support/sandbox.ts';
import { until } from '../support/until.ts';
import { LONG_PAUSE, service, sleeper, WhyLab } from './why_lab.ts';

let lab: WhyLab;
let port: number;
beforeEach(async () => {
  lab = new WhyLab();
  port = await freePort();
});
afterEach(() => lab.remove());

const HEAL = { operation: 'service.heal', input: { name: 'web', dry_run: true } };

/** A probe that is not there. */
const BLIND: Probe = {
  name: 'blind',
  available: async () => false,
  holders: async () => ({ complete: false, holders: [] }),
};

it('PORT_HELD: the holder with its command line, and what would allow to stop it', async () => {
  const pid = await lab.stranger(`require('net').createServer().listen(${port}, '127.0.0.1')`);
  await lab.start(service({ TCP_PORT: port }, { tcp_ports: [port] }));
  await lab.until(({ reason }) => reason?.code === 'PORT_HELD');
  const why = await lab.why();
  expect(why).toMatchObject({
    code: 'PORT_HELD',
    confidence: 'certain',
    evidence: { claim: `tcp:${port}`, holder: { pid, class: 'foreign' } },
    next_step: expect.stringContaining('kill_other'),
    next: HEAL,
  });
  expect((why.evidence['holder'] as { command: string }).command).toContain(`listen(${port}`);
});

it('PORT_HELD: a holder that cannot be seen is asked for again', async () => {
  await lab.stranger(`require('net').createServer().listen(${port}, '127.0.0.1')`);
  await lab.start(service({ TCP_PORT: port }, { tcp_ports: [port] }), { probes: [BLIND] });
  await lab.until(({ reason }) => reason?.code === 'PORT_HELD');
  expect(await lab.why()).toMatchObject({
    evidence: { holder: null },
    next: { operation: 'holder.find', input: { tcp_port: port } },
  });
});

it('SOCKET_HELD: the holder of a socket that is alive', async () => {
  const path = lab.path('web.sock');
  const pid = await lab.stranger(`require('net').createServer().listen(${JSON.stringify(path)})`);
  await until(() => existsSync(path));
  await lab.start(service({ UNIX_SOCKET: path }, { sockets: [path] }));
  await lab.until(({ reason }) => reason?.code === 'SOCKET_HELD');
  expect(await lab.why()).toMatchObject({
    code: 'SOCKET_HELD',
    evidence: { claim: `socket:${path}`, holder: { pid } },
    next: HEAL,
  });
});

it('SOCKET_NOT_A_SOCKET: what lies there', async () => {
  const path = lab.path('web.sock');
  writeFileSync(path, 'precious');
  await lab.start(service({ UNIX_SOCKET: path }, { sockets: [path] }));
  await lab.until(({ reason }) => reason?.code === 'SOCKET_NOT_A_SOCKET');
  expect(await lab.why()).toMatchObject({
    code: 'SOCKET_NOT_A_SOCKET',
    evidence: { found: expect.stringContaining('file') },
    next: HEAL,
  });
});

it('PIDFILE_HELD: the live instance that the PID file names', async () => {
  const pid_file = lab.path('web.pid');
  const run = [process.execPath, '-e', "setInterval(() => {}, 1000); console.log('up')", 'x'];
  const pid = await lab.stranger('setInterval(() => {}, 1000)');
  writeFileSync(pid_file, `${pid}\n`);
  // Whose whole argument vector is the action's is an instance of it.
  run[2] = "setInterval(() => {}, 1000); console.log('up')";
  await lab.start(sleeper({ run: run.slice(0, 3), pid_file }));
  await lab.until(({ reason }) => reason?.code === 'PIDFILE_HELD');
  expect(await lab.why()).toMatchObject({
    code: 'PIDFILE_HELD',
    evidence: { pid_file, holder: { pid, class: 'foreign' } },
    next_step: expect.stringContaining('singleton'),
    next: HEAL,
  });
});

it('PIDFILE_REUSED: a note about the stranger that was left alone', async () => {
  const pid_file = lab.path('web.pid');
  const pid = await lab.stranger('setInterval(() => {}, 2000)');
  writeFileSync(pid_file, `${pid}\n`);
  await lab.start(sleeper({ pid_file }));
  const note = await lab.note('PIDFILE_REUSED');
  expect(note).toMatchObject({ evidence: { holder: { pid } }, next: null });
});

it('PIDFILE_UNWRITABLE: a note, and the service runs all the same', async () => {
  await lab.start(sleeper({ pid_file: lab.path('no', 'such', 'web.pid') }));
  const note = await lab.note('PIDFILE_UNWRITABLE');
  expect(note.message).toContain('ENOENT');
  expect(lab.action().phase).toBe('running');
});

it('RECLAIMED: a note on the stale socket that was removed', async () => {
  const path = lab.path('web.sock');
  const pid = await lab.stranger(`require('net').createServer().listen(${JSON.stringify(path)})`);
  await until(() => existsSync(path));
  process.kill(pid, 'SIGKILL');
  await lab.start(service({ UNIX_SOCKET: path }, { sockets: [path] }));
  await lab.until(({ phase }) => phase === 'running');
  expect(await lab.note('RECLAIMED')).toMatchObject({ evidence: { claim: `socket:${path}` }, next: null });
});

it('CLAIM_LOST: which claim, while it is started again', async () => {
  const env = { TCP_PORT: port, CLOSE_ON: 'USR2' };
  await lab.start(service(env, { tcp_ports: [port], restart: { ...LONG_PAUSE, stable_after: '1h' } }));
  await lab.until(({ phase }) => phase === 'running');
  signalMain(lab.action(), 'SIGUSR2');
  await lab.until(({ phase }) => phase === 'retrying');
  expect(await lab.why()).toMatchObject({
    code: 'CLAIM_LOST',
    evidence: { claims: [expect.objectContaining({ claim: `tcp:${port}` })] },
    next: HEAL,
  });
});

it('PROBE_UNAVAILABLE: inferred, as no probe could look', async () => {
  const ready = { timeout: '1s' };
  await lab.start(service({ TCP_PORT: port }, { tcp_ports: [port], ready }), { probes: [BLIND] });
  await lab.until(({ phase }) => phase === 'running');
  const note = await lab.note('PROBE_UNAVAILABLE');
  expect(note).toMatchObject({ evidence: { confidence: 'inferred' }, next: HEAL });
  expect(note.next_step).toContain('lsof');
});

it('PROBE_DISAGREEMENT: a note on upkeep itself, with who saw what', async () => {
  const server = createServer().listen(port, '127.0.0.1');
  const fake = (name: string, sees: boolean): Probe => ({
    name,
    available: async () => true,
    holders: async ({ claims }, { processes }) => ({
      complete: true,
      holders: !sees
        ? []
        : claims.map((claim) => ({
            claim,
            process: processes.identity(process.pid),
            address: null,
            command: name,
            fd: null,
            inode: null,
          })),
    }),
  });
  lab.write({ main: service({ TCP_PORT: port }, { tcp_ports: [port] }) }, { probes: { quorum: 2 } });
  await lab.start(null, { host: nodeHost(), probes: [fake('a', true), fake('b', false)] });
  const note = await lab.note('PROBE_DISAGREEMENT');
  expect(note.message).toContain('a and b disagree');
  await new Promise((resolve) => server.close(resolve));
});

it('UNHEALTHY, CHECK_UNAVAILABLE and HEALTHY: what the check said, and the log of what is ill now', async () => {
  const sick = lab.path('sick');
  mkdirSync(lab.path('bin'));
  const check = { type: 'exec', run: ['sh', '-c', `[ ! -e ${sick} ] || { echo too hot; exit 2; }`] };
  const blind = { type: 'exec', run: [lab.path('bin', 'none')], interval: '50ms', timeout: '10s' };
  const eager = { interval: '50ms', timeout: '10s', failures: 1, on_failure: 'report' };
  const run = 'echo I am incarnation $UPKEEP_JOB; exec sleep 1000';
  await lab.start(sleeper({ run, health: [{ ...check, ...eager }, blind] }));
  expect(await lab.note('CHECK_UNAVAILABLE')).toMatchObject({ evidence: { check: 'exec' }, next: null });
  writeFileSync(sick, '');
  await lab.until(({ health }) => health === 'unhealthy');
  await until(async () => (await lab.why()).log_tail.length > 0);
  expect(await lab.why()).toMatchObject({
    phase: 'running',
    health: 'unhealthy',
    code: 'UNHEALTHY',
    message: expect.stringContaining('too hot'),
    log_tail: [expect.stringMatching(/\/0$/)],
    next: HEAL,
  });
  expect((await lab.answer()).summary).toContain('too hot');
  const { rmSync } = await import('node:fs');
  rmSync(sick);
  expect(await lab.note('HEALTHY')).toMatchObject({ message: expect.stringContaining('passes again') });
});
