/**
 * One rule of `notify`: the events that wait to be told, in order, and the one that is being told.
 *
 * An event leaves the queue when it has been told, or was refused for good, or had to make room. Until then it is tried
 * again and again, with pauses that grow: an outage of whoever is told delays events and keeps their order.
 */
import type { Agenda } from '../host/agenda.ts';
import type { Clock } from '../host/host.ts';
import { type Reason, reason } from '../job/reason.ts';
import type { Notifier } from '../plugin/notifier.ts';
import type { NotifySpec } from '../spec/mod.ts';
import type { EventRecord } from '../store/records.ts';
import type { EventQuery } from '../supervisor/control.ts';
import { failureMessage } from './message.ts';
import { Sameness, selects } from './selection.ts';

/** How many events wait at most; beyond that the oldest go. */
export const QUEUE_LIMIT = 256;
/** An event is told so long after it has happened, ms: what follows from it, a restart above all, comes first. */
const SOON = 50;
/** How long one try may take, ms. */
export const TRY_DEADLINE = 10_000;
/** The pause after the first failed try, ms; each further one is twice as long, up to the longest. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 5 * 60_000;
/** Up to this share of a pause is added at random. */
const JITTER = 0.1;
/** So many failed tries in a row are worth an event: less is a hiccup. */
const WORTH_AN_EVENT = 3;
/** Events read from the store at once. */
const BATCH = 200;

/** What an outbox is connected to. */
export interface OutboxPorts {
  readonly clock: Clock;
  readonly agenda: Agenda;
  random(): number;
  events(query: EventQuery): readonly EventRecord[];
  /** Every event up to the outbox's {@link Outbox.cursor} is done with. */
  progressed(): void;
  report(why: Reason): void;
}

/** What an outbox is for. */
export interface OutboxRule {
  /** Tells it from every other; also on the agenda. */
  readonly key: string;
  readonly spec: NotifySpec;
  readonly notifier: Notifier;
}

/** What went wrong since an event was last told. */
interface Trouble {
  dropped: number;
  refused: number;
  reported: boolean;
}

const NO_TROUBLE: Readonly<Trouble> = { dropped: 0, refused: 0, reported: false };

/** See the top of this file. */
export class Outbox {
  /** How messages call it: `notify[0]`. It changes where rules before it come or go. */
  label: string;
  readonly #rule: OutboxRule;
  readonly #ports: OutboxPorts;
  readonly #sameness = new Sameness();
  readonly #queue: EventRecord[] = [];
  /** The last event that was looked at. */
  #seen: number;
  /** The last event that is done with, as far as the queue tells. */
  #done: number;
  /** There may be more in the store: what is published is not queued, for the store has it too. */
  #behind = true;
  #sending: AbortController | null = null;
  #paused = false;
  #attempt = 0;
  #trouble: Trouble = { ...NO_TROUBLE };
  #closed = false;
  readonly #settled: (() => void)[] = [];

  /** @param cursor the `seq` that it goes on after. */
  constructor(rule: OutboxRule, label: string, cursor: number, ports: OutboxPorts) {
    this.#rule = rule;
    this.#ports = ports;
    this.label = label;
    this.#seen = cursor;
    this.#done = cursor;
  }

  get key(): string {
    return this.#rule.key;
  }

  /** The event up to which everything is done with: told, or not for this rule. */
  get cursor(): number {
    return this.#queue.length === 0 && !this.#behind ? this.#seen : this.#done;
  }

