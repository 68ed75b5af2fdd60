/**
 * Logs: straight to the file, rotated without losing a byte, bounded, and read back by time, line or incarnation.
 */
export type { OpenedLog } from './job_log.ts';
export type { LineQuery, LogLine, SearchBudget, SearchQuery } from './line_query.ts';
export type { LogJob, LogPolicy } from './log_job.ts';
export { Logs } from './logs.ts';
export type { LogsOptions } from './options.ts';
export { parseSpot } from './spot.ts';
