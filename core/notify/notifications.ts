/**
 * Tells whom the service file names of what happens: an outbox for each rule of `notify`.
 *
 * How far each rule has come is in the store, so that what was not told when upkeep ended, or died, is told by the
 * next: at least once, and in order. A rule that is new or was changed begins with what happens from then on.
 */
import { createHash } from 'node:crypto';
import type { Agenda } from '../host/agenda.ts';
import type { Clock } from '../host/host.ts';
import type { Reason } from '../job/reason.ts';
import type { Notifier } from '../plugin/notifier.ts';
import type { NotifySpec } from '../spec/mod.ts';
import type { NotifyCursors } from '../store/notify_cursors.ts';
import type { EventRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import { Outbox } from './outbox.ts';

/** How long the end of upkeep waits for events to be told, ms. What is not is told by the next upkeep. */
const FAREWELL = 2_000;
const FAREWELL_KEY = 'notify:farewell';

/** What telling needs. */
export interface NotificationPorts {
  readonly clock: Clock;
  readonly agenda: Agenda;
  readonly notifiers: readonly Notifier[];
  readonly store: Pick<Store, 'events' | 'keepNotifyCursors' | 'notifyCursors'>;
  random(): number;
  report(why: Reason): void;
}

/** See the top of this file. */
export class Notifications {
  readonly #ports: NotificationPorts;
  #outboxes: Outbox[] = [];
  #rules: readonly NotifySpec[] = [];
  /** Only the first rules go on from where an earlier upkeep was: what one has left out since is void. */
  #begun = false;

  constructor(ports: NotificationPorts) {
    this.#ports = ports;
  }

  /** Tells by these rules from now on. One that was there before goes on as it is, wherever it stands. */
  apply(rules: readonly NotifySpec[]): void {
    this.#rules = rules;
    const { store } = this.#ports;
    const stored: NotifyCursors = this.#begun ? new Map() : store.notifyCursors();
    this.#begun = true;
    const [newest] = store.events({ limit: 1 });
    const known = new Map(this.#outboxes.map((outbox) => [outbox.key, outbox]));
    const fresh: Outbox[] = [];
    this.#outboxes = keyed(rules).flatMap(([key, spec], index) => {
      const label = `notify[${index}]`;
      const old = known.get(key);
      if (old !== undefined) {
        known.delete(key);
        old.label = label;
        return [old];
      }
      const notifier = this.#ports.notifiers.find(({ name }) => name === spec.type);
      if (notifier === undefined) return [];
      const outbox = new Outbox({ key, spec, notifier }, label, stored.get(key) ?? newest?.seq ?? 0, {
        ...this.#ports,
        events: (query) => store.events(query),
        progressed: () => this.#keep(),
      });
      fresh.push(outbox);
      return [outbox];
    });
    for (const outbox of known.values()) outbox.close();
    this.#keep();
    for (const outbox of fresh) outbox.begin();
  }

  /** The notifiers are others: a rule whose notifier was not there may have one now. */
  refresh(): void {
    if (this.#begun) this.apply(this.#rules);
  }

  /** An event was published. Never throws, never waits. */
  hear(event: EventRecord): void {
    for (const outbox of this.#outboxes) outbox.hear(event);
  }

  /** Waits a short while for what is still to be told, and tells nothing from then on. */
  async close(): Promise<void> {
    const { agenda, clock } = this.#ports;
    const late = new Promise<void>((resolve) => {
      agenda.set(FAREWELL_KEY, clock.mono() + FAREWELL, resolve);
    });
    await Promise.race([Promise.all(this.#outboxes.map((outbox) => outbox.settled())), late]);
    agenda.delete(FAREWELL_KEY);
    this.#keep();
    for (const outbox of this.#outboxes.splice(0)) outbox.close();
  }

  #keep(): void {
    const cursors = new Map(this.#outboxes.map(({ key, cursor }) => [key, cursor]));
    this.#ports.store.keepNotifyCursors(cursors);
  }
}

/** Each rule with a key that it keeps for as long as it says the same; rules that say the same have different ones. */
function keyed(rules: readonly NotifySpec[]): (readonly [string, NotifySpec])[] {
  const count = new Map<string, number>();
  return rules.map((spec) => {
    const digest = createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 32);
    const before = count.get(digest) ?? 0;
    count.set(digest, before + 1);
    return [`notify:${digest}${before === 0 ? '' : `:${before}`}`, spec] as const;
  });
}
