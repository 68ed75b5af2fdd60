/**
 * What one client follows: resources that it subscribed to, and events as log messages. Nothing is followed for a client
 * that follows nothing; what changes often is told at most once in a while.
 */
import type { Clock } from '../../core/host/host.ts';
import {
  type Caller,
  type Face,
  INVALID_PARAMS,
  LOG_LEVELS,
  type LogLevel,
  type News,
  ProtocolError,
} from './face.ts';

/** How one client is told. */
export interface WatcherOutlets {
  updated(uri: string): void;
  /** There are other resources than were listed. */
  listChanged(): void;
  log(level: LogLevel, data: unknown): void;
  /** Whether the client takes what it is sent; while it does not, updates wait and messages are left out. */
  keepsUp(): boolean;
}

/** How many resources one client can follow. */
export const SUBSCRIPTION_LIMIT = 100;

/** Ms from a change to its being told; what changes meanwhile is told together. */
const TOGETHER = 100;

/** Ms from news to a look whether it has changed the list, which costs more. */
const RELIST = 1000;

/** Ms until a broken stream of news is begun again. */
const RETRY = 1000;

/** One client's subscriptions. */
export class Watcher {
  readonly #face: Face;
  readonly #clock: Pick<Clock, 'timer'>;
  readonly #outlets: WatcherOutlets;
  readonly #client: () => string;
  /** What is followed, and what ends the following of a resource that has a stream of its own. */
  readonly #followed = new Map<string, AbortController | null>();
  readonly #changed = new Set<string>();
  /** The resources that the client knows of; null where it has never asked. */
  #listed: ReadonlySet<string> | null = null;
  #level: LogLevel | null = null;
  #news: AbortController | null = null;
  #cancelTimer: (() => void) | null = null;
  #cancelRelist: (() => void) | null = null;
  #closed = false;

  constructor(face: Face, clock: Pick<Clock, 'timer'>, client: () => string, outlets: WatcherOutlets) {
    this.#face = face;
    this.#clock = clock;
    this.#client = client;
    this.#outlets = outlets;
  }

  /** @throws {@link ProtocolError} where the client follows too many already. */
  subscribe(uri: string): void {
    if (this.#closed || this.#followed.has(uri)) return;
    if (this.#followed.size >= SUBSCRIPTION_LIMIT) {
      throw new ProtocolError(INVALID_PARAMS, `at most ${SUBSCRIPTION_LIMIT} resources can be subscribed to`);
    }
    const controller = new AbortController();
    const { signal } = controller;
    const changes = () => this.#face.changes(uri, this.#caller(signal));
    const own = changes();
    this.#followed.set(uri, own === null ? null : controller);
    if (own === null) this.#follow();
    else
      this.#read(
        own,
        changes,
        () => this.#mark(uri),
        () => this.#mark(uri),
        signal,
      );
  }

  unsubscribe(uri: string): void {
    this.#followed.get(uri)?.abort();
    this.#followed.delete(uri);
    this.#changed.delete(uri);
    this.#follow();
  }

  /** The client was told of these resources: from now on it is told where there are others. */
  listed(uris: Iterable<string>): void {
    this.#listed = new Set(uris);
    if (this.#news !== null) return;
    this.#follow();
    // What changes before the news begins to come is seen by a look.
    this.#relist();
  }

  /** From now on events of this level and above are told. */
  setLevel(level: LogLevel): void {
    this.#level = level;
    this.#follow();
  }

  /** Whether a message of `level` is wanted; before the client has said, every one is that it brought about itself. */
  wants(level: LogLevel): boolean {
    return this.#level === null || LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(this.#level);
  }

  close(): void {
    this.#closed = true;
    for (const controller of this.#followed.values()) controller?.abort();
    this.#followed.clear();
    this.#changed.clear();
    this.#news?.abort();
    this.#cancelTimer?.();
    this.#cancelRelist?.();
  }

  /** Follows the news exactly while somebody wants them. */
  #follow(): void {
    const wanted =
      !this.#closed &&
      (this.#level !== null || this.#listed !== null || [...this.#followed.values()].includes(null));
    if (wanted && this.#news === null) {
      const controller = new AbortController();
      this.#news = controller;
      this.#readNews(controller.signal);
    } else if (!wanted && this.#news !== null) {
      this.#news.abort();
      this.#news = null;
    }
  }

  #readNews(signal: AbortSignal): void {
    const news = () => this.#face.news(this.#caller(signal));
    // What happened while nobody was there to tell it is not known.
    const missed = (): void => {
      for (const [uri, own] of this.#followed) if (own === null) this.#mark(uri);
      this.#relist();
    };
    this.#read(news(), news, (item) => this.#tell(item), missed, signal);
  }

  /** Reads a stream, and where it ends by itself the next one, a pause later. */
  async #read<T>(
    first: AsyncIterable<T>,
    next: () => AsyncIterable<T> | null,
    take: (item: T) => void,
    missed: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    for (let stream: AsyncIterable<T> | null = first; stream !== null; stream = next()) {
      try {
        for await (const item of stream) {
          if (signal.aborted) return;
          take(item);
        }
      } catch {
        // upkeep may have ended, which the next call will tell; and so may what is followed.
      }
      await this.#pause(signal);
      if (signal.aborted) return;
      missed();
    }
  }

  #tell({ uris, relisted, level, data }: News): void {
    if (relisted) this.#relist();
    for (const uri of uris) if (this.#followed.has(uri)) this.#mark(uri);
    if (this.#level !== null && this.wants(level) && this.#outlets.keepsUp()) this.#outlets.log(level, data);
  }

  #mark(uri: string): void {
    this.#changed.add(uri);
    this.#cancelTimer ??= this.#clock.timer(TOGETHER, () => this.#flush());
  }

  #flush(): void {
    this.#cancelTimer = null;
    if (!this.#outlets.keepsUp()) {
      this.#cancelTimer = this.#clock.timer(RETRY, () => this.#flush());
      return;
    }
    for (const uri of this.#changed) this.#outlets.updated(uri);
    this.#changed.clear();
  }

  #relist(): void {
    if (this.#closed || this.#listed === null) return;
    this.#cancelRelist ??= this.#clock.timer(RELIST, () => void this.#compareList());
  }

  async #compareList(): Promise<void> {
    this.#cancelRelist = null;
    const signal = this.#news?.signal;
    if (signal === undefined) return;
    if (!this.#outlets.keepsUp()) return this.#relist();
    try {
      const resources = await this.#face.resources(this.#caller(signal));
      const before = this.#listed;
      const now = new Set(resources.map(({ uri }) => uri));
      if (this.#closed || before === null) return;
      if (now.size === before.size && [...now].every((uri) => before.has(uri))) return;
      this.#listed = now;
      this.#outlets.listChanged();
    } catch {
      // upkeep may have ended: the news, begun again, brings another look.
    }
  }

  #pause(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = this.#clock.timer(RETRY, end);
      signal.addEventListener('abort', end);
    });
  }

  #caller(signal: AbortSignal): Caller {
    return { client: this.#client(), signal };
  }
}
