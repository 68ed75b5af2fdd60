/**
 * What the faces are told of a service and its actions.
 */
import { presentReason } from '../health/illness.ts';
import { atRest, identityOf } from '../job/job.ts';
import { serviceState } from '../job/service_state.ts';
import { type ActionView, checkView, type ServiceState, type ServiceView } from './control.ts';
import type { JobWatch } from './job_watch.ts';
import { type JobRuntime, type ServiceRuntime, wantedOf } from './runtime.ts';

/** What the looks at health say of jobs. */
export type Looks = Pick<JobWatch, 'checks' | 'health'>;

/** A service as every face shows it. */
export function serviceView(service: ServiceRuntime, watch: Looks): ServiceView {
  return {
    name: service.row.name,
    wanted: wantedOf(service),
    state: stateOf(service, watch),
    run_id: service.row.run_id,
    actions: service.jobs.map((runtime) => actionView(runtime, watch)),
  };
}

/** What a service is at, all its actions taken together. */
export function stateOf(service: ServiceRuntime, watch: Looks): ServiceState {
  return serviceState(
    wantedOf(service),
    service.jobs.map(({ job, spec }) => ({
      job,
      process: spec.process,
      unhealthy: watch.health(job.id) === 'unhealthy',
    })),
  );
}

/** Where it is wanted, or where it goes no further by itself. */
export function isSettled(service: ServiceRuntime): boolean {
  if (wantedOf(service) === 'down') return service.jobs.every(({ job }) => atRest(job));
  return service.jobs.every(({ job, spec }) => {
    if (job.phase === 'running') return spec.process;
    if (job.phase === 'pending') return job.reason.code === 'DEPENDENCY_FAILED';
    return job.phase === 'succeeded' || job.phase === 'failed';
  });
}

function actionView({ job }: JobRuntime, watch: Looks): ActionView {
  const checks = watch.checks(job.id);
  return {
    action: job.action,
    job_id: job.id,
    phase: job.phase,
    health: watch.health(job.id),
    checks: checks.map(checkView),
    pid: identityOf(job)?.pid ?? null,
    started_at: job.started_at,
    restart_count: job.restart_count,
    attempt: job.attempt,
    next_attempt_at: job.phase === 'retrying' ? job.next_attempt_at : null,
    reason: presentReason(job, checks),
  };
}
