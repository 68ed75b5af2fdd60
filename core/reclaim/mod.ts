/**
 * Reclaim: making an action's claims free before it is spawned, by what it is allowed to and nothing else.
 *
 * `observe` → `planReclaim` → `reclaim`: looks, a pure plan, and the runner that carries it out.
 */

export type { ProbeStats } from './asked_probe.ts';
export { classify, type HolderClass, type KnownProcess, type OwningJob } from './holder_class.ts';
export { type HolderAnswer, type HolderLookUp, ProbeHost } from './look_up.ts';
export type { Observations, ObservedClaim, ObservedPidFile } from './observations.ts';
export { observe } from './observe.ts';
export { readPidFile, removePidFileIfOurs, writePidFile } from './pid_file.ts';
export { planReclaim, type ReclaimPlan, type ReclaimStep } from './plan.ts';
export { type ReclaimResult, reclaim } from './reclaim.ts';
export type { JobName, ReclaimTarget, ReclaimWorld } from './target.ts';
export { CLOCK_TOLERANCE } from './vet.ts';
