import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Database } from '../../../core/store/database.ts';
import { aJob, anEvent, asStored, aWorld, collectGarbage, openStore, tempDir } from './support.ts';

const PAGE = 4096;

/** A database of some size, closed; returns how many pages it has. */
function makeDatabase(path: string, events = 2000): number {
  const { store } = openStore(path);
  store.commit(aWorld('shop'));
  store.commit({
    events: Array.from({ length: events }, (_, i) => anEvent({ evidence: { i, text: 'x'.repeat(200) } })),
  });
  store.close();
  return fs.statSync(path).size / PAGE;
}

/** Overwrites part of a file with noise that is the same in every run. */
function garble(path: string, start: number, length: number, seed = 1): void {
  const noise = Buffer.alloc(length);
  let state = seed;
  for (let i = 0; i < length; i += 1) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    noise[i] = state >> 16;
  }
  const fd = fs.openSync(path, 'r+');
  fs.writeSync(fd, noise, 0, length, start);
  fs.closeSync(fd);
}

/** The pages that a table, or an index, is in. */
function pagesOf(path: string, name: string): number[] {
  const database = Database.open(path, { files: fs, busy_timeout: 0 });
  const pages = database.select(['pageno'], 'FROM dbstat WHERE name = ?', [name]);
  database.close();
  return pages.map(({ pageno }) => Number(pageno));
}

function asides(path: string): string[] {
  return fs.readdirSync(dirname(path)).filter((name) => name.includes('.corrupt-'));
}

describe('opening a damaged database', () => {
  it.each<[string, (path: string, pages: number) => void]>([
    ['is random bytes', (path, pages) => garble(path, 0, pages * PAGE)],
    [
      'is text',
      (path) => fs.writeFileSync(path, 'not a database at all, and longer than its header'.repeat(99)),
    ],
    ['has a good header and garbage after it', (path, pages) => garble(path, PAGE, (pages - 1) * PAGE)],
    ['has garbage for a schema', (path) => garble(path, 100, PAGE - 100)],
    ['is cut off', (path, pages) => fs.truncateSync(path, Math.floor(pages / 2) * PAGE)],
    ['is cut off within a page', (path) => fs.truncateSync(path, PAGE + 1000)],
    ['lacks a table', (path) => raw(path, 'DROP TABLE events')],
  ])('sets it aside where it %s, and goes on', (_what, damage) => {
    const path = join(tempDir(), 'upkeep.db');
    damage(path, makeDatabase(path));
    const bytes = fs.readFileSync(path);

    const { store, told } = openStore(path);
    expect(store.opened).toMatchObject({ created: false, lost: { code: 'STORE_DEGRADED' } });
    expect(fs.readFileSync(store.opened.set_aside ?? '').equals(bytes)).toBe(true);
    expect([store.degraded, store.lost, told]).toEqual([null, false, []]);
    // Numbers go on above those of the events that are lost.
    const [event] = store.commit({ ...aWorld('other'), events: [anEvent()] });
    expect(event?.seq).toBeGreaterThan(2000);
    store.close();
    const again = openStore(path).store;
    expect(again.opened).toEqual({ created: false, set_aside: null, lost: null });
    expect(again.jobs({ service: 'other' })).toEqual(aWorld('other').jobs);
    expect(again.events({}).at(-1)).toEqual(event);
  });

  it('saves every table that is whole', () => {
    const path = join(tempDir(), 'upkeep.db');
    makeDatabase(path);
    for (const page of pagesOf(path, 'events').slice(1, 5)) garble(path, (page - 1) * PAGE, PAGE);
    const { store } = openStore(path);
    expect(store.opened.set_aside).not.toBeNull();
    expect(store.load()).toEqual(aWorld('shop'));
    expect(store.events({})).toEqual([]);
    expect(store.degraded).toBeNull();
  });

  it('takes the write-ahead log along', () => {
    const path = join(tempDir(), 'upkeep.db');
    makeDatabase(path);
    garble(path, 0, PAGE);
    fs.writeFileSync(`${path}-wal`, 'the log of the damaged one');
    const { store } = openStore(path);
    expect(fs.readFileSync(`${store.opened.set_aside}-wal`, 'utf8')).toBe('the log of the damaged one');
  });

  it('never sets one aside over another', () => {
    const path = join(tempDir(), 'upkeep.db');
    for (let round = 1; round <= 3; round += 1) {
      fs.writeFileSync(path, `damaged, round ${round}`.repeat(99));
      // The clock stands still.
      openStore(path).store.close();
      for (const suffix of ['', '-wal', '-shm']) fs.rmSync(path + suffix, { force: true });
      expect(asides(path)).toHaveLength(round);
    }
  });

  it('leaves out a row that makes no sense, and no other', () => {
    const path = join(tempDir(), 'upkeep.db');
    const first = openStore(path).store;
    first.commit(aWorld('shop'));
    first.commit({ jobs: [aJob({ id: 'bad', run_id: 'run-of-shop' })], events: [anEvent(), anEvent()] });
    first.close();
    raw(path, "UPDATE jobs SET reason = CAST(x'ff' AS TEXT) WHERE id = 'bad'");
    raw(path, "UPDATE events SET evidence = 'no JSON' WHERE seq = 1");
    const { store } = openStore(path);
    expect(store.load()).toEqual(aWorld('shop'));
    expect(store.events({}).map(({ seq }) => seq)).toEqual([2]);
  });

  it('survives any damage without ending the process', () => {
    // libsql can end the process, so it is another one; and what it is told is the same in every run.
    const path = join(tempDir(), 'upkeep.db');
    makeDatabase(path, 200);
    const fixture = fileURLToPath(new URL('fixtures/open_damaged.mjs', import.meta.url));
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, [fixture, path, '60'], {
      encoding: 'utf8',
    });
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
    const { set_aside, opened, failures } = JSON.parse(stdout);
    expect(set_aside + opened).toBe(60);
    // The damage was neither always nor never so that opening notices it.
    expect(set_aside).toBeGreaterThan(10);
    expect(opened).toBeGreaterThan(10);
    expect(failures).toEqual([]);
  });
});

