/**
 * Looking at a service for a heal plan. Reads only.
 */

import { presentReason } from '../health/illness.ts';
import type { Host } from '../host/host.ts';
import { identityOf, type Job } from '../job/job.ts';
import type { Reason } from '../job/reason.ts';
import { launchObstacle } from '../process/launch.ts';
import { isOwnProcess } from '../process/own_tree.ts';
import { disproves, judgeClaim } from '../readiness/judge.ts';
import { type Observations, observe, type ReclaimTarget, type ReclaimWorld } from '../reclaim/mod.ts';
import { claimsOf } from '../spec/mod.ts';
import type { JobWatch } from '../supervisor/job_watch.ts';
import { type JobRuntime, type ServiceRuntime, wantedOf } from '../supervisor/runtime.ts';
import { type ActionFacts, BEFORE_A_START, type HeldClaim, healState, type ServiceFacts } from './facts.ts';
import { illness } from './plan.ts';

/** What a look needs. */
export interface LookPorts {
  readonly host: Host;
  readonly world: ReclaimWorld;
  readonly watch: Pick<JobWatch, 'checks' | 'health'>;
  /** What reclaim knows of a job. */
  reclaimTarget(runtime: JobRuntime): ReclaimTarget;
}

/** What changes while it is looked at, or seems to be lost, is looked at again, so many times in all. */
const LOOKS = 3;
/** Ms between two looks at claims that seem to be lost. */
const PAUSE = 100;

/**
 * Looks at every action of a service: its job, who holds what it claims, and what its next start would find in its way.
 */
export async function lookAtService(service: ServiceRuntime, ports: LookPorts): Promise<ServiceFacts> {
  const actions = await Promise.all(service.jobs.map((runtime) => lookAtAction(runtime, ports)));
  return { service: service.row.name, wanted: wantedOf(service), actions };
}

/** Looks at one action. */
export async function lookAtAction(runtime: JobRuntime, ports: LookPorts): Promise<ActionFacts> {
  for (let looks = 1; ; looks++) {
    const before = keyOf(runtime.job);
    const facts = await lookOnce(runtime, ports);
    if (looks === LOOKS || keyOf(runtime.job) === before) return facts;
  }
}

/** What a look is of: a job that merely waits on is the same. */
function keyOf(job: Job): string {
  return `${healState(job)} ${job.reason.code} ${identityOf(job)?.pid ?? ''} ${job.restart_count}`;
}

async function lookOnce(runtime: JobRuntime, ports: LookPorts): Promise<ActionFacts> {
  const { job, spec } = runtime;
  const { host, watch } = ports;
  const state = healState(job);
  const target = ports.reclaimTarget(runtime);
  const facts: ActionFacts = {
    action: job.action,
    job_id: job.id,
    process: spec.process,
    state,
    reason: presentReason(job, watch.checks(job.id)),
    failing: job.attempt > 0 || state === 'failed',
    identity: identityOf(job),
    health: watch.health(job.id),
    claims: state === 'running' ? await heldClaims(runtime, ports) : [],
    obstacle: null,
    reclaim: null,
  };
  if (!BEFORE_A_START.has(state) && illness(facts) === null) return facts;
  const seen = await observe(target, ports.world);
  return {
    ...facts,
    // Only confirms what a try has found: a PATH from an env_file is not known here.
    obstacle: couldNotStart(job) ? launchObstacle(spec, target.search_path, host.files) : null,
    reclaim: { target, seen: state === 'running' ? withoutItself(seen, job) : seen },
  };
}

/** Its last try ended before there was a process. */
function couldNotStart({ reason }: Job): boolean {
  const last = (reason.evidence['last_failure'] as Reason | undefined) ?? reason;
  return last.code === 'COMMAND_NOT_FOUND' || last.code === 'SPAWN_FAILED';
}

/** Who holds the claims of a job that runs. Nobody is asked where nobody has to hold them. */
async function heldClaims(
  { job, spec, sessions }: JobRuntime,
  { host, world }: LookPorts,
): Promise<HeldClaim[]> {
  const main = identityOf(job);
  const claims = claimsOf(spec);
  const mode = spec.ready.claims;
  if (main === null || claims.length === 0 || mode === 'none') return [];
  const tree = { job_id: job.id, incarnation: job.restart_count, main, sessions };
  for (let looks = 1; ; looks++) {
    const seen = await world.probes.lookUp(claims, { suspects: [main.pid], exhaustive: true });
    const held = claims.map((claim): HeldClaim => {
      const verdict = judgeClaim(claim, seen, (pid) => isOwnProcess(pid, tree, host.processes));
      return { claim, verdict, lost: disproves(verdict, mode) };
    });
    // A service that opens its socket anew has none for a moment: one look is no proof of a loss.
    if (looks === LOOKS || !held.some(({ lost }) => lost)) return held;
    await new Promise<void>((resolve) => host.clock.timer(PAUSE, resolve));
  }
}

/** What the running incarnation has is no obstacle: it is stopped before the next one begins. */
function withoutItself(seen: Observations, { id, restart_count }: Job): Observations {
  const isItself = (process: Observations['left_behind'][number] | null): boolean =>
    process?.job?.job_id === id && process.job.incarnation === restart_count;
  return {
    ...seen,
    pid_file: seen.pid_file.state === 'names' && isItself(seen.pid_file.process) ? ABSENT : seen.pid_file,
    left_behind: seen.left_behind.filter((process) => !isItself(process)),
    matched: seen.matched.filter(({ process }) => !isItself(process)),
    claims: seen.claims.map((claim) => {
      if (claim.state !== 'held') return claim;
      const holders = claim.holders.filter(({ process }) => !isItself(process));
      if (holders.length > 0 || claim.holders.length === 0) return { ...claim, holders };
      return { claim: claim.claim, own: claim.own, state: 'free' };
    }),
  };
}

const ABSENT = { state: 'absent' } as const;
