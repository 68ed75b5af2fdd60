/**
 * The marker: one variable in the environment of everything that a job starts, so that a process can be traced to
 * its job and incarnation even if upkeep died before it wrote down that it had spawned it.
 *
 * `UPKEEP_JOB=<instance>/<job>/<incarnation>`
 */

/** The marker's variable. */
export const MARKER = 'UPKEEP_JOB';

/**
 * A variable beside it: the start time of a process that would have begun when this one was spawned. The main process
 * itself may have stood by for longer, and upkeep may die before it writes anything down.
 */
export const SPAWNED = 'UPKEEP_SPAWNED';

/** What {@link SPAWNED} says; null for anything else. */
export function parseSpawned(value: string | undefined): number | null {
  return /^\d{1,15}$/.test(value ?? '') ? Number(value) : null;
}

/** What a marker says. `instance` tells upkeeps on one host apart: a hash of the state folder's real path. */
export interface Mark {
  readonly instance: string;
  readonly job_id: string;
  readonly incarnation: number;
}

/** The marker's value. */
export function formatMark(mark: Mark): string {
  return `${mark.instance}/${mark.job_id}/${mark.incarnation}`;
}

/**
 * Reads a marker; null for anything else, as any process may put anything into its environment.
 *
 * @example
 * ```ts
 * parseMark('1f2e/j1/3'); // { instance: '1f2e', job_id: 'j1', incarnation: 3 }
 * ```
 */
export function parseMark(value: string | undefined): Mark | null {
  const match = /^([0-9a-f]{1,64})\/([a-z0-9]{1,64})\/(0|[1-9]\d{0,9})$/.exec(value ?? '');
  const [, instance, job_id, incarnation] = match ?? [];
  if (instance === undefined || job_id === undefined || incarnation === undefined) return null;
  return { instance, job_id, incarnation: Number(incarnation) };
}
