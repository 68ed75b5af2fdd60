/**
 * Processes that have nothing to do with upkeep.
 */
import { type ChildProcess, spawn } from 'node:child_process';

/** Starts strangers, and ends those that are left. */
export class Strangers {
  readonly #children: ChildProcess[] = [];

  /** A Node process that runs some code; resolves with its pid once that has run and it has printed something. */
  async start(code: string, ...args: string[]): Promise<number> {
    const child = spawn(process.execPath, ['-e', `${code}; console.log('up')`, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#children.push(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    if (child.pid === undefined) throw new Error('the stranger did not start');
    return child.pid;
  }

  /** One that listens on a port of 127.0.0.1 until it is killed. */
  listen(port: number): Promise<number> {
    return this.start(`require('net').createServer().listen(${port}, '127.0.0.1')`);
  }

  /** Ends every one of them. */
  end(): void {
    for (const child of this.#children.splice(0)) child.kill('SIGKILL');
  }
}
