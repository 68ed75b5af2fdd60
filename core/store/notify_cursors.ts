/**
 * How far each rule of `notify` has come in the events: what a rule goes on from when upkeep is started again.
 */
import type { Database } from './database.ts';
import { number, readable, text } from './row_reader.ts';

/** The `seq` of the last event that is done with, by the key of the rule. */
export type NotifyCursors = ReadonlyMap<string, number>;

/** The columns. */
export const CURSOR_COLUMNS = ['rule', 'seq'] as const;

/** @throws {@link DatabaseError} */
export function readCursors(database: Database): NotifyCursors {
  const rows = database.select(CURSOR_COLUMNS, 'FROM notify_cursors');
  return new Map(readable(rows, (row) => [text(row, 'rule'), number(row, 'seq')] as const));
}

/** Puts these in the place of all that there are. @throws {@link DatabaseError} */
export function writeCursors(database: Database, cursors: NotifyCursors): void {
  database.transaction(() => {
    database.run('DELETE FROM notify_cursors');
    for (const [rule, seq] of cursors) {
      database.run('INSERT INTO notify_cursors (rule, seq) VALUES (?, ?)', [rule, seq]);
    }
  });
}
