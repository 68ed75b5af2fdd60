/**
 * Starting the small programs in test/fixtures.
 */
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** What a fixture said on its first line. */
export interface Said {
  readonly pids: readonly number[];
  readonly port: number;
}

/** Whether fixtures in Python can be run here. */
export const hasPython = spawnSync('python3', ['--version']).status === 0;

/** Fixtures that were started and are to be ended. */
export class Fixtures {
  readonly #running: ChildProcessByStdio<Writable, Readable, null>[] = [];

  /** Starts one and waits until it has said that it is ready. */
  async start(name: string, ...args: string[]): Promise<Said> {
    const path = fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
    const program = name.endsWith('.py') ? 'python3' : process.execPath;
    const child = spawn(program, [path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#running.push(child);
    for await (const line of createInterface(child.stdout)) return JSON.parse(line) as Said;
    throw new Error(`${name} ended before it was ready`);
  }

  /** Ends all of them: they live as long as their standard input is open. */
  async end(): Promise<void> {
    await Promise.all(
      this.#running.splice(0).map((child) => {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.stdin.end();
        return child.exitCode === null && child.signalCode === null ? ended : undefined;
      }),
    );
  }
}
