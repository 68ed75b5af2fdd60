/**
 * Answers a query into a job's log.
 */
import type { Host } from '../host/host.ts';
import type { LogQuery } from '../supervisor/control.ts';
import { codecOf, unreadableLine } from './codec.ts';
import type { JobLog } from './job_log.ts';
import { lastLines, matchingLines } from './lines.ts';
import { firstPlace, type Place } from './pieces.ts';
import { seekTail, seekTime } from './seek.ts';
import { formatSegment } from './segment_name.ts';
import { Reader, walk } from './walk.ts';

/**
 * The bytes that a query asks for, oldest first, in chunks of up to 64 KiB (matching lines: of what was found in
 * one).
 *
 * @param signal Goes on with what is written from then on, until it aborts; null ends at the end. A query for one
 * incarnation ends where the next begins.
 */
export async function* readLog(
  host: Host,
  log: JobLog,
  query: LogQuery,
  signal: AbortSignal | null,
): AsyncGenerator<Uint8Array> {
  const place = await begin(log, signal);
  if (place === null) return;
  const reader = new Reader(host, log, place);
  const { tail, since, grep = '', incarnation = null } = query;
  try {
    if (since !== undefined) await seekTime(log, reader, since);
    // None of the lines that are told in the place of an unreadable segment may contain the text.
    if (grep !== '') yield* unsearched(log);
    // Which lines are the last ones is known beforehand only where none is left out.
    if (tail !== undefined && grep === '') await seekTail(host, log, reader, incarnation, tail);
    let chunks: AsyncIterable<Buffer | null> = walk(log, reader, incarnation, signal);
    if (grep !== '') chunks = matchingLines(chunks, grep);
    if (tail !== undefined && grep !== '') chunks = lastLines(chunks, tail);
    for await (const chunk of chunks) if (chunk !== null && chunk.length > 0) yield chunk;
  } finally {
    await reader.close();
  }
}

/** A line for each segment that this Node cannot decompress. */
function* unsearched(log: JobLog): Generator<Uint8Array> {
  for (const { name, plain, packed } of log.layout().segments) {
    if (plain || packed === null || codecOf(packed).work !== null) continue;
    yield unreadableLine(`${formatSegment(name)}.log.${packed}`, name.incarnation);
  }
}

/** The first byte there is; waits for it where the query follows. */
async function begin(log: JobLog, signal: AbortSignal | null): Promise<Place | null> {
  for (;;) {
    const { version } = log.audience;
    const place = firstPlace(log);
    if (place !== null || signal === null || signal.aborted) return place;
    await log.audience.changed(version, signal);
  }
}
