import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Database } from '../../../core/store/database.ts';
import { migrate } from '../../../core/store/migrations.ts';
import { openStore, tempDir } from './support.ts';

describe('how far the rules of notify have come', () => {
  it('is kept, each time as a whole', () => {
    const path = join(tempDir(), 'upkeep.db');
    const { store } = openStore(path);
    expect(store.notifyCursors()).toEqual(new Map());
    store.keepNotifyCursors(
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    );
    store.keepNotifyCursors(
      new Map([
        ['b', 5],
        ['c', 3],
      ]),
    );
    expect(store.notifyCursors()).toEqual(
      new Map([
        ['b', 5],
        ['c', 3],
      ]),
    );
    store.close();
    expect(openStore(path).store.notifyCursors()).toEqual(
      new Map([
        ['b', 5],
        ['c', 3],
      ]),
    );
  });

  it('has a place in a database of before', () => {
    const path = join(tempDir(), 'upkeep.db');
    const database = Database.open(path, { files: fs, busy_timeout: 0 });
    migrate(database, 3);
    database.close();
    const { store } = openStore(path);
    store.keepNotifyCursors(new Map([['a', 1]]));
    expect(store.notifyCursors()).toEqual(new Map([['a', 1]]));
    expect(store.degraded).toBeNull();
  });

  it('is not written while the store is degraded, and is when it is said again', () => {
    const path = join(tempDir(), 'upkeep.db');
    const { store } = openStore(path);
    store.keepNotifyCursors(new Map([['a', 1]]));
    const other = Database.open(path, { files: fs, busy_timeout: 0 });
    onTestFinished(() => other.close());
    other.exec('BEGIN IMMEDIATE');
    // It is the first to find out, and throws nothing.
    store.keepNotifyCursors(new Map([['a', 2]]));
    expect(store.degraded).not.toBeNull();
    store.keepNotifyCursors(new Map([['a', 3]]));
    other.exec('ROLLBACK');
    expect(store.retry()).toBe(true);
    expect(store.notifyCursors()).toEqual(new Map([['a', 1]]));
    store.keepNotifyCursors(new Map([['a', 4]]));
    expect(store.notifyCursors()).toEqual(new Map([['a', 4]]));
  });
});
