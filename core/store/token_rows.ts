/**
 * Tokens as rows. Of a token itself only a hash is stored.
 */
import { SCOPES, type Scope } from '../access/scope.ts';
import type { Database } from './database.ts';
import { member, number, numberOrNull, readable, text } from './row_reader.ts';
import { wholeMs, wholeMsOrNull } from './row_writer.ts';

/** What is stored of a token. Times are ms since the epoch. */
export interface TokenRow {
  readonly name: string;
  /** SHA-256 of the token, in hex. */
  readonly hash: string;
  readonly scope: Scope;
  readonly created_at: number;
  /** Null where it does not end by itself. */
  readonly expires_at: number | null;
  /** As of the last time that it was written down, which is not at each request. */
  readonly last_used_at: number | null;
  /** Null while it has not been revoked. */
  readonly revoked_at: number | null;
}

/** The columns. */
export const TOKEN_COLUMNS = [
  'name',
  'hash',
  'scope',
  'created_at',
  'expires_at',
  'last_used_at',
  'revoked_at',
] as const;

const INSERT = `INSERT INTO tokens (${TOKEN_COLUMNS.join(', ')}) VALUES (${TOKEN_COLUMNS.map(() => '?').join(', ')})`;

/** By name. A row that cannot be read gives nobody access. @throws {@link DatabaseError} */
export function readTokens(database: Database): TokenRow[] {
  return readable(database.select(TOKEN_COLUMNS, 'FROM tokens ORDER BY name'), (row) => ({
    name: text(row, 'name'),
    hash: text(row, 'hash'),
    scope: member(row, 'scope', SCOPES),
    created_at: number(row, 'created_at'),
    expires_at: numberOrNull(row, 'expires_at'),
    last_used_at: numberOrNull(row, 'last_used_at'),
    revoked_at: numberOrNull(row, 'revoked_at'),
  }));
}

/** Puts these in the place of all that there are. @throws {@link DatabaseError} */
export function writeTokens(database: Database, tokens: readonly TokenRow[]): void {
  database.transaction(() => {
    database.run('DELETE FROM tokens');
    for (const token of tokens) {
      const { name, hash, scope, created_at, expires_at, last_used_at, revoked_at } = token;
      database.run(INSERT, [
        name,
        hash,
        scope,
        wholeMs(created_at),
        wholeMsOrNull(expires_at),
        wholeMsOrNull(last_used_at),
        wholeMsOrNull(revoked_at),
      ]);
    }
  });
}
