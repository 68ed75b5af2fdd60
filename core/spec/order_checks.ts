/**
 * What `after` may name.
 */
import type { ActionDraft, Item, ServiceDraft } from './draft.ts';
import { type Fault, shown } from './issue.ts';
import { nearest } from './nearest.ts';
import { findCycles } from './order.ts';
import { didYouMean } from './schema_kit.ts';

/** Names that lead nowhere, to the action itself, or in a circle. */
export function orderFaults(service: ServiceDraft): Fault[] {
  const names = service.actions.map(({ name }) => name);
  return [...service.actions.flatMap((action) => nameFaults(action, names)), ...cycleFaults(service)];
}

function nameFaults(action: ActionDraft, names: readonly string[]): Fault[] {
  const seen = new Set<string>();
  return action.items('after').flatMap((item): Fault[] => {
    const again = seen.has(item.value);
    seen.add(item.value);
    if (again) return [fault(item, 'unique', 'must be named only once')];
    if (item.value === action.name) return [fault(item, 'cycle', 'must not be the action itself')];
    if (names.includes(item.value)) return [];
    const meant = nearest(item.value, names);
    return [fault(item, 'known_action', `must be an action of this service${didYouMean(meant)}`)];
  });
}

function cycleFaults({ actions }: ServiceDraft): Fault[] {
  const others = (action: ActionDraft) => action.items('after').filter(({ value }) => value !== action.name);
  const after = new Map(actions.map((action) => [action.name, others(action).map(({ value }) => value)]));
  return findCycles(after).flatMap((cycle): Fault[] => {
    // Told where the circle is closed: at the last action of it, which names the first.
    const last = actions.find(({ name }) => name === cycle.at(-1));
    const closing = last && others(last).find(({ value }) => value === cycle[0]);
    if (closing === undefined) return [];
    return [fault(closing, 'cycle', `must not lead in a circle: ${[...cycle, cycle[0]].join(' after ')}`)];
  });
}

function fault({ value, path }: Item<string>, rule: string, message: string): Fault {
  return { path, rule, message, value: shown(path, value) };
}
