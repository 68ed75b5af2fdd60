import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MAX_KEPT_EVENTS } from '../../../core/store/backlog.ts';
import { Database } from '../../../core/store/database.ts';
import { aJob, anEvent, aRun, aService, aWorld, openStore, type TestStore, tempDir } from './support.ts';

function stranger(path: string): Database {
  const database = Database.open(path, { files: fs, busy_timeout: 0 });
  onTestFinished(() => database.close());
  return database;
}

/** Commits one of everything, and what a restart of the job looks like. */
function restartOf(name: string, count: number) {
  return {
    jobs: [aJob({ id: `job-of-${name}`, run_id: `run-of-${name}`, service: name, restart_count: count })],
    events: [anEvent({ service: name, job_id: `job-of-${name}` })],
  };
}

describe('a store that cannot be written', () => {
  /** Where a stranger holds the write lock until it is told to let go. */
  function locked(): TestStore & { letGo: () => void; path: string } {
    const path = join(tempDir(), 'upkeep.db');
    const opened = openStore(path);
    opened.store.commit({ ...aWorld('shop'), events: [anEvent()] });
    const other = stranger(path);
    other.exec('BEGIN IMMEDIATE');
    return { ...opened, path, letGo: () => other.exec('ROLLBACK') };
  }

  it('keeps what is committed, tells once, and writes it as soon as it can', () => {
    const { store, told, letGo, path } = locked();
    expect(store.commit(restartOf('shop', 4)).map(({ seq }) => seq)).toEqual([2]);
    expect(store.commit(restartOf('shop', 5)).map(({ seq }) => seq)).toEqual([3]);
    expect(told).toMatchObject([{ code: 'STORE_DEGRADED', evidence: { error: 'SQLITE_BUSY', path } }]);
    expect(store.degraded).toMatchObject({ evidence: { kept_events: 2, dropped: 0 } });
    expect(store.lost).toBe(false);
    expect(store.retry()).toBe(false);
    expect(told).toHaveLength(1);

    letGo();
    expect(store.retry()).toBe(true);
    expect(store.degraded).toBeNull();
    expect(told.slice(1)).toEqual([null]);
    expect(store.retry()).toBe(true);
    store.close();
    const again = openStore(path).store;
    expect(again.jobs({})).toMatchObject([{ restart_count: 5 }]);
    expect(again.events({}).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it.skipIf(process.platform !== 'linux')('opens nothing anew while it only has to wait', () => {
    const { store, clock, path } = locked();
    store.commit(restartOf('shop', 4));
    const before = descriptorsOf(path);
    for (let i = 0; i < 10; i += 1) {
      clock.advance(3_600_000);
      expect(store.retry()).toBe(false);
    }
    expect(descriptorsOf(path)).toBe(before);
  });

  it('answers from the disk and from memory', () => {
    const { store } = locked();
    store.commit(restartOf('shop', 4));
    store.commit({ ...aWorld('other'), events: [anEvent({ service: 'other', job_id: 'job-of-other' })] });
    expect(store.load()).toMatchObject({
      services: [{ name: 'other' }, { name: 'shop' }],
      runs: [{ id: 'run-of-shop' }, { id: 'run-of-other' }],
      jobs: [{ id: 'job-of-shop', restart_count: 4 }, { id: 'job-of-other' }],
    });
    expect(store.jobs({ service: 'other' })).toEqual(aWorld('other').jobs);
    expect(store.jobs({ id: 'job-of-shop' })).toMatchObject([{ restart_count: 4 }]);
    expect(store.jobs({ run_id: 'run-of-shop' })).toHaveLength(1);
    expect(store.runs({ id: 'run-of-other' })).toEqual(aWorld('other').runs);
    const seqs = (query: Parameters<typeof store.events>[0]) => store.events(query).map(({ seq }) => seq);
    expect(seqs({})).toEqual([1, 2, 3]);
    expect(seqs({ limit: 2 })).toEqual([2, 3]);
    expect(seqs({ limit: 0 })).toEqual([]);
    expect(seqs({ after: 0, limit: 2 })).toEqual([1, 2]);
    expect(seqs({ before: 3, limit: 1 })).toEqual([2]);
    expect(seqs({ after: 2 })).toEqual([3]);
    expect(seqs({ service: 'shop' })).toEqual([1, 2]);
    expect(seqs({ job_id: 'job-of-other' })).toEqual([3]);
  });

  it('hides what was deleted meanwhile, and deletes it later', () => {
    const { store, letGo } = locked();
    store.commit({ deleted_services: ['shop'] });
    const expectGone = () => {
      expect(store.load()).toEqual({ services: [], runs: [], jobs: [] });
      expect(store.jobs({})).toEqual([]);
      expect(store.runs({})).toEqual([]);
    };
    expectGone();
    letGo();
    expect(store.retry()).toBe(true);
    expectGone();
  });

  it('loads the run that a service has begun meanwhile', () => {
    const { store } = locked();
    const job = aJob({ id: 'job-2', run_id: 'run-2' });
    const runs = [aRun('shop', { id: 'run-2' })];
    store.commit({ services: [aService('shop', { run_id: 'run-2' })], runs, jobs: [job] });
    expect(store.load()).toEqual({ services: [aService('shop', { run_id: 'run-2' })], runs, jobs: [job] });
  });

  it('lets the callback commit what it has to say', () => {
    const { store } = openStore(join(tempDir(), 'upkeep.db'), {
      onDegraded: (why) => store.commit({ events: [anEvent({ message: why?.message ?? 'written again' })] }),
    });
    store.commit({ runs: [aRun('shop')] });
    // Refused: its run does not exist.
    store.commit({ jobs: [aJob({ run_id: 'no-such-run' })], events: [anEvent({ message: 'first' })] });
    expect(store.retry()).toBe(true);
    expect(store.events({}).map(({ message }) => message)).toEqual([
      'first',
      expect.stringContaining('SQLITE_CONSTRAINT'),
      'written again',
    ]);
  });

  it('gives up the one row that the database refuses, and nothing else', () => {
    const path = join(tempDir(), 'upkeep.db');
    const { store } = openStore(path);
    store.commit({
      ...aWorld('shop'),
      jobs: [...aWorld('shop').jobs, aJob({ id: 'orphan', run_id: 'no-such-run' })],
      events: [anEvent(), anEvent({ message: null as unknown as string }), anEvent()],
    });
    expect(store.degraded).not.toBeNull();
    expect(store.retry()).toBe(true);
    expect(store.dropped).toBe(2);
    expect(store.load()).toEqual(aWorld('shop'));
    expect(store.events({}).map(({ seq }) => seq)).toEqual([1, 3]);
  });

  it('keeps events up to a bound and counts the rest', () => {
    const { store, letGo } = locked();
    const events = Array.from({ length: 1000 }, () => anEvent());
    for (let i = 0; i < 15; i += 1) store.commit({ events });
    expect(store.dropped).toBeGreaterThan(0);
    letGo();
    expect(store.retry()).toBe(true);
    const stored = store.events({ after: 1 });
    expect(stored.length).toBeGreaterThanOrEqual(MAX_KEPT_EVENTS);
    expect(stored.length + store.dropped).toBe(15_000);
    expect(stored.at(-1)?.seq).toBe(15_001);
  });

  it('does not take a busy moment while pruning for a failure', () => {
    const { store } = locked();
    store.prune(Number.MAX_SAFE_INTEGER);
    expect(store.degraded).toBeNull();
  });

  it('throws nothing after it was closed either', () => {
    const { store } = openStore(join(tempDir(), 'upkeep.db'));
    store.close();
    expect(store.commit({ events: [anEvent()] })).toMatchObject([{ seq: 1 }]);
    expect(store.degraded).not.toBeNull();
  });
});

describe('a store whose file is out of reach', () => {
  it('opens degraded, and is rebuilt once it can be opened', () => {
    const path = join(tempDir(), 'upkeep.db');
    fs.mkdirSync(path);
    const { store, told, clock } = openStore(path);
    expect(store.opened).toMatchObject({ created: false, set_aside: null, lost: { code: 'STORE_DEGRADED' } });
    expect(store.degraded?.evidence).toMatchObject({ error: 'SQLITE_CANTOPEN' });
    expect(told).toEqual([]);
    expect(store.load()).toEqual({ services: [], runs: [], jobs: [] });
    // Numbers that nobody can have read from the database that is out of reach.
    const [event] = store.commit({ ...aWorld('shop'), events: [anEvent()] });
    expect(event?.seq).toBeGreaterThan(clock.wall());
    expect(store.load()).toEqual(aWorld('shop'));
    expect(store.rebuild(aWorld('shop'))).toBe(false);

    fs.rmdirSync(path);
    expect(store.retry()).toBe(false);
    expect(store.lost).toBe(true);
    expect(store.rebuild(aWorld('other'))).toBe(true);
    expect([store.lost, store.degraded]).toEqual([false, null]);
    expect(told).toEqual([null]);
    store.close();
    const again = openStore(path).store;
    expect(again.load().services.map(({ name }) => name)).toEqual(['other', 'shop']);
    expect(again.events({})).toEqual([event]);
    expect(again.commit({ events: [anEvent()] })).toMatchObject([{ seq: (event?.seq ?? 0) + 1 }]);
  });

  it.each([
    ['all of it', ['', '-wal', '-shm']],
    ['the database alone', ['']],
  ])('notices when %s is deleted, and loses nothing', (_what, suffixes) => {
    const path = join(tempDir(), 'upkeep.db');
    const { store, told, clock } = openStore(path);
    store.commit({ ...aWorld('shop'), events: [anEvent()] });
    for (const suffix of suffixes) fs.unlinkSync(path + suffix);
    clock.advance(1000);
    store.commit(restartOf('shop', 4));
    expect(told).toMatchObject([{ evidence: { error: 'SQLITE_CANTOPEN' } }]);
    expect(store.lost).toBe(true);
    expect(store.retry()).toBe(false);
    expect(store.rebuild({ jobs: restartOf('shop', 4).jobs })).toBe(true);
    expect(told.at(-1)).toBeNull();
    store.commit(restartOf('shop', 5));
    store.close();

    const again = openStore(path).store;
    expect(again.load()).toEqual({ ...aWorld('shop'), jobs: restartOf('shop', 5).jobs });
    expect(again.events({}).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it('does not write into a file that took the place of its own', () => {
    const path = join(tempDir(), 'upkeep.db');
    const { store, clock } = openStore(path);
    store.commit(aWorld('shop'));
    fs.renameSync(path, `${path}.moved`);
    fs.writeFileSync(path, 'somebody else has put this here');
    clock.advance(1000);
    store.commit(restartOf('shop', 4));
    expect(store.rebuild({})).toBe(true);
    const [aside] = fs
      .readdirSync(join(path, '..'))
      .filter((name) => /corrupt-[^-]*-\d\d-\d\dT[\d-]*\.\d+Z$/.test(name));
    expect(fs.readFileSync(join(path, '..', aside ?? ''), 'utf8')).toBe('somebody else has put this here');
    expect(store.load().jobs).toEqual(restartOf('shop', 4).jobs);
  });
});

describe('a store on a disk that is full', () => {
  it('degrades, and recovers when there is room again', ({ skip }) => {
    const dir = tempDirOfSize();
    if (dir === null) return skip('needs the right to mount');
    const path = join(dir, 'upkeep.db');
    const ballast = join(dir, 'ballast');
    const { store } = openStore(path);
    store.commit(aWorld('shop'));
    fill(ballast);
    let count = 0;
    while (store.degraded === null) store.commit(restartOf('shop', ++count));
    expect(store.degraded.evidence).toMatchObject({ error: 'SQLITE_FULL' });
    store.commit(restartOf('shop', ++count));
    expect(store.retry()).toBe(false);
    expect(store.jobs({})).toMatchObject([{ restart_count: count }]);

    fs.unlinkSync(ballast);
    expect(store.retry()).toBe(true);
    store.close();
    const again = openStore(path).store;
    expect(again.jobs({})).toMatchObject([{ restart_count: count }]);
    expect(again.events({}).map(({ seq }) => seq)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
  });

  it('degrades and recovers where a write fails in any other way', () => {
    // A limit on the size of a file, in a process of its own, which lifts it again.
    const path = join(tempDir(), 'upkeep.db');
    const fixture = fileURLToPath(new URL('fixtures/file_size_limit.mjs', import.meta.url));
    const shell = `trap '' XFSZ; ulimit -S -f 400; exec "$0" "$@"`;
    const { stdout, stderr, status } = spawnSync('sh', ['-c', shell, process.execPath, fixture, path], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
    const { error, count, lost, recovered } = JSON.parse(stdout);
    expect({ error, lost, recovered }).toEqual({ error: 'SQLITE_IOERR', lost: false, recovered: true });
    expect(count).toBeGreaterThan(1);
    const { store } = openStore(path);
    expect(store.opened.set_aside).toBeNull();
    expect(store.events({}).map(({ seq }) => seq)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
  });

  it('degrades and recovers where the file is read-only', ({ skip }) => {
    const path = join(tempDir(), 'upkeep.db');
    const first = openStore(path).store;
    first.commit(aWorld('shop'));
    first.close();
    const writable = makeReadOnly(path);
    if (writable === null) return skip('nothing here keeps root from writing');
    onTestFinished(writable);
    const { store, clock } = openStore(path);
    store.commit(restartOf('shop', 4));
    expect(store.degraded?.evidence).toMatchObject({ error: 'SQLITE_READONLY' });
    expect(store.load().jobs).toEqual(restartOf('shop', 4).jobs);
    expect(store.retry()).toBe(false);
    writable();
    // The connection was opened for reading only: it takes another one.
    expect(store.retry()).toBe(false);
    clock.advance(60_000);
    expect(store.retry()).toBe(true);
    expect(store.load().jobs).toEqual(restartOf('shop', 4).jobs);
  });
});

/** How many descriptors this process has on a database and its log. */
function descriptorsOf(path: string): number {
  return fs.readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(path);
    } catch {
      return false;
    }
  }).length;
}

/** A file system of 512 kB; null without the right to mount one. */
function tempDirOfSize(): string | null {
  const dir = tempDir();
  if (!runs('mount', '-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', dir)) return null;
  // Lazily, as libsql keeps the database open until the garbage collector has been there.
  onTestFinished(() => void runs('umount', '--lazy', dir));
  return dir;
}

function runs(file: string, ...argv: string[]): boolean {
  return spawnSync(file, argv, { stdio: 'ignore' }).status === 0;
}

/** Writes until the disk is full. */
function fill(path: string): void {
  for (const size of [65_536, 4_096]) {
    try {
      for (;;) fs.appendFileSync(path, Buffer.alloc(size));
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    }
  }
}

/** Root writes whatever the mode says, unless the file is immutable. Returns what undoes it; null where nothing helps. */
function makeReadOnly(path: string): (() => void) | null {
  if (process.getuid?.() !== 0) {
    fs.chmodSync(path, 0o400);
    return () => fs.chmodSync(path, 0o600);
  }
  return runs('chattr', '+i', path) ? () => void runs('chattr', '-i', path) : null;
}
