/**
 * The audit as rows: one for each command, whatever came of it.
 */
import type { Database } from './database.ts';
import type { Actor } from './records.ts';
import { member, number, numberOrNull, readable, text, textOrNull } from './row_reader.ts';
import { wholeMs } from './row_writer.ts';

/** How a command ended: it was carried out, it was not even begun, or it went wrong on the way. */
export const OUTCOMES = ['done', 'refused', 'failed'] as const;

/** One of {@link OUTCOMES}. */
export type Outcome = (typeof OUTCOMES)[number];

/** A command and what came of it. Of its input there is only what it was aimed at: the rest may be secret. */
export interface AuditRecord {
  /** Rises by one with each record; the cursor of the list. */
  readonly seq: number;
  /** When it came, ms since the epoch. */
  readonly time: number;
  readonly operation: string;
  /** The service, job or token that it names; null where it names none. */
  readonly target: string | null;
  readonly actor: Actor;
  /** By what right: the name of a token, or `unix` for whoever may open the socket. */
  readonly principal: string;
  readonly outcome: Outcome;
  /** The code of the error; null where it was done. */
  readonly code: string | null;
  /** Ms until its outcome. */
  readonly duration: number | null;
}

/** The columns. */
export const AUDIT_COLUMNS = [
  'seq',
  'time',
  'operation',
  'target',
  'actor',
  'principal',
  'outcome',
  'code',
  'duration',
] as const;

// Written again where it was in doubt whether it had been: the same number is the same record.
const INSERT = `INSERT INTO audit (${AUDIT_COLUMNS.join(', ')}) VALUES (${AUDIT_COLUMNS.map(() => '?').join(', ')}) ON CONFLICT DO NOTHING`;

/** Which records. */
export interface AuditQuery {
  /** Only records with a greater `seq`. */
  readonly after?: number;
  /** The newest so many, in rising order, where `after` is not given; else the first so many after it. */
  readonly limit?: number;
}

/** In rising order. @throws {@link DatabaseError} */
export function readAudit(database: Database, { after, limit = -1 }: AuditQuery): AuditRecord[] {
  const rows =
    after === undefined
      ? database.select(AUDIT_COLUMNS, 'FROM audit ORDER BY seq DESC LIMIT ?', [limit]).reverse()
      : database.select(AUDIT_COLUMNS, 'FROM audit WHERE seq > ? ORDER BY seq LIMIT ?', [after, limit]);
  return readable(rows, (row) => ({
    seq: number(row, 'seq'),
    time: number(row, 'time'),
    operation: text(row, 'operation'),
    target: textOrNull(row, 'target'),
    actor: text(row, 'actor') as Actor,
    principal: text(row, 'principal'),
    outcome: member(row, 'outcome', OUTCOMES),
    code: textOrNull(row, 'code'),
    duration: numberOrNull(row, 'duration'),
  }));
}

/** The number of the newest record; 0 where there is none. @throws {@link DatabaseError} */
export function lastAudit(database: Database): number {
  return database.number('max(seq)', 'FROM audit') ?? 0;
}

/** All of them or none. @throws {@link DatabaseError} */
export function writeAudit(database: Database, records: readonly AuditRecord[]): void {
  database.transaction(() => {
    for (const record of records) {
      const { seq, operation, target, actor, principal, outcome, code, duration } = record;
      const time = wholeMs(record.time);
      database.run(INSERT, [seq, time, operation, target, actor, principal, outcome, code, duration]);
    }
  });
}
