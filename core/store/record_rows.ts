/**
 * Services, runs and events as rows: their fields are their columns, one for one.
 */
import { PHASES } from '../job/job.ts';
import { REASON_CODES } from '../job/reason.ts';
import type { SqlRow, SqlValue } from './database.ts';
import type { Actor, EventRecord, RunRow, ServiceRow } from './records.ts';
import * as read from './row_reader.ts';
import { encode, wholeMs, wholeMsOrNull } from './row_writer.ts';

/** The columns, in the order of {@link serviceValues}. */
export const SERVICE_COLUMNS = ['name', 'spec', 'wanted', 'run_id', 'updated_at'] as const;

/** What is stored of a service. */
export function serviceValues(row: ServiceRow): SqlValue[] {
  return [row.name, encode(row.spec), row.wanted, row.run_id, wholeMs(row.updated_at)];
}

/** @throws {@link UnreadableRow} */
export function serviceFromRow(row: SqlRow<(typeof SERVICE_COLUMNS)[number]>): ServiceRow {
  return {
    name: read.text(row, 'name'),
    spec: read.json(row, 'spec'),
    wanted: read.member(row, 'wanted', ['up', 'down']),
    run_id: read.textOrNull(row, 'run_id'),
    updated_at: read.number(row, 'updated_at'),
  };
}

/** The columns, in the order of {@link runValues}. */
export const RUN_COLUMNS = ['id', 'service', 'started_at', 'finished_at'] as const;

/** What is stored of a run. */
export function runValues(row: RunRow): SqlValue[] {
  return [row.id, row.service, wholeMs(row.started_at), wholeMsOrNull(row.finished_at)];
}

/** @throws {@link UnreadableRow} */
export function runFromRow(row: SqlRow<(typeof RUN_COLUMNS)[number]>): RunRow {
  return {
    id: read.text(row, 'id'),
    service: read.text(row, 'service'),
    started_at: read.number(row, 'started_at'),
    finished_at: read.numberOrNull(row, 'finished_at'),
  };
}

/** The columns, in the order of {@link eventValues}. */
export const EVENT_COLUMNS = [
  'seq',
  'time',
  'service',
  'action',
  'job_id',
  'incarnation',
  'from',
  'to',
  'code',
  'message',
  'evidence',
  'actor',
  'cause',
] as const;

/** What is stored of an event. */
export function eventValues(event: EventRecord): SqlValue[] {
  return [
    event.seq,
    wholeMs(event.time),
    event.service,
    event.action,
    event.job_id,
    event.incarnation,
    event.from,
    event.to,
    event.code,
    event.message,
    encode(event.evidence),
    event.actor,
    event.cause,
  ];
}

/** @throws {@link UnreadableRow} */
export function eventFromRow(row: SqlRow<(typeof EVENT_COLUMNS)[number]>): EventRecord {
  return {
    seq: read.number(row, 'seq'),
    time: read.number(row, 'time'),
    service: read.textOrNull(row, 'service'),
    action: read.textOrNull(row, 'action'),
    job_id: read.textOrNull(row, 'job_id'),
    incarnation: read.numberOrNull(row, 'incarnation'),
    from: read.memberOrNull(row, 'from', PHASES),
    to: read.memberOrNull(row, 'to', PHASES),
    code: read.member(row, 'code', REASON_CODES),
    message: read.text(row, 'message'),
    evidence: read.object(row, 'evidence'),
    // Any text: clients and plugins name themselves in it.
    actor: read.text(row, 'actor') as Actor,
    cause: read.numberOrNull(row, 'cause'),
  };
}
