/**
 * The storm: upkeep is killed again and again, at random instants and between any two of its effects, while its
 * services crash and restart. Afterwards the books must balance.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { EventRecord } from '../../core/store/records.ts';
import { freePort, Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

const SERVICE = fileURLToPath(new URL('../fixtures/service.mjs', import.meta.url));
const MAIN = fileURLToPath(new URL('../../dist/adapters/cli/main.js', import.meta.url));

/** What a storm has shown. */
export interface StormReport {
  readonly kills: number;
  readonly at_fault_points: number;
  readonly spawns: number;
  readonly interrupted: number;
}

/** Pseudo-random numbers that a failing run can be repeated with. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

/**
 * Runs a storm of `kills` and checks the books.
 *
 * @param seed of the instants; the services' crashes are random beyond it.
 */
export async function storm(kills: number, seed: number): Promise<StormReport> {
  const random = generator(seed);
  const sandbox = new Sandbox({});
  const record = (name: string): string => sandbox.path(`record.${name}`);
  const port = await freePort();
  const socket = sandbox.path('tcp.sock');
  const base = {
    process: true,
    run: [process.execPath, SERVICE],
    restart: { delay: '5ms', factor: 1, stable_after: '100ms' },
    stop: { timeout: '2s' },
    logs: { rotate: [{ type: 'restart' }], keep: 100_000, max_total: '10GiB' },
  };
  const env = (name: string, extra: object): object => ({
    RECORD: record(name),
    LINES: '7',
    CRASH_MIN: '80',
    CRASH_MAX: '900',
    ...extra,
  });
  const names = ['plain', 'shell', 'claims', 'calm'];
  sandbox.write({
    plain: { actions: { main: { ...base, env: env('plain', {}) } } },
    shell: {
      actions: { main: { ...base, run: `${process.execPath} ${SERVICE}; exit $?`, env: env('shell', {}) } },
    },
    claims: {
      actions: {
        main: {
          ...base,
          tcp_ports: [port],
          sockets: [socket],
          env: env('claims', { TCP_PORT: String(port), UNIX_SOCKET: socket }),
        },
      },
    },
    calm: {
      actions: { main: { ...base, env: env('calm', { CRASH_MIN: '3600000', CRASH_MAX: '3600001' }) } },
    },
  });

  let atFaultPoints = 0;
  const counts = new Map<string, number>();
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      const faulty = random() < 0.5;
      const env = faulty ? { UPKEEP_FAULT: `kill@${1 + Math.floor(random() * 120)}` } : {};
      const daemon = spawn(process.execPath, [MAIN, 'up', '-f', sandbox.file, '--state', sandbox.state], {
        stdio: 'ignore',
        env: { ...process.env, ...env },
      });
      const ended = new Promise<void>((resolve) => daemon.once('exit', () => resolve()));
      const timer = setTimeout(() => daemon.kill('SIGKILL'), faulty ? 3_000 : 150 + random() * 600);
      await ended;
      clearTimeout(timer);
      if (daemon.exitCode !== null)
        throw new Error(`upkeep ended by itself with ${daemon.exitCode} at kill ${kill}`);
      if (faulty) atFaultPoints += 1;
    }

    await sandbox.up();
    for (const name of names) await sandbox.untilAction(name, (action) => action.phase === 'running');
    const report = await balance(sandbox, names, record, counts);
    return { kills, at_fault_points: atFaultPoints, ...report };
  } finally {
    await sandbox.remove();
  }
}

