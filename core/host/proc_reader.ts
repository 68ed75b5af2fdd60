/**
 * Reads files of /proc: small, without a size, and gone at any moment.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/** Large enough for every /proc/PID/stat and for most command lines. */
const BUFFER_SIZE = 16 * 1024;

const NEWLINE = 0x0a;
const ZERO = 0x30;

/** What the kernel answers about a process that is gone, or that it hides from us. */
const GONE = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

/**
 * A reader with one buffer for everything. What it returns is good until the next call.
 *
 * It keeps a spare descriptor to look with when upkeep has run out of them: a process that cannot be looked at would
 * seem to be gone, and be started a second time.
 */
export class ProcReader {
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_SIZE);
  #spare: number | null = openSync('/proc', 'r');

  /**
   * The whole file; null where it is gone or not ours to read.
   *
   * @throws where it cannot be read for any other reason.
   */
  read(path: string): Buffer | null {
    return this.attempt(() => {
      const fd = openSync(path, 'r');
      try {
        return this.#readAll(fd);
      } finally {
        closeSync(fd);
      }
    });
  }

  /**
   * Visits each number of a list with one a line, without making texts of them: such lists are long, and read often.
   *
   * @param visit must not use this reader.
   * @returns null where the list is gone or not ours to read.
   */
  readNumbers(path: string, visit: (number: number) => void): true | null {
    return this.attempt(() => {
      const fd = openSync(path, 'r');
      try {
        let number = 0;
        // The kernel gives a page at a time, which may end within a number.
        for (;;) {
          const length = readSync(fd, this.#buffer, 0, BUFFER_SIZE, null);
          if (length === 0) return true;
          for (let index = 0; index < length; index += 1) {
            const byte = this.#buffer[index] as number;
            if (byte !== NEWLINE) {
              number = number * 10 + byte - ZERO;
              continue;
            }
            visit(number);
            number = 0;
          }
        }
      } finally {
        closeSync(fd);
      }
    });
  }

  /** The beginning of a file that is kept open, read anew; null where its process is gone. */
  readAgain(fd: number): Buffer | null {
    try {
      return this.#buffer.subarray(0, readSync(fd, this.#buffer, 0, BUFFER_SIZE, 0));
    } catch (error) {
      return nullIfGone(error);
    }
  }

  /** Whether a file that is kept open has anything in it now; false too where its process is gone. */
  holdsSomething(fd: number): boolean {
    try {
      return readSync(fd, this.#buffer, 0, 1, 0) > 0;
    } catch (error) {
      nullIfGone(error);
      return false;
    }
  }

  /**
   * Looks, with the spare descriptor where there is no other; null where what it looks at is gone or not ours to see.
   *
   * @param look opens one descriptor at a time, and leaves none open.
   */
  attempt<T>(look: () => T): T | null {
    try {
      return look();
    } catch (error) {
      if (!isExhausted(error) || this.#spare === null) return nullIfGone(error);
    }
    closeSync(this.#spare);
    try {
      return look();
    } catch (error) {
      return nullIfGone(error);
    } finally {
      this.#spare = openSpare();
    }
  }

  #readAll(fd: number): Buffer {
    const chunks: Buffer[] = [];
    for (;;) {
      const chunk = this.#buffer.subarray(0, readSync(fd, this.#buffer, 0, BUFFER_SIZE, null));
      // The files of one process fill the buffer as long as there is more.
      if (chunk.length < BUFFER_SIZE) return chunks.length === 0 ? chunk : Buffer.concat([...chunks, chunk]);
      chunks.push(Buffer.from(chunk));
    }
  }
}

function isExhausted(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}

function nullIfGone(error: unknown): null {
  if (GONE.has((error as NodeJS.ErrnoException).code ?? '')) return null;
  throw error;
}

function openSpare(): number | null {
  try {
    return openSync('/proc', 'r');
  } catch {
    // Another thread took it. Whoever runs out next has none.
    return null;
  }
}
