/**
 * Notifications on a clock and a store that the test moves.
 */

import * as v from 'valibot';
import { Agenda } from '../../../core/host/agenda.ts';
import type { Reason } from '../../../core/job/reason.ts';
import { Notifications } from '../../../core/notify/mod.ts';
import type { Notifier } from '../../../core/plugin/notifier.ts';
import type { NotifySpec } from '../../../core/spec/mod.ts';
import type { EventRecord } from '../../../core/store/records.ts';
import type { EventQuery } from '../../../core/supervisor/control.ts';
import { FakeClock } from '../../support/fake_clock.ts';

/** An event, by default one that everybody is told of. */
export function anEvent(seq: number, changes: Partial<EventRecord> = {}): EventRecord {
  return {
    seq,
    time: 1_700_000_000_000 + seq,
    service: 'shop',
    action: 'web',
    job_id: 'j1',
    incarnation: 1,
    from: 'running',
    to: 'retrying',
    code: 'UNHEALTHY',
    message: 'is not well',
    evidence: {},
    actor: 'core',
    cause: null,
    ...changes,
  };
}

/** A rule. */
export function aRule(changes: Partial<NotifySpec> = {}): NotifySpec {
  return { type: 'bell', events: ['UNHEALTHY'], services: null, min_interval: 0, options: {}, ...changes };
}

/** What was asked of the notifier, to be answered by the test. */
export interface Ring {
  readonly event: EventRecord;
  readonly options: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  answer(): Promise<void>;
  fail(error: unknown): Promise<void>;
}

/** What outlives an upkeep. */
export class Kept {
  readonly events: EventRecord[] = [];
  cursors: ReadonlyMap<string, number> = new Map();
}

/** See the top of this file. */
export class World {
  readonly clock = new FakeClock();
  readonly agenda = new Agenda(this.clock);
  readonly rings: Ring[] = [];
  readonly reports: Reason[] = [];
  readonly kept: Kept;
  readonly notifications: Notifications;
  /** Answers at once where it is set. */
  reply: ((event: EventRecord) => Promise<void>) | null = null;

  constructor(kept: Kept = new Kept()) {
    this.kept = kept;
    const bell: Notifier = {
      name: 'bell',
      summary: 'By bell.',
      options: v.strictObject({}),
      notify: (event, options, signal) => {
        if (this.reply !== null) return this.reply(event);
        return new Promise((resolve, reject) => {
          const answer = async () => {
            resolve();
            await flush();
          };
          const fail = async (error: unknown) => {
            reject(error);
            await flush();
          };
          this.rings.push({ event, options, signal, answer, fail });
        });
      },
    };
    this.notifications = new Notifications({
      clock: this.clock,
      agenda: this.agenda,
      notifiers: [bell],
      store: {
        events: (query) => this.#stored(query),
        notifyCursors: () => kept.cursors,
        keepNotifyCursors: (cursors) => {
          kept.cursors = new Map(cursors);
        },
      },
      random: () => 0,
      report: (why) => this.reports.push(why),
    });
  }

  /** Commits and publishes an event. */
  publish(seq: number, changes: Partial<EventRecord> = {}): void {
    const event = anEvent(seq, changes);
    this.kept.events.push(event);
    this.notifications.hear(event);
  }

  /** Lets time go on, and what follows from it happen. */
  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await flush();
  }

  /** The numbers of the events that the notifier was asked to tell. */
  get rung(): number[] {
    return this.rings.map(({ event }) => event.seq);
  }

  /** The latest that the notifier was asked. */
  get last(): Ring {
    const ring = this.rings.at(-1);
    if (ring === undefined) throw new Error('nobody was told anything');
    return ring;
  }

  #stored({ after, limit = Number.POSITIVE_INFINITY }: EventQuery): EventRecord[] {
    const { events } = this.kept;
    if (after === undefined) return events.slice(Math.max(0, events.length - limit));
    return events.filter(({ seq }) => seq > after).slice(0, limit);
  }
}

/** Lets promises settle. */
export function flush(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
