/**
 * Jobs as rows. What every job has is a column each, under its own name; what only its phase has is one JSON column.
 *
 * A deadline is not stored: it is monotonic time, which means nothing to the next process. Reading gives 0 where
 * there was one (due at once, until recovery has said otherwise) and null where there was none.
 */
import { type Job, type JobBase, PHASES, type PhaseState, type StopCause, type Wanted } from '../job/job.ts';
import { REASON_CODES, type Reason } from '../job/reason.ts';
import type { Identity } from '../process/identity.ts';
import type { SqlRow, SqlValue } from './database.ts';
import * as read from './row_reader.ts';
import { encode, wholeMs, wholeMsOrNull } from './row_writer.ts';

/** The columns, in the order of {@link jobValues}. */
export const JOB_COLUMNS = [
  'id',
  'run_id',
  'service',
  'action',
  'wanted',
  'phase',
  'phase_state',
  'epoch',
  'restart_count',
  'attempt',
  'reason',
  'created_at',
  'started_at',
  'ready_at',
  'finished_at',
  'exit_code',
  'exit_signal',
  'spec_digest',
  'last_boot_id',
  'last_pid',
  'last_start_time',
] as const;

type JobRow = SqlRow<(typeof JOB_COLUMNS)[number]>;

const WANTED = ['up', 'down'] as const satisfies readonly Wanted[];
const STOP_CAUSES = [
  'requested',
  'fault',
  'given_up',
  'exit',
  'lost',
] as const satisfies readonly StopCause[];
const ESCALATIONS = ['term', 'kill', 'survived'] as const;

/** What is stored of a job. */
export function jobValues(job: Job): SqlValue[] {
  return [
    job.id,
    job.run_id,
    job.service,
    job.action,
    job.wanted,
    job.phase,
    phaseFields(job),
    job.epoch,
    job.restart_count,
    job.attempt,
    encode(job.reason),
    wholeMs(job.created_at),
    wholeMsOrNull(job.started_at),
    wholeMsOrNull(job.ready_at),
    wholeMsOrNull(job.finished_at),
    job.exit_code,
    job.exit_signal,
    job.spec_digest,
    job.last_identity?.boot_id,
    job.last_identity?.pid,
    job.last_identity?.start_time,
  ];
}

/**
 * The job that a row holds.
 *
 * @throws {@link UnreadableRow}
 */
export function jobFromRow(row: JobRow): Job {
  const base: JobBase = {
    id: read.text(row, 'id'),
    run_id: read.text(row, 'run_id'),
    service: read.text(row, 'service'),
    action: read.text(row, 'action'),
    wanted: read.member(row, 'wanted', WANTED),
    epoch: read.number(row, 'epoch'),
    restart_count: read.number(row, 'restart_count'),
    attempt: read.number(row, 'attempt'),
    reason: reasonFrom(row),
    created_at: read.number(row, 'created_at'),
    started_at: read.numberOrNull(row, 'started_at'),
    ready_at: read.numberOrNull(row, 'ready_at'),
    finished_at: read.numberOrNull(row, 'finished_at'),
    exit_code: read.numberOrNull(row, 'exit_code'),
    exit_signal: read.textOrNull(row, 'exit_signal'),
    spec_digest: read.textOrNull(row, 'spec_digest'),
    last_identity: lastIdentity(row),
  };
  return { ...base, ...phaseState(row) };
}

/** The fields that the job's phase owns, but for `deadline`; a deadline of null says that there is none. */
function phaseFields(job: Job): string {
  switch (job.phase) {
    case 'pending':
    case 'stopped':
    case 'succeeded':
    case 'failed':
      return '{}';
    case 'preparing':
      return job.step === 'reclaim'
        ? '{"step":"reclaim"}'
        : JSON.stringify({ step: job.step, incarnation: job.incarnation });
    case 'starting':
      return JSON.stringify({ identity: job.identity });
    case 'running': {
      const { identity, stable } = job;
      return JSON.stringify(
        job.deadline === null ? { identity, stable, deadline: null } : { identity, stable },
      );
    }
    case 'stopping': {
      const { identity, main_alive, cause, was_stable, escalation } = job;
      return JSON.stringify({ identity, main_alive, cause, was_stable, escalation });
    }
    case 'retrying':
      return JSON.stringify({ next_attempt_at: job.next_attempt_at });
  }
}

function phaseState(row: JobRow): PhaseState {
  const phase = read.member(row, 'phase', PHASES);
  const state = new Fields(read.object(row, 'phase_state'));
  switch (phase) {
    case 'pending':
    case 'stopped':
    case 'succeeded':
    case 'failed':
      return { phase };
    case 'preparing':
      return state.member('step', ['reclaim', 'spawn'] as const) === 'reclaim'
        ? { phase, step: 'reclaim', deadline: 0 }
        : { phase, step: 'spawn', incarnation: state.number('incarnation') };
    case 'starting':
      return { phase, identity: state.identity(), deadline: 0 };
    case 'running':
      return {
        phase,
        identity: state.identity(),
        stable: state.boolean('stable'),
        deadline: state.isNull('deadline') ? null : 0,
      };
    case 'stopping':
      return {
        phase,
        identity: state.identity(),
        main_alive: state.boolean('main_alive'),
        cause: state.member('cause', STOP_CAUSES),
        was_stable: state.boolean('was_stable'),
        escalation: state.member('escalation', ESCALATIONS),
        deadline: 0,
      };
    case 'retrying':
      // Whoever reads this has been away.
      return { phase, deadline: 0, next_attempt_at: state.number('next_attempt_at'), in_order: true };
  }
}

/** The checked fields of a stored phase. */
class Fields {
  readonly #object: Readonly<Record<string, unknown>>;

  constructor(object: Readonly<Record<string, unknown>>) {
    this.#object = object;
  }

  isNull(key: string): boolean {
    return this.#object[key] === null;
  }

  number(key: string): number {
    const value = this.#object[key];
    if (typeof value !== 'number') throw read.unreadable('phase_state', `with a number as ${key}`);
    return value;
  }

  boolean(key: string): boolean {
    const value = this.#object[key];
    if (typeof value !== 'boolean') throw read.unreadable('phase_state', `with a boolean as ${key}`);
    return value;
  }

  member<T extends string>(key: string, list: readonly T[]): T {
    const found = list.find((word) => word === this.#object[key]);
    if (found === undefined) throw read.unreadable('phase_state', `with one of ${list.join(', ')} as ${key}`);
    return found;
  }

  identity(): Identity {
    const value = this.#object['identity'];
    if (!read.isObject(value)) throw read.unreadable('phase_state', 'with an identity');
    const { boot_id, pid, start_time } = value;
    // What comes out of here may be signalled one day, after a further look at who has that pid.
    if (typeof boot_id !== 'string' || !Number.isSafeInteger(pid) || typeof start_time !== 'number') {
      throw read.unreadable('phase_state', 'with an identity');
    }
    return { boot_id, pid: pid as number, start_time };
  }
}

function lastIdentity(row: JobRow): Identity | null {
  if (row.last_pid === null) return null;
  return {
    boot_id: read.text(row, 'last_boot_id'),
    pid: read.number(row, 'last_pid'),
    start_time: read.number(row, 'last_start_time'),
  };
}

function reasonFrom(row: JobRow): Reason {
  const { code, message, evidence } = read.object(row, 'reason');
  const known = REASON_CODES.find((word) => word === code);
  if (known === undefined || typeof message !== 'string' || !read.isObject(evidence)) {
    throw read.unreadable('reason', 'a reason');
  }
  return { code: known, message, evidence };
}
