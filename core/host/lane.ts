/**
 * A lane: so many pieces of work at once, the others in turn.
 */
export class Lane {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param width How many may be at work at once. */
  constructor(width: number) {
    this.#free = width;
  }

  /** Runs `work` once there is room for it, and gives what it gives. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free--;
    try {
      return await work();
    } finally {
      // Room is handed on, not given back: nobody can come in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
