/**
 * Telling what is waited for, while it is.
 */
import type { Client } from '../client/client.ts';
import type { Io } from './io.ts';
import { oneLine } from './text/event_line.ts';
import { formatSpan } from './text/time.ts';
import { cutTo } from './text/width.ts';

/** How long a wait may be before anything is said of it, and how often it is looked again, ms. */
const FIRST_LOOK = 500;
const LOOK_INTERVAL = 1000;

/** What is being told. */
export interface Telling {
  /** Says no more, and takes away what stands in place. */
  end(): void;
}

/**
 * Tells again and again what is waited for: on a terminal in place, with the time that has gone by, else a line for each
 * change. A short wait is passed over in silence.
 *
 * @param describe what is waited for at the moment; null for nothing. What it throws is nothing, too.
 */
export function startTelling(io: Io, describe: () => Promise<string | null>): Telling {
  const begun = Date.now();
  let told = '';
  let over = false;
  const look = async (): Promise<void> => {
    const text = oneLine((await describe().catch(() => null)) ?? '');
    if (over) return;
    if (io.live !== null) {
      // The last column stays free: a cursor behind it would begin a line.
      io.show(
        text === '' ? '' : cutTo(`… ${formatSpan(Date.now() - begun)}  ${text}`, Math.max(0, io.live - 1)),
      );
    } else if (text !== '' && text !== told) io.err(text);
    told = text;
    timer = setTimeout(look, LOOK_INTERVAL);
  };
  let timer = setTimeout(look, FIRST_LOOK);
  return {
    end() {
      over = true;
      clearTimeout(timer);
      if (io.live !== null) io.show('');
    },
  };
}

/**
 * Does `work`, and meanwhile tells what is waited for.
 *
 * @param silent true to tell nothing: for `--json`.
 *
 * @example
 * ```ts
 * await whileTelling(io, false, serviceSummary(client, 'shop'), () => client.call('service.restart', input));
 * ```
 */
export async function whileTelling<T>(
  io: Io,
  silent: boolean,
  describe: () => Promise<string | null>,
  work: () => Promise<T>,
): Promise<T> {
  if (silent) return work();
  const telling = startTelling(io, describe);
  try {
    return await work();
  } finally {
    telling.end();
  }
}

/** What a service is at, and what matters most about it, in one sentence. */
export function serviceSummary(client: Client, name: string): () => Promise<string> {
  return async () => (await client.call('service.why', { name })).summary;
}