  /** Takes up what is in the store, a batch in each turn of the event loop; then what is published. */
  begin(): void {
    const { agenda, clock, events } = this.#ports;
    const batch = events({ after: this.#seen, limit: BATCH });
    // In the same tick as the read: whatever is published from now on is not in it.
    this.#behind = batch.length === BATCH;
    for (const event of batch) this.#consider(event);
    if (this.#behind) agenda.set(`${this.key}:behind`, clock.mono(), () => this.begin());
  }

  /** An event was published. Never throws, never waits. */
  hear(event: EventRecord): void {
    if (this.#behind || this.#closed || event.seq <= this.#seen) return;
    this.#consider(event);
  }

  /** Resolves once nothing waits, or what waits is in a pause, for which nobody should wait. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settled.push(resolve);
      this.#tellSettled();
    });
  }

  /** Tells nothing any more, and gives up what is under way. */
  close(): void {
    this.#closed = true;
    this.#ports.agenda.delete(this.key);
    this.#ports.agenda.delete(`${this.key}:behind`);
    this.#sending?.abort(new Error('upkeep does not wait for it any more'));
    this.#tellSettled();
  }

  #consider(event: EventRecord): void {
    this.#seen = event.seq;
    const { spec } = this.#rule;
    if (!selects(spec, event) || !this.#sameness.isNews(event, spec.min_interval)) return;
    this.#queue.push(event);
    if (this.#queue.length > QUEUE_LIMIT) this.#drop();
    if (this.#queue.length > 1 || this.#sending !== null) return;
    this.#ports.agenda.set(this.key, this.#ports.clock.mono() + SOON, () => this.#pump());
  }

  /** The oldest goes, but for the one that is being told. */
  #drop(): void {
    this.#queue.splice(this.#sending === null ? 0 : 1, 1);
    this.#trouble.dropped++;
    this.#complain(`more than ${QUEUE_LIMIT} events wait to be told, so the oldest are dropped`);
  }

  #pump(): void {
    const [event] = this.#queue;
    if (event === undefined || this.#sending !== null || this.#paused || this.#closed) {
      this.#tellSettled();
      return;
    }
    void this.#send(event);
  }

  async #send(event: EventRecord): Promise<void> {
    const { agenda, clock } = this.#ports;
    const sending = new AbortController();
    this.#sending = sending;
    const late = new Error(`no answer within ${TRY_DEADLINE / 1000} s`);
    agenda.set(this.key, clock.mono() + TRY_DEADLINE, () => sending.abort(late));
    let failure: unknown = null;
    try {
      await this.#tell(event, sending.signal);
    } catch (error) {
      failure = error ?? new Error('failed without a reason');
    }
    this.#sending = null;
    // Closed meanwhile: whether it was told is not known, and the next upkeep tells it once more.
    if (this.#closed) return;
    agenda.delete(this.key);
    if (failure === null) this.#told();
    else if (isGiveUp(failure)) this.#refused(failure);
    else this.#failed(failure);
    this.#pump();
  }

  /** A notifier that does not heed the signal is not waited for either. */
  async #tell(event: EventRecord, signal: AbortSignal): Promise<void> {
    const { notifier, spec } = this.#rule;
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    await Promise.race([notifier.notify(event, spec.options, signal), aborted]);
  }

  #told(): void {
    this.#finish();
    this.#attempt = 0;
    const { dropped, refused } = this.#trouble;
    this.#trouble = { ...NO_TROUBLE };
    if (dropped + refused === 0) return;
    const lost = [
      ...(dropped === 0 ? [] : [`${dropped} that waited too long were dropped`]),
      ...(refused === 0 ? [] : [`${refused} were refused for good`]),
    ];
    this.#report(`tells again; of the events meanwhile ${lost.join(', ')}`, { dropped, refused });
  }

  #refused(error: unknown): void {
    this.#finish();
    this.#attempt = 0;
    this.#trouble.refused++;
    this.#complain(`an event was refused for good: ${this.#message(error)}`);
  }

  #failed(error: unknown): void {
    const { agenda, clock, random } = this.#ports;
    this.#attempt++;
    this.#paused = true;
    const pause = Math.min(FIRST_PAUSE * 2 ** (this.#attempt - 1), LONGEST_PAUSE);
    agenda.set(this.key, clock.mono() + pause * (1 + JITTER * random()), () => {
      this.#paused = false;
      this.#pump();
    });
    if (this.#attempt >= WORTH_AN_EVENT)
      this.#complain(`could not tell, and tries again: ${this.#message(error)}`);
  }

  #finish(): void {
    this.#done = this.#queue.shift()?.seq ?? this.#done;
    this.#ports.progressed();
  }

  /** Once, until something could be told again. */
  #complain(message: string): void {
    if (this.#trouble.reported) return;
    this.#trouble.reported = true;
    this.#report(message, { waiting: this.#queue.length });
  }

  #report(message: string, evidence: object): void {
    const { type } = this.#rule.spec;
    const why = reason('NOTIFY_DEGRADED', `${this.label} (${type}): ${message}`, { type, ...evidence });
    this.#ports.report(why);
  }

  #message(error: unknown): string {
    return failureMessage(error, this.#rule.spec.options);
  }

  #tellSettled(): void {
    const atWork = this.#behind || this.#sending !== null || (this.#queue.length > 0 && !this.#paused);
    if (atWork && !this.#closed) return;
    for (const resolve of this.#settled.splice(0)) resolve();
  }
}

/** By its name: it may come from another copy of the class, or from another process. */
function isGiveUp(error: unknown): boolean {
  return error instanceof Error && error.name === 'GiveUp';
}
