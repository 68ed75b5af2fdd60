/**
 * Answers that go on for as long as they are read.
 */

/** Every answer that is still being read, so that a server that goes down can end them. */
export class OpenStreams {
  readonly #open = new Set<AbortController>();
  #closed = false;

  /** How many are being read. */
  get size(): number {
    return this.#open.size;
  }

  /** Ends all of them, and whatever is added from now on. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#open) controller.abort();
  }

  /**
   * A response body of `chunks`. Each is asked for only when the one before has been taken: nothing piles up for a
   * slow reader. Nothing begins before the first read, so a body that is dropped unread (HEAD) leaves nothing open.
   *
   * @param controller aborted when the reader has gone.
   */
  body(
    chunks: AsyncIterable<Uint8Array | string>,
    controller: AbortController,
  ): ReadableStream<Uint8Array<ArrayBufferLike>> {
    const iterator = chunks[Symbol.asyncIterator]();
    const encoder = new TextEncoder();
    const over = (): void => {
      this.#open.delete(controller);
      controller.abort();
    };
    return new ReadableStream(
      {
        pull: async (sink) => {
          this.#open.add(controller);
          if (this.#closed) controller.abort();
          try {
            const { done, value } = await iterator.next();
            if (done === true) {
              over();
              sink.close();
            } else {
              sink.enqueue(typeof value === 'string' ? encoder.encode(value) : value);
            }
          } catch (error) {
            over();
            throw error;
          }
        },
        cancel: () => {
          // First the signal, which ends what the iterator may be waiting for.
          over();
          iterator.return?.(undefined).then(undefined, () => {});
        },
      },
      { highWaterMark: 0 },
    );
  }
}
