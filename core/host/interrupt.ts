/**
 * What puts an end to work that is begun by the hundred a second.
 *
 * An `AbortController`, its listeners and its event take as long as a third of a connection. So its signal is made only
 * for those who ask for it, and connections, which most looks consist of, get along without.
 */

/** As much of an `AbortSignal` as connections need. */
export interface Interrupting {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * Aborts once, and tells whoever is listening.
 *
 * @example
 * ```ts
 * const interrupt = new Interrupt();
 * const connecting = net.connect(target, interrupt);
 * interrupt.abort(new Error('too late'));
 * ```
 */
export class Interrupt implements Interrupting {
  #aborted = false;
  #reason: unknown;
  #listeners: (() => void)[] = [];
  #controller: AbortController | null = null;

  get aborted(): boolean {
    return this.#aborted;
  }

  /** What {@link abort} was told. */
  get reason(): unknown {
    return this.#reason;
  }

  /** The same for those who need a signal of the platform's. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Once only; what comes later is not told. */
  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
    this.#controller?.abort(reason);
  }

  /** Each is called once, as it is with a signal where that is asked for. */
  addEventListener(_type: 'abort', listener: () => void): void {
    if (!this.#aborted) this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const index = this.#listeners.indexOf(listener);
    if (index >= 0) this.#listeners.splice(index, 1);
  }
}
