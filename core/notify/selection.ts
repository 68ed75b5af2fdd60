/**
 * Which events a rule tells of. Pure.
 */
import type { NotifySpec } from '../spec/mod.ts';
import type { EventRecord } from '../store/records.ts';

/** Whether a rule is about an event. That somebody could not be told is told to nobody: it would go round in circles. */
export function selects({ events, services }: NotifySpec, { code, service }: EventRecord): boolean {
  if (code === 'NOTIFY_DEGRADED' || !events.includes(code)) return false;
  return services === null || (service !== null && services.includes(service));
}

/** Keeps what is the same (a code about an action) from being told again too soon. */
export class Sameness {
  readonly #told = new Map<string, number>();

  /**
   * Whether it is to be told; then it counts as told.
   *
   * @param interval ms; 0 lets everything through.
   */
  isNews({ service, action, code, time }: EventRecord, interval: number): boolean {
    if (interval === 0) return true;
    const key = JSON.stringify([service, action, code]);
    const last = this.#told.get(key);
    // A clock that was set back lets it through rather than hold it for as long as it went back.
    if (last !== undefined && time >= last && time - last < interval) return false;
    this.#told.set(key, time);
    return true;
  }
}
