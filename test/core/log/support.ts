/**
 * Logs on a folder of their own, and what a test needs around them.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, onTestFinished } from 'vitest';
import type { Host, Processes } from '../../../core/host/host.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import type { Reason } from '../../../core/job/reason.ts';
import { codecOf } from '../../../core/log/codec.ts';
import { readLayout } from '../../../core/log/layout.ts';
import { type LogJob, type LogPolicy, Logs } from '../../../core/log/mod.ts';
import { formatSegment } from '../../../core/log/segment_name.ts';
import { builtInPlugins } from '../../../plugins/mod.ts';

/** A folder that is removed after the test; `parent` for another file system than the usual. */
export function scratch(parent: string = tmpdir()): { dir: string; remove(): void } {
  const dir = realpathSync(mkdtempSync(join(parent, 'upkeep-log-')));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** A folder that is removed once the test has ended; `parent` for another file system than the usual. */
export function folder(parent?: string): string {
  const { dir, remove } = scratch(parent);
  onTestFinished(remove);
  return dir;
}

/** A file system in memory, which cannot take out the head of a file; undefined, the usual one, where there is none. */
export const SHM = existsSync('/dev/shm') ? '/dev/shm' : undefined;

/** Gives each test of a file a folder of its own, which is removed after it. To be called once, outside of tests. */
export function inScratch(given: (dir: string) => void): void {
  let made: ReturnType<typeof scratch> | null = null;
  beforeEach(() => {
    made = scratch();
    given(made.dir);
  });
  afterEach(() => made?.remove());
}

/** A job with the policy of the design, but for what is given. */
export function jobWith(policy: Partial<LogPolicy> = {}, job_id = 'j1'): LogJob {
  const usual: LogPolicy = {
    rotate: [{ type: 'restart' }, { type: 'size', max: 65_536 }],
    keep: 1000,
    max_total: 1_000_000_000,
    max_age: null,
    compress: 'none',
  };
  return { service: 'shop', action: 'web', job_id, policy: { ...usual, ...policy } };
}

/** The real host with some of it replaced. */
export function hostWith(changes: Partial<Host>): Host {
  return { ...nodeHost(), ...changes };
}

/** The real host, but that `fallocate` fails for one of its options, or all. */
export function withoutFallocate(...options: string[]): Host {
  return refusing(nodeHost(), options);
}

/** A host on which `fallocate` fails for some of its options. */
export function refusing(host: Host, options: readonly string[]): Host {
  return {
    ...host,
    spawner: {
      ...host.spawner,
      run: async (file, argv, rest) =>
        options.includes(argv[0] ?? '')
          ? { exit_code: 1, stdout: '', stderr: 'fallocate failed: Operation not supported', error: null }
          : host.spawner.run(file, argv, rest),
    },
  };
}

/** What was reported. */
export type Reports = {
  job_id: string;
  code: Reason['code'];
  message: string;
  evidence: Reason['evidence'];
}[];

/** Logs with the built-in rotators, that keep what they report and are looked at when the test says so. */
export interface Fixture {
  readonly logs: Logs;
  readonly host: Host;
  readonly reports: Reports;
  /** An entry for each time that a look was asked for. */
  readonly wakes: unknown[];
  /** Looks at every log, whenever it wanted to be looked at, and does not wait for what that begins. */
  look(): void;
  /** Looks, and waits for what that begins. */
  lookAndWait(): Promise<void>;
  /** Looks until nothing in the folder changes any more. */
  quiet(): Promise<void>;
}

/** Makes a {@link Fixture}. */
export function logsIn(dir: string, real: Host = nodeHost()): Fixture {
  const host = withOwnHelpers(real);
  const reports: Reports = [];
  const wakes: unknown[] = [];
  const report = (job: LogJob, { code, message, evidence }: Reason): void => {
    reports.push({ job_id: job.job_id, code, message, evidence });
  };
  const logs = new Logs({
    host,
    dir,
    rotators: builtInPlugins.rotators,
    report,
    wake: () => wakes.push(null),
  });
  let now = host.clock.mono();
  const look = (): void => {
    now += 60_000;
    logs.look(now);
  };
  const lookAndWait = async (): Promise<void> => {
    look();
    await logs.settled();
  };
  const quiet = async (): Promise<void> => {
    for (let before = ''; ; ) {
      await lookAndWait();
      const after = listing(dir).join();
      if (after === before) return;
      before = after;
    }
  };
  return { logs, host, reports, wakes, look, lookAndWait, quiet };
}

const MACHINE = nodeHost().processes;

/**
 * Whoever else tests logs on this machine runs `fallocate` too, and a removal waits for one that cannot be looked into:
 * only this process's own count here.
 */
function withOwnHelpers(host: Host): Host {
  const { processes } = host;
  const argv: Processes['argv'] = (pid) => {
    const found = processes.argv(pid);
    if (basename(found?.[0] ?? '') !== 'fallocate') return found;
    const stat = MACHINE.stat(pid);
    return stat === null || stat.ppid === process.pid ? found : null;
  };
  const own = new Proxy(processes, {
    get(_, name) {
      if (name === 'argv') return argv;
      const value: unknown = Reflect.get(processes, name, processes);
      return typeof value === 'function' ? value.bind(processes) : value;
    },
  });
  return { ...host, processes: own };
}

/** A job's log folder. */
export function folderOf(dir: string, job: LogJob): string {
  const folder = join(dir, job.service, job.action, job.job_id);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The names in all log folders. */
export function listing(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort();
}

/** What is in a job's segments, oldest first, as every tool would read them. */
export function segmentsOf(dir: string, job: LogJob): { name: string; text: string }[] {
  const folder = folderOf(dir, job);
  return readLayout(readdirSync(folder)).segments.map((segment) => {
    const stem = formatSegment(segment.name);
    const name = segment.packed === null ? `${stem}.log` : `${stem}.log.${segment.packed}`;
    const bytes = readFileSync(join(folder, name));
    return {
      name,
      text: (segment.packed === null ? bytes : unpacked(bytes, segment.packed)).toString('latin1'),
    };
  });
}

/** What is in a compressed segment, without its table: some tools read the first zstd frame only. */
function unpacked(bytes: Buffer, suffix: 'gz' | 'zst'): Buffer {
  const { work, decodeTable } = codecOf(suffix);
  const members = decodeTable(bytes) ?? [];
  if (work === null) throw new Error(`cannot decompress .${suffix} here`);
  if (suffix === 'gz') return work.decompressSync(bytes);
  return Buffer.concat(
    members.map(({ from, bytes: length }) => work.decompressSync(bytes.subarray(from, from + length))),
  );
}

/** All of an iterable of bytes as text. */
export async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString('latin1');
}

/** `n` numbered lines of a given length, from number `from`. */
export function numbered(n: number, from = 0, length = 100): string {
  let text = '';
  for (let i = from; i < from + n; i++) text += `${String(i).padStart(10, '0')}${'x'.repeat(length - 11)}\n`;
  return text;
}

/** The numbers of numbered lines; NaN for what is none. */
export function numbersIn(text: string): number[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => (/^\d{10}x*$/.test(line) ? Number(line.slice(0, 10)) : Number.NaN));
}

/** The numbers from `from` up to `to`, without it. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** Three incarnations of 3000 lines of 100 bytes, in segments of 64 KiB; the last one is still active. */
export async function threeIncarnations(fixture: Fixture, compress: 'gzip' | 'none'): Promise<LogJob> {
  const job = jobWith({ compress });
  const { logs, lookAndWait, quiet } = fixture;
  for (let incarnation = 0; incarnation < 3; incarnation++) {
    const { fd, rotated } = logs.open(job, incarnation);
    if (rotated !== null) logs.release(job, rotated);
    for (let part = 0; part < 3; part++) {
      writeSync(fd, numbered(1000, incarnation * 3000 + part * 1000));
      await lookAndWait();
    }
  }
  await quiet();
  return job;
}