async function balance(
  sandbox: Sandbox,
  names: readonly string[],
  record: (name: string) => string,
  counts: Map<string, number>,
): Promise<{ spawns: number; interrupted: number }> {
  let spawns = 0;
  let interrupted = 0;
  for (const name of names) {
    // The services go on crashing while we count: look again until a look was undisturbed.
    await until(async () => {
      const before = await sandbox.action(name);
      if (before.phase !== 'running') return false;
      const marked = sandbox.marked().filter((process) => process.job_id === before.job_id);
      const started = starts(record(name));
      const events = await sandbox.events(name);
      const after = await sandbox.action(name);
      if (after.pid !== before.pid || after.phase !== 'running') return false;
      // What has no claims counts as running at once: the newest may be on the way to its first line.
      if (!started.has(after.restart_count)) return false;

      // Exactly one live instance, and nothing with our marker beside it (the shell form has its shell).
      const incarnations = new Set(marked.map((process) => process.incarnation));
      expect([...incarnations], `${name}: live incarnations`).toEqual([after.restart_count]);
      expect(
        marked.map((process) => process.pid),
        `${name}: main`,
      ).toContain(after.pid);
      // restart_count is what the services recorded, but for spawns that the events name as interrupted.
      const named = new Set(interruptions(events));
      const missing = range(after.restart_count).filter(
        (number) => !started.has(number) && !named.has(number),
      );
      // A program can be killed by nothing but its own crash before its first line: node takes 40 ms to get there.
      const unexplained = missing.filter((number) => !endedEarly(events, number));
      const about = events.filter(({ incarnation }) =>
        unexplained.some((number) => isNear(number, incarnation)),
      );
      expect(unexplained, `${name}: incarnations that nobody knows of\n${story(about)}`).toEqual([]);
      expect(Math.max(...started.keys()), `${name}: newest`).toBe(after.restart_count);
      for (const [number, times] of started) expect(times, `${name}: starts of ${number}`).toBe(1);
      spawns += started.size;
      interrupted += named.size;
      counts.set(name, after.restart_count);
      return true;
    }, 20);
  }
  // One job a service, from the first start on.
  const jobs = (await sandbox.client.call('job.list', {})).items;
  expect(new Set(jobs.map((job) => job.service)).size).toBe(names.length);
  expect(jobs).toHaveLength(names.length);
  for (const name of names) await logsAreWhole(sandbox, name, record(name));
  return { spawns, interrupted };
}

/** How often each incarnation has recorded its start. */
function starts(path: string): Map<number, number> {
  const found = new Map<number, number>();
  for (const line of readFileSync(path, 'utf8').trim().split('\n')) {
    const number = Number(line.split(' ')[0]?.split('/')[2]);
    found.set(number, (found.get(number) ?? 0) + 1);
  }
  return found;
}

function interruptions(events: readonly EventRecord[]): number[] {
  return events.flatMap((event) =>
    event.code === 'INTERRUPTED' ? [Number(event.evidence['incarnation'])] : [],
  );
}

/** An incarnation that was seen to end, whatever it got to write. */
function endedEarly(events: readonly EventRecord[], incarnation: number): boolean {
  return events.some(
    (event) => event.incarnation === incarnation && event.to !== 'running' && event.to !== 'starting',
  );
}

function isNear(number: number, incarnation: number | null): boolean {
  return incarnation !== null && Math.abs(incarnation - number) <= 1;
}

/** Events in words, for a message. */
function story(events: readonly EventRecord[]): string {
  return events
    .map(
      ({ seq, time, incarnation, from, to, code, message }) =>
        `${seq} ${time} #${incarnation} ${from} → ${to} ${code}: ${message}`,
    )
    .join('\n');
}

function range(last: number): number[] {
  return Array.from({ length: last + 1 }, (_, index) => index);
}

/** Every line that a service noted beside its log is in its log, once. */
async function logsAreWhole(sandbox: Sandbox, name: string, record: string): Promise<void> {
  if (!existsSync(`${record}.lines`)) return;
  const noted = readFileSync(`${record}.lines`, 'utf8').trim().split('\n');
  const log = (await sandbox.log(name)).split('\n');
  const seen = new Map<string, number>();
  for (const line of log) seen.set(line, (seen.get(line) ?? 0) + 1);
  const lost = noted.filter((line) => !seen.has(line));
  const doubled = noted.filter((line) => (seen.get(line) ?? 0) > 1);
  expect(lost, `${name}: lost lines`).toEqual([]);
  expect(doubled, `${name}: doubled lines`).toEqual([]);
}
