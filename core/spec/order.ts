/**
 * The order that `after` puts the actions of a service in. Pure.
 */
import type { ServiceSpec } from './spec.ts';

/** As much of a service as its order needs. */
export type Ordered = {
  readonly actions: Readonly<Record<string, Pick<ServiceSpec['actions'][string], 'after'>>>;
};

/**
 * Every action of a service, each behind all that it comes `after`; the file's order where that leaves a choice.
 * Reversed it is the order to stop in.
 */
export function startOrder(service: Ordered): string[] {
  const order = new Set<string>();
  const place = (name: string): void => {
    if (order.has(name)) return;
    for (const needed of service.actions[name]?.after ?? []) place(needed);
    order.add(name);
  };
  for (const name of Object.keys(service.actions)) place(name);
  return [...order];
}

/** The actions that come directly `after` the one named, in the file's order. */
export function dependents(service: Ordered, action: string): string[] {
  return Object.keys(service.actions).filter((name) => service.actions[name]?.after.includes(action));
}

/**
 * The circles in a graph: each as its names in order, the last leading back to the first. There is one for each step
 * that closes a circle, so without the last step of each there are none left.
 *
 * @param after What each name comes after. Names that are no key are left out.
 */
export function findCycles(after: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (name: string): void => {
    const begin = trail.indexOf(name);
    if (begin >= 0) {
      cycles.push(trail.slice(begin));
      return;
    }
    if (done.has(name)) return;
    trail.push(name);
    for (const needed of after.get(name) ?? []) visit(needed);
    trail.pop();
    done.add(name);
  };
  for (const name of after.keys()) visit(name);
  return cycles;
}
