/**
 * Hands events on: at once to the parts that go by them, a little later and together to whoever follows them.
 *
 * A restart is a row of commits with work between them, and what is told in between is paid by the service that is down:
 * a hundred followers cost more than the restart itself. So followers are told when nothing has been committed for an
 * instant, all of them of the same events, and never more of these in one turn of the event loop than they take at once.
 */
import type { Agenda } from '../host/agenda.ts';
import type { Clock } from '../host/host.ts';
import type { EventRecord } from '../store/records.ts';

/** Followers are told once nothing was committed for so long, ms: the next step of a restart is sooner than that. */
const QUIET = 20;

/** And at the latest so long after the first event that they were not told of, ms. */
const LATEST = 100;

/** So many events are told in one turn of the event loop. */
const PORTION = 64;

const KEY = 'events';
const CLOSE_KEY = 'events:close';

/** Takes events that were committed, in order, each once; the same array is given to others too. */
export type Follower = (events: readonly EventRecord[]) => void;

/** See the top of this file. */
export class EventFeed {
  readonly #clock: Pick<Clock, 'mono'>;
  readonly #agenda: Pick<Agenda, 'set'>;
  readonly #listeners = new Set<(event: EventRecord) => void>();
  /** Each with the last event that was committed before it came. */
  readonly #followers = new Map<Follower, number>();
  #untold: EventRecord[] = [];
  /** When the first and the last of them were committed, monotonic ms. */
  #first = 0;
  #last = 0;

  constructor(clock: Pick<Clock, 'mono'>, agenda: Pick<Agenda, 'set'>) {
    this.#clock = clock;
    this.#agenda = agenda;
  }

  /** Tells every listener, and followers later; one that throws is its own problem only. */
  publish(events: readonly EventRecord[]): void {
    for (const listener of this.#listeners) {
      // It is told within a commit of the job loop, which has more to do than to stop half-way for it.
      for (const event of events) attempt(() => listener(event));
    }
    if (this.#followers.size === 0 || events.length === 0) return;
    this.#last = this.#clock.mono();
    if (this.#untold.length === 0) {
      this.#first = this.#last;
      this.#agenda.set(KEY, this.#first + QUIET, () => this.#due());
    }
    for (const event of events) this.#untold.push(event);
  }

  /** Calls back on each event from now on, within its commit: for what is quick. Returns what ends it. */
  subscribe(listener: (event: EventRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Calls back with the events that are committed from now on, up to 64 at a time and up to a tenth of a second later.
   * Returns what ends it.
   */
  follow(follower: Follower): () => void {
    // One function may follow twice.
    const own: Follower = (events) => follower(events);
    this.#followers.set(own, this.#untold.at(-1)?.seq ?? 0);
    return () => this.#followers.delete(own);
  }

  /**
   * Tells followers what they do not know yet. Resolves a turn of the event loop after that: whoever keeps up has passed
   * it on by then.
   */
  close(): Promise<void> {
    return new Promise((resolve) => {
      const step = (): void => {
        if (this.#untold.length === 0) {
          resolve();
          return;
        }
        this.#tell();
        this.#soon(CLOSE_KEY, step);
      };
      this.#soon(CLOSE_KEY, step);
    });
  }

  #due(): void {
    const at = Math.min(this.#last + QUIET, this.#first + LATEST);
    if (this.#clock.mono() < at) {
      this.#agenda.set(KEY, at, () => this.#due());
      return;
    }
    this.#tell();
    // Between two portions followers pass the first one on, and whatever else has waited gets its turn.
    if (this.#untold.length > 0) this.#soon(KEY, () => this.#due());
  }

  #soon(key: string, run: () => void): void {
    this.#agenda.set(key, this.#clock.mono(), run);
  }

  #tell(): void {
    const portion = this.#untold.splice(0, PORTION);
    const first = portion[0]?.seq ?? 0;
    for (const [follower, joined] of this.#followers) {
      // Nearly always all of them: then they share what is made of the array, too.
      const news = first > joined ? portion : portion.filter(({ seq }) => seq > joined);
      if (news.length > 0) attempt(() => follower(news));
    }
  }
}

function attempt(tell: () => void): void {
  try {
    tell();
  } catch {
    // Others are told all the same.
  }
}
