/**
 * How much may be under way at once.
 */
import { RequestProblem } from './problem.ts';
import type { OpenStreams } from './stream_body.ts';

/** How many requests may be under way at once, streams not counted. */
export const REQUEST_LIMIT = 256;

/** How many streams may be open at once. */
export const STREAM_LIMIT = 512;

/** Counts what is under way. */
export class Load {
  #requests = 0;
  readonly #streams: OpenStreams;

  constructor(streams: OpenStreams) {
    this.#streams = streams;
  }

  /** Requests under way. */
  get requests(): number {
    return this.#requests;
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#streams.size;
  }

  /**
   * Lets a request in where there is room, and counts it until it is answered.
   *
   * @throws {@link RequestProblem} `too_busy`.
   */
  async within<T>(work: () => Promise<T>): Promise<T> {
    if (this.#requests >= REQUEST_LIMIT) {
      throw new RequestProblem(
        'too_busy',
        `${REQUEST_LIMIT} requests are under way, which is as many as may be`,
      );
    }
    this.#requests++;
    try {
      return await work();
    } finally {
      this.#requests--;
    }
  }

  /** @throws {@link RequestProblem} `too_busy` where no other stream may be opened. */
  checkStreams(): void {
    if (this.#streams.size >= STREAM_LIMIT) {
      throw new RequestProblem('too_busy', `${STREAM_LIMIT} streams are open, which is as many as may be`);
    }
  }
}
