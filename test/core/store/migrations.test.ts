import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Database, type SqlValue } from '../../../core/store/database.ts';
import { JOB_COLUMNS, jobValues } from '../../../core/store/job_rows.ts';
import { MIGRATIONS, migrate, NewerDatabase } from '../../../core/store/migrations.ts';
import {
  EVENT_COLUMNS,
  eventValues,
  RUN_COLUMNS,
  runValues,
  SERVICE_COLUMNS,
  serviceValues,
} from '../../../core/store/record_rows.ts';
import { Store } from '../../../core/store/store.ts';
import { FakeClock } from '../../support/fake_clock.ts';
import {
  aJob,
  anEvent,
  aRun,
  aService,
  asStored,
  beside,
  openStore,
  PHASE_STATES,
  tempDir,
} from './support.ts';

/** Which columns came with which version. */
const COLUMN_SINCE: Readonly<Record<string, number>> = {
  'jobs.restart_count': 2,
  'events.cause': 3,
  'jobs.spec_digest': 4,
};

const JOBS = PHASE_STATES.map((state, i) => aJob({ id: `job-${i}`, run_id: 'run-of-shop' }, state));
const EVENTS = [1, 2, 3].map((seq) => ({ ...anEvent({ cause: seq > 1 ? seq - 1 : null }), seq }));

/** A database as an upkeep of that version left it. */
function makeVersion(path: string, version: number): void {
  const database = Database.open(path, { files: fs, busy_timeout: 0 });
  database.exec('PRAGMA journal_mode = WAL');
  migrate(database, version);
  const insert = (table: string, columns: readonly string[], rows: SqlValue[][]): void => {
    const known = columns.filter((column) => (COLUMN_SINCE[`${table}.${column}`] ?? 1) <= version);
    const names = known.map((column) => `"${column}"`).join();
    for (const row of rows) {
      const values = known.map((column) => row[columns.indexOf(column)]);
      database.run(`INSERT INTO ${table} (${names}) VALUES (${known.map(() => '?').join()})`, values);
    }
  };
  insert('services', SERVICE_COLUMNS, [serviceValues(aService('shop', { wanted: 'down' }))]);
  insert('runs', RUN_COLUMNS, [runValues(aRun('shop'))]);
  insert('jobs', JOB_COLUMNS, JOBS.map(jobValues));
  insert('events', EVENT_COLUMNS, EVENTS.map(eventValues));
  database.close();
}

describe('migrations', () => {
  it.each(MIGRATIONS.map((_, i) => i + 1))('take a database of version %i as it is', (version) => {
    const path = join(tempDir(), 'upkeep.db');
    makeVersion(path, version);
    const { store } = openStore(path);

    expect(store.degraded).toBeNull();
    expect(store.opened).toEqual({ created: false, set_aside: null, lost: null });
    const { services, runs, jobs } = store.load();
    expect(services).toEqual([aService('shop', { wanted: 'down' })]);
    expect(runs).toEqual([aRun('shop')]);
    const counted = (count: number) => (version < 2 ? 0 : count);
    const known = (digest: string | null) => (version < 4 ? null : digest);
    const expected = JOBS.map((job) =>
      asStored({
        ...job,
        restart_count: counted(job.restart_count),
        spec_digest: known(job.spec_digest),
      }),
    );
    expect(
      jobs.toSorted(
        (a, b) => JOBS.findIndex(({ id }) => id === a.id) - JOBS.findIndex(({ id }) => id === b.id),
      ),
    ).toEqual(expected);
    expect(store.events({})).toEqual(
      EVENTS.map((event) => (version < 3 ? { ...event, cause: null } : event)),
    );

    // It is of the newest version now: everything can be written, and read once more.
    const [job] = jobs;
    if (job === undefined) throw new Error('no job was loaded');
    const written = { ...job, restart_count: 9, spec_digest: 'fedcba9876543210' };
    const [event] = store.commit({ jobs: [written], events: [anEvent({ cause: 3 })] });
    expect(event?.seq).toBe(4);
    store.close();
    const again = openStore(path).store;
    expect(again.jobs({ id: job.id })).toMatchObject([{ restart_count: 9, spec_digest: 'fedcba9876543210' }]);
    expect(again.events({ after: 3 })).toMatchObject([{ cause: 3 }]);
  });

  it('starts with a version that does not count restarts', () => {
    expect(MIGRATIONS[0]).not.toContain('restart_count');
  });

  it('do nothing to a database of the newest version', () => {
    const database = Database.open(join(tempDir(), 'upkeep.db'), { files: fs, busy_timeout: 0 });
    migrate(database);
    const changes = database.number('total_changes()');
    migrate(database);
    expect(database.number('total_changes()')).toBe(changes);
    expect(database.number('user_version', 'FROM pragma_user_version')).toBe(MIGRATIONS.length);
    database.close();
  });

  it('refuse a newer database and leave it alone', () => {
    const path = join(tempDir(), 'upkeep.db');
    const database = Database.open(path, { files: fs, busy_timeout: 0 });
    database.exec(`CREATE TABLE jobs (future); PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    database.close();
    const before = fs.readFileSync(path);

    const host = { files: fs, clock: new FakeClock() };
    const open = () => Store.open({ path, host, onDegraded: () => {} });
    expect(open).toThrow(NewerDatabase);
    expect(open).toThrow(
      `its version must be ${MIGRATIONS.length} or less: current value is ${MIGRATIONS.length + 1}`,
    );
    expect(fs.readFileSync(path).equals(before)).toBe(true);
    expect(beside(path)).toEqual([]);
  });
});
