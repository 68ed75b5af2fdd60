/** Programs that call a supervisor, each in a process of its own, so that they share no event loop with the bench. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A program of the folder `callers` that runs, and ends with the bench at the latest. `M` is what it says. */
export class Caller<M extends { readonly said: string }> {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts it; resolves when it is ready. @throws Error if it ends before that. */
  static async start<M extends { readonly said: string }>(
    program: string,
    args: readonly string[],
  ): Promise<Caller<M>> {
    const path = fileURLToPath(new URL(`../callers/${program}.js`, import.meta.url));
    // Its errors are shown; pm2's client prints a greeting, which is not.
    const child = fork(path, [...args], { detached: true, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const caller = new Caller<M>(child);
    await caller.#heard();
    return caller;
  }

  /** Tells it something that it does not answer. @throws Error if it has ended. */
  tell(word: string): void {
    if (!this.#child.connected) throw new Error('the caller has ended');
    this.#child.send(word);
  }

  /** Tells it something; resolves with its answer. @throws Error if it ends instead. */
  async ask(word: string): Promise<M> {
    this.tell(word);
    return this.#heard();
  }

  /** Ends it; resolves when it is gone, with its connections. */
  async end(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.disconnect();
    await gone;
  }

  #heard(): Promise<M> {
    return new Promise((resolve, reject) => {
      const child = this.#child;
      const onExit = (code: number | null): void => reject(new Error(`the caller exited with ${code}`));
      child.once('exit', onExit);
      child.once('message', (message) => {
        child.off('exit', onExit);
        resolve(message as M);
      });
    });
  }
}
