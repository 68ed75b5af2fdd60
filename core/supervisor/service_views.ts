/**
 * Services as they are shown.
 *
 * All that a view is made of are records that are replaced and never changed in place: the service's row, its jobs, what
 * the file says of them, the state of each check. So a view holds for as long as it would be made of the very same
 * records, and nobody has to say that something has changed.
 */
import type { ServiceView } from './control.ts';
import type { ServiceRuntime } from './runtime.ts';
import { type Looks, serviceView } from './service_view.ts';

/** A view, and the records that it was made of. */
interface Kept {
  readonly from: readonly unknown[];
  readonly view: ServiceView;
}

/** Makes views, and keeps each until it would be another. */
export class ServiceViews {
  readonly #looks: Looks;
  readonly #kept = new WeakMap<ServiceRuntime, Kept>();
  #list: readonly ServiceView[] = Object.freeze([]);

  constructor(looks: Looks) {
    this.#looks = looks;
  }

  /** A service as it is now: the same object as before where nothing of it has changed. */
  view(service: ServiceRuntime): ServiceView {
    const kept = this.#kept.get(service);
    const from = this.#recordsOf(service);
    if (kept !== undefined && areSame(kept.from, from)) return kept.view;
    const view = serviceView(service, this.#looks);
    this.#kept.set(service, { from, view });
    return view;
  }

  /** All of these. The array is frozen, and the same one as before where nothing of any has changed. */
  list(services: readonly ServiceRuntime[]): readonly ServiceView[] {
    const views = services.map((service) => this.view(service));
    if (!areSame(this.#list, views)) this.#list = Object.freeze(views);
    return this.#list;
  }

  #recordsOf(service: ServiceRuntime): unknown[] {
    const records: unknown[] = [service.row, service.leaving];
    for (const { job, spec } of service.jobs) records.push(job, spec, ...this.#looks.checks(job.id));
    return records;
  }
}

function areSame(some: readonly unknown[], others: readonly unknown[]): boolean {
  return some.length === others.length && some.every((item, index) => item === others[index]);
}
