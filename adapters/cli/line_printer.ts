/**
 * Prints lines without ever waiting for whoever reads them.
 *
 * A terminal that is stopped (Ctrl-S) or a pipe that nobody empties blocks a write, and `process.stdout` writes to a
 * terminal synchronously: services would go unattended for as long as somebody looks away. Here one write at a time
 * is under way, in the background, and lines that find too many before them are counted instead of kept.
 */
import type { Clock } from '../../core/host/host.ts';
import { CLEAR_LINE } from './io.ts';

/** Writes bytes in the background; resolves with how many were taken. */
export type BackgroundWrite = (bytes: Uint8Array) => Promise<number>;

/** Lines on their way out. */
export interface LinePrinter {
  /** Never waits, never throws. */
  print(line: string): void;
  /**
   * Keeps a line below all that is printed, in place of the one before; an empty one takes it away. For terminals only.
   * Never waits, never throws.
   */
  show(line: string): void;
  /** Resolves when all that was printed is written, or can no longer be. */
  flushed(): Promise<void>;
}

/** How many lines wait before they are left out. */
const LINE_LIMIT = 1000;

/** Ms until another try where a descriptor takes nothing at the moment. */
const RETRY = 50;

/**
 * A printer of lines.
 *
 * @example
 * ```ts
 * const write = promisify(fs.write);
 * const printer = linePrinter(async (bytes) => (await write(1, bytes)).bytesWritten, host.clock);
 * printer.print('web is up');
 * ```
 */
export function linePrinter(write: BackgroundWrite, clock: Pick<Clock, 'timer'>): LinePrinter {
  let waiting: string[] = [];
  let left_out = 0;
  let writing: Promise<void> | null = null;
  let broken = false;
  let shown = '';
  let drawn = '';

  async function writeAll(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0; ) {
      try {
        rest = rest.subarray(await write(rest));
      } catch (error) {
        // The descriptor may not block (a shell left it so): it is asked again. Anything else: nobody reads any more.
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        await new Promise<void>((resolve) => clock.timer(RETRY, resolve));
      }
    }
  }

  async function drain(): Promise<void> {
    try {
      while (waiting.length > 0 || shown !== drawn) {
        const lines = waiting;
        waiting = [];
        const clear = drawn === '' ? '' : CLEAR_LINE;
        drawn = shown;
        if (left_out > 0) lines.push(`… ${left_out} lines left out, as nobody read them`);
        left_out = 0;
        await writeAll(Buffer.from(`${clear}${lines.map((line) => `${line}\n`).join('')}${drawn}`));
      }
    } catch {
      broken = true;
      waiting = [];
    }
    writing = null;
  }

  return {
    print(line) {
      if (broken) return;
      if (waiting.length >= LINE_LIMIT) left_out += 1;
      else waiting.push(line);
      writing ??= drain();
    },
    show(line) {
      if (broken) return;
      shown = line;
      if (shown !== drawn) writing ??= drain();
    },
    flushed: () => writing ?? Promise.resolve(),
  };
}
