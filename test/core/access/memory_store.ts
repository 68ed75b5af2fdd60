/**
 * As much of a store as tokens and the audit need, on a database in memory.
 */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from '../../../core/store/database.ts';
import { migrate } from '../../../core/store/migrations.ts';
import type { Store } from '../../../core/store/store.ts';

/** Works until it is told not to; how often it was written to is counted. */
export class MemoryAccessStore implements Pick<Store, 'ask' | 'tell'> {
  works = true;
  writes = 0;
  readonly database: Database = inMemory();

  ask<T>(question: (database: Database) => T, nothing: T): T {
    return this.works ? question(this.database) : nothing;
  }

  tell(work: (database: Database) => void): boolean {
    if (!this.works) return false;
    this.writes += 1;
    work(this.database);
    return true;
  }
}

function inMemory(): Database {
  const dir = fs.mkdtempSync(join(tmpdir(), 'upkeep-access-'));
  const database = Database.open(join(dir, 'a.db'), { files: fs, busy_timeout: 0 });
  // It goes on as a file without a name.
  fs.rmSync(dir, { recursive: true });
  database.exec('PRAGMA journal_mode = MEMORY');
  migrate(database);
  return database;
}
