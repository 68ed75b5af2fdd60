import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Database, type DatabaseError, type SqlValue } from '../../../core/store/database.ts';
import { tempDir } from './support.ts';

function open(path = join(tempDir(), 'test.db')): Database {
  const database = Database.open(path, { files: fs, busy_timeout: 0 });
  onTestFinished(() => database.close());
  return database;
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as DatabaseError).code;
  }
  return 'none';
}

describe('Database', () => {
  it.each<[SqlValue, string | number | null]>([
    ['text', 'text'],
    ['', ''],
    ['a\0b', 'a\0b'],
    ['"quoted" \\ \n é 😀', '"quoted" \\ \n é 😀'],
    [0, 0],
    [-1.5, -1.5],
    [1_700_000_000_000, 1_700_000_000_000],
    [true, 1],
    [false, 0],
    [null, null],
    [undefined, null],
  ])('stores %j and reads %j', (value, expected) => {
    const database = open();
    database.exec('CREATE TABLE t (value)');
    expect(database.run('INSERT INTO t VALUES (?)', [value])).toBe(1);
    expect(database.select(['value'], 'FROM t')).toEqual([{ value: expected }]);
  });

  it.each<[string, unknown]>([
    ['a Buffer', Buffer.from('x')],
    ['a Uint8Array', new Uint8Array(1)],
    ['a Date', new Date(0)],
    ['an object', { a: true }],
    ['an array', [1]],
    ['a bigint', 1n],
    ['a symbol', Symbol('x')],
    ['a function', () => 1],
  ])('refuses %s, which libsql would end the process on', (_kind, value) => {
    const database = open();
    database.exec('CREATE TABLE t (value)');
    expect(() => database.run('INSERT INTO t VALUES (?)', [value as SqlValue])).toThrow(TypeError);
    expect(() => database.select(['value'], 'FROM t WHERE value = ?', [value as SqlValue])).toThrow(
      TypeError,
    );
  });

  it('reads text that is no valid UTF-8, which libsql would end the process on', () => {
    const database = open();
    database.exec("CREATE TABLE t (value); INSERT INTO t VALUES (CAST(x'ff41' AS TEXT))");
    expect(database.select(['value'], 'FROM t')).toEqual([{ value: '\ufffdA' }]);
  });

  it('reads columns whose names are keywords', () => {
    const database = open();
    database.exec(`CREATE TABLE t ("from", "to"); INSERT INTO t VALUES ('a', 'b')`);
    expect(database.select(['to', 'from'], 'FROM t')).toEqual([{ to: 'b', from: 'a' }]);
  });

  it('reads integers to the last digit', () => {
    const database = open();
    database.exec('CREATE TABLE t (value INTEGER) STRICT');
    database.run('INSERT INTO t VALUES (?)', [Number.MAX_SAFE_INTEGER]);
    expect(database.select(['value'], 'FROM t')).toEqual([{ value: Number.MAX_SAFE_INTEGER }]);
  });

  it('reads one number, and null where there is none', () => {
    const database = open();
    expect(database.number('1 + 1')).toBe(2);
    expect(database.number('max(x)', 'FROM (SELECT 1 AS x WHERE 0)')).toBeNull();
    expect(database.number('1', 'WHERE 0')).toBeNull();
  });

  it('undoes the whole transaction where something in it throws', () => {
    const database = open();
    database.exec('CREATE TABLE t (value UNIQUE)');
    const twice = () => {
      database.run('INSERT INTO t VALUES (1)');
      database.run('INSERT INTO t VALUES (1)');
    };
    expect(codeOf(() => database.transaction(twice))).toBe('SQLITE_CONSTRAINT');
    expect(database.number('count(*)', 'FROM t')).toBe(0);
    expect(database.transaction(() => database.run('INSERT INTO t VALUES (2)'))).toBe(1);
    expect(database.number('count(*)', 'FROM t')).toBe(1);
  });

  it('names what went wrong', () => {
    const dir = tempDir();
    fs.writeFileSync(
      join(dir, 'text'),
      'this is no database, and it is long enough to be seen as none'.repeat(20),
    );
    expect(codeOf(() => open(dir))).toBe('SQLITE_CANTOPEN');
    expect(codeOf(() => open(join(dir, 'missing', 'test.db')))).toBe('SQLITE_CANTOPEN');
    expect(codeOf(() => open(join(dir, 'text')).number('count(*)', 'FROM sqlite_schema'))).toBe(
      'SQLITE_NOTADB',
    );
    expect(codeOf(() => open().exec('SELEC'))).toBe('SQLITE_ERROR');
    const path = join(dir, 'busy.db');
    open(path).exec('BEGIN EXCLUSIVE');
    expect(codeOf(() => open(path).exec('BEGIN EXCLUSIVE'))).toBe('SQLITE_BUSY');
  });

  it('throws, and nothing worse, once it is closed', () => {
    const database = open();
    database.close();
    expect(codeOf(() => database.exec('SELECT 1'))).toBe('SQLITE_MISUSE');
    expect(codeOf(() => database.select(['value'], 'FROM t'))).toBe('SQLITE_MISUSE');
    expect(codeOf(() => database.transaction(() => {}))).toBe('SQLITE_MISUSE');
    database.close();
  });

  it('makes files that only their owner can read', () => {
    const before = process.umask(0);
    onTestFinished(() => void process.umask(before));
    const path = join(tempDir(), 'test.db');
    open(path).exec('PRAGMA journal_mode = WAL; CREATE TABLE t (value)');
    for (const file of [path, `${path}-wal`, `${path}-shm`]) {
      expect(fs.statSync(file).mode & 0o777, file).toBe(0o600);
    }
  });
});
