/**
 * The job: what it is (`job`), what can happen to it (`event`), what it is to be treated by (`policy`), what is
 * decided (`machine`, by its `table`), why it is where it is (`reason`), and what several of them come to
 * (`service_state`).
 */
export * from './event.ts';
export * from './job.ts';
export * from './machine.ts';
export * from './policy.ts';
export * from './reason.ts';
export * from './service_state.ts';
export type { Context, Step } from './step.ts';
export { TABLE, type Table } from './table.ts';
