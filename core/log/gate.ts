/**
 * Lets nobody pass while something is under way.
 */

/** Open until it is closed. */
export class Gate {
  #closed: { readonly promise: Promise<void>; readonly open: () => void } | null = null;

  /** Whoever comes from now on waits; those who wait already go on waiting. */
  close(): void {
    if (this.#closed !== null) return;
    let open = (): void => {};
    const promise = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#closed = { promise, open };
  }

  /** Lets everybody pass who waits. */
  open(): void {
    this.#closed?.open();
    this.#closed = null;
  }

  /** Resolves once the gate is open, and nobody has closed it again meanwhile. */
  async passed(): Promise<void> {
    while (this.#closed !== null) await this.#closed.promise;
  }
}
