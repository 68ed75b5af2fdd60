/**
 * `fallocate` by one process for a thousand calls. To start a program for each takes most of a test's time where upkeep
 * dies again and again; that the program itself does its work is tested where logs are rotated.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Host, Spawner } from '../../../core/host/host.ts';

const HELPER = fileURLToPath(new URL('fallocate.py', import.meta.url));

/** What does the work of `fallocate` until it is closed. */
export class Fallocate {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  constructor() {
    this.#child = spawn('python3', [HELPER], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** The host, with this in the program's place. */
  on(host: Host): Host {
    const run: Spawner['run'] = async (file, argv, options) => {
      if (file !== 'fallocate') return host.spawner.run(file, argv, options);
      const refused = await this.#call(argv, options.fds?.[0] ?? -1);
      const stderr = refused === '' ? '' : `fallocate: fallocate failed: ${refused}\n`;
      return { exit_code: refused === '' ? 0 : 1, stdout: '', stderr, error: null };
    };
    return { ...host, spawner: { ...host.spawner, run } };
  }

  close(): void {
    this.#child.stdin.end();
  }

  /** Empty where it was done, else why not. */
  async #call([how, , offset, , length]: readonly string[], fd: number): Promise<string> {
    this.#child.stdin.write(`${how} ${offset} ${length} /proc/${process.pid}/fd/${fd}\n`);
    const answer = await this.#answers.next();
    if (answer.done === true) throw new Error('fallocate.py has ended');
    return answer.value;
  }
}
