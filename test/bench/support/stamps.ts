import { closeSync, existsSync, openSync, readSync } from 'node:fs';

/** What a worker wrote down. `at` is monotonic, in nanoseconds. */
export interface Stamp {
  readonly name: string;
  readonly pid: number;
  readonly at: number;
}

/** The stamps of a file that workers append to, read as they come. */
export class Stamps {
  readonly path: string;
  readonly #seen: Stamp[] = [];
  #offset = 0;
  #rest = '';

  constructor(path: string) {
    this.path = path;
  }

  /** All stamps so far, oldest first. */
  read(): readonly Stamp[] {
    if (!existsSync(this.path)) return this.#seen;
    const fd = openSync(this.path, 'r');
    try {
      const chunk = Buffer.alloc(1 << 16);
      for (let size = -1; size !== 0; ) {
        size = readSync(fd, chunk, 0, chunk.length, this.#offset);
        this.#offset += size;
        this.#take(chunk.toString('latin1', 0, size));
      }
    } finally {
      closeSync(fd);
    }
    return this.#seen;
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const [name = '', pid, at] = line.split(' ');
      this.#seen.push({ name, pid: Number(pid), at: Number(at) });
    }
  }
}
