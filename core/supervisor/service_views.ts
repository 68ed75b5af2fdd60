/**
 * Services as they are shown.
 *
 * All that a view is made of are records that are replaced and never changed in place: the service's row, its jobs, what
 * the file says of them, the state of each check. So a view holds for as long as it would be made of the very same
 * records, and nobody has to say that something has changed.
 */
import type { CheckState } from '../health/health_watch.ts';
import { presentReason } from '../health/illness.ts';
import type { Health } from '../health/verdict.ts';
import { identityOf, type Job } from '../job/job.ts';
import { serviceState } from '../job/service_state.ts';
import type { ActionView, ServiceState, ServiceView } from './control.ts';
import { checkView } from './control.ts';
import { type ServiceRuntime, wantedOf } from './runtime.ts';

/** What is known of the health of jobs; `health` follows from `checks`. */
export interface HealthKnown {
  checks(job_id: string): readonly CheckState[];
  health(job_id: string): Health;
}

/** A view, and the records that it was made of. */
interface Kept {
  readonly from: readonly unknown[];
  readonly view: ServiceView;
}

/** Makes views, and keeps each until it would be another. */
export class ServiceViews {
  readonly #known: HealthKnown;
  readonly #kept = new WeakMap<ServiceRuntime, Kept>();
  #list: readonly ServiceView[] = Object.freeze([]);

  constructor(known: HealthKnown) {
    this.#known = known;
  }

  /** A service as it is now: the same object as before where nothing of it has changed. */
  view(service: ServiceRuntime): ServiceView {
    const kept = this.#kept.get(service);
    const from = this.#recordsOf(service);
    if (kept !== undefined && areSame(kept.from, from)) return kept.view;
    const view: ServiceView = {
      name: service.row.name,
      wanted: wantedOf(service),
      state: this.state(service),
      run_id: service.row.run_id,
      actions: service.jobs.map(({ job }) =>
        actionView(job, this.#known.checks(job.id), this.#known.health(job.id)),
      ),
    };
    this.#kept.set(service, { from, view });
    return view;
  }

  /** All of these. The array is frozen, and the same one as before where nothing of any has changed. */
  list(services: readonly ServiceRuntime[]): readonly ServiceView[] {
    const views = services.map((service) => this.view(service));
    if (!areSame(this.#list, views)) this.#list = Object.freeze(views);
    return this.#list;
  }

  /** What a service is at. */
  state(service: ServiceRuntime): ServiceState {
    return serviceState(
      wantedOf(service),
      service.jobs.map(({ job, spec }) => ({
        job,
        process: spec.process,
        unhealthy: this.#known.health(job.id) === 'unhealthy',
      })),
    );
  }

  #recordsOf(service: ServiceRuntime): unknown[] {
    const records: unknown[] = [service.row, service.leaving];
    for (const { job, spec } of service.jobs) records.push(job, spec, ...this.#known.checks(job.id));
    return records;
  }
}

function areSame(some: readonly unknown[], others: readonly unknown[]): boolean {
  return some.length === others.length && some.every((item, index) => item === others[index]);
}

function actionView(job: Job, checks: readonly CheckState[], health: Health): ActionView {
  return {
    action: job.action,
    job_id: job.id,
    phase: job.phase,
    health,
    checks: checks.map(checkView),
    pid: identityOf(job)?.pid ?? null,
    started_at: job.started_at,
    restart_count: job.restart_count,
    attempt: job.attempt,
    next_attempt_at: job.phase === 'retrying' ? job.next_attempt_at : null,
    reason: presentReason(job, checks),
  };
}
