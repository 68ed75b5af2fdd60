/**
 * The order among the actions of a service: who may start, who may stop, and what the others wait for. Pure.
 */
import { atRest, type Job } from '../job/job.ts';
import { type Reason, reason } from '../job/reason.ts';
import type { ServiceSpec } from '../spec/mod.ts';

/** What the order says to one job. */
export type Gate =
  | { readonly job: Job; readonly verdict: 'cleared' }
  | { readonly job: Job; readonly verdict: 'waiting'; readonly reason: Reason };

/**
 * Which jobs of a service may go on now, and what keeps the others. A job starts when all that it comes `after` are
 * ready (or have succeeded), and stops when all that come after it are at rest.
 */
export function gates(spec: ServiceSpec, jobs: readonly Job[], halting: boolean): Gate[] {
  const byAction = new Map(jobs.map((job) => [job.action, job]));
  return jobs.flatMap((job): Gate[] => {
    const down = halting || job.wanted === 'down';
    if (job.phase === 'pending' && !down && spec.actions[job.action] !== undefined) {
      const why = startBlocker(spec, job, byAction);
      return why === null ? [{ job, verdict: 'cleared' }] : [{ job, verdict: 'waiting', reason: why }];
    }
    if ((job.phase === 'starting' || job.phase === 'running') && down) {
      const blocked = jobs.some((other) => !atRest(other) && dependsOn(spec, other.action, job.action));
      return blocked ? [] : [{ job, verdict: 'cleared' }];
    }
    return [];
  });
}

function dependsOn(spec: ServiceSpec, action: string, on: string): boolean {
  return spec.actions[action]?.after.includes(on) ?? false;
}

function startBlocker(spec: ServiceSpec, job: Job, byAction: ReadonlyMap<string, Job>): Reason | null {
  for (const name of spec.actions[job.action]?.after ?? []) {
    const needed = byAction.get(name);
    if (needed === undefined || needed.phase === 'succeeded') continue;
    // A oneshot that runs has not done yet what the others wait for.
    if (needed.phase === 'running' && spec.actions[name]?.process) continue;
    const evidence = { action: name, phase: needed.phase };
    return needed.phase === 'failed'
      ? reason('DEPENDENCY_FAILED', `'${name}', which it comes after, has failed`, evidence)
      : reason('DEPENDENCY_WAIT', `waits for '${name}'`, evidence);
  }
  return null;
}
