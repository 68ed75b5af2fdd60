/**
 * Reads checked values out of a row. The file is upkeep's own, and still it may hold anything: a page can go bad
 * without SQLite noticing, and people open databases by hand.
 */
import type { SqlRow } from './database.ts';

/** A row that does not say what it should. */
export class UnreadableRow extends Error {
  override readonly name = 'UnreadableRow';
}

/** Says which column of a row is wrong, without its content: specs may hold secrets. */
export function unreadable(column: string, expected: string): UnreadableRow {
  return new UnreadableRow(`Cannot read column ${column} as it must be ${expected}`);
}

/** @throws {@link UnreadableRow} */
export function text<C extends string>(row: SqlRow<C>, column: C): string {
  const value = row[column];
  if (typeof value !== 'string') throw unreadable(column, 'text');
  return value;
}

/** @throws {@link UnreadableRow} */
export function textOrNull<C extends string>(row: SqlRow<C>, column: C): string | null {
  return row[column] === null ? null : text(row, column);
}

/** @throws {@link UnreadableRow} */
export function number<C extends string>(row: SqlRow<C>, column: C): number {
  const value = row[column];
  if (typeof value !== 'number') throw unreadable(column, 'a number');
  return value;
}

/** @throws {@link UnreadableRow} */
export function numberOrNull<C extends string>(row: SqlRow<C>, column: C): number | null {
  return row[column] === null ? null : number(row, column);
}

/** One word of a closed list. @throws {@link UnreadableRow} */
export function member<C extends string, T extends string>(row: SqlRow<C>, column: C, list: readonly T[]): T {
  const found = list.find((word) => word === row[column]);
  if (found === undefined) throw unreadable(column, `one of ${list.join(', ')}`);
  return found;
}

/** @throws {@link UnreadableRow} */
export function memberOrNull<C extends string, T extends string>(
  row: SqlRow<C>,
  column: C,
  list: readonly T[],
): T | null {
  return row[column] === null ? null : member(row, column, list);
}

/** JSON, whatever it holds. @throws {@link UnreadableRow} */
export function json<C extends string>(row: SqlRow<C>, column: C): unknown {
  try {
    return JSON.parse(text(row, column));
  } catch {
    throw unreadable(column, 'JSON');
  }
}

/** A JSON object. @throws {@link UnreadableRow} */
export function object<C extends string>(row: SqlRow<C>, column: C): Readonly<Record<string, unknown>> {
  const value = json(row, column);
  if (!isObject(value)) throw unreadable(column, 'a JSON object');
  return value;
}

/** True for an object that is neither null nor an array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Decodes what can be decoded and leaves out the rest: one bad row must not hide the others. */
export function readable<C extends string, T>(
  rows: readonly SqlRow<C>[],
  decode: (row: SqlRow<C>) => T,
): T[] {
  return rows.flatMap((row) => {
    try {
      return [decode(row)];
    } catch (error) {
      if (error instanceof UnreadableRow) return [];
      throw error;
    }
  });
}