describe('a database that is damaged while it is in use', () => {
  it('is set aside, and rebuilt from memory', async () => {
    const path = join(tempDir(), 'upkeep.db');
    const pages = makeDatabase(path, 20_000);
    const { store, told } = openStore(path);
    store.commit({ events: [anEvent()] });
    garble(path, PAGE, (pages - 1) * PAGE);

    const events = store.events({});
    expect(events).toEqual([]);
    expect(told).toMatchObject([{ code: 'STORE_DEGRADED', evidence: { error: 'SQLITE_CORRUPT' } }]);
    expect(store.lost).toBe(true);
    const job = aJob(
      { id: 'job-of-shop', run_id: 'run-of-shop', restart_count: 4 },
      { phase: 'retrying', deadline: 5, next_attempt_at: 6, in_order: true },
    );
    const [kept] = store.commit({ jobs: [job], events: [anEvent()] });
    expect(kept?.seq).toBe(20_002);
    expect(store.retry()).toBe(false);
    expect(store.rebuild({ ...aWorld('shop'), jobs: [job] })).toBe(true);
    expect([store.degraded, store.lost, told.at(-1)]).toEqual([null, false, null]);
    expect(asides(path).length).toBeGreaterThan(0);

    // The old connection is closed by the garbage collector, and must not take the new one's files along.
    await collectGarbage();
    store.commit({ events: [anEvent()] });
    expect(fs.existsSync(`${path}-wal`)).toBe(true);
    const reader = Database.open(path, { files: fs, busy_timeout: 0 });
    onTestFinished(() => reader.close());
    expect(reader.number('max(seq)', 'FROM events')).toBe(20_003);
    expect(reader.number("quick_check = 'ok'", 'FROM pragma_quick_check')).toBe(1);
    store.close();
    const again = openStore(path).store;
    expect(again.opened.set_aside).toBeNull();
    expect(again.load()).toEqual({ ...aWorld('shop'), jobs: [asStored(job)] });
  });

  it('is found out where somebody has dropped a table', () => {
    const path = join(tempDir(), 'upkeep.db');
    const { store, clock } = openStore(path);
    store.commit(aWorld('shop'));
    raw(path, 'DROP TABLE events');
    store.commit({ events: [anEvent()] });
    expect(store.degraded).not.toBeNull();
    clock.advance(60_000);
    expect(store.retry()).toBe(false);
    expect(store.lost).toBe(true);
    expect(store.rebuild(aWorld('shop'))).toBe(true);
    expect(store.load()).toEqual(aWorld('shop'));
    expect(store.events({})).toHaveLength(1);
  });
});

/** What somebody with a tool of his own does to the database. */
function raw(path: string, sql: string): void {
  const database = Database.open(path, { files: fs, busy_timeout: 0 });
  database.exec(sql);
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
}
