/**
 * How grave an event is, for clients that follow what happens as log messages.
 */
import type { ReasonCode } from '../../core/job/reason.ts';
import type { EventRecord } from '../../core/store/records.ts';
import type { LogLevel } from './face.ts';

const ERRORS: ReadonlySet<ReasonCode> = new Set([
  'GAVE_UP',
  'STORE_DEGRADED',
  'INTERNAL_ERROR',
  'PLUGIN_QUARANTINED',
  'SURVIVORS',
] as const);

const NOTICES: ReadonlySet<ReasonCode> = new Set([
  'REQUESTED',
  'READY',
  'HEALTHY',
  'ADOPTED',
  'SHUTDOWN',
  'WANTED_DOWN',
  'SPEC_CHANGED',
  'DEPENDENCY_WAIT',
] as const);

/** The level of an event: `error` for what upkeep cannot mend, `warning` for what it mends. */
export function levelOf({ code, to }: Pick<EventRecord, 'code' | 'to'>): LogLevel {
  if (ERRORS.has(code) || to === 'failed') return 'error';
  return NOTICES.has(code) || to === 'running' || to === 'succeeded' ? 'info' : 'warning';
}
