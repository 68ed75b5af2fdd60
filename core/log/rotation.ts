/**
 * Live rotation: the head of a log that is being written to becomes a segment, and leaves the file.
 *
 * Segments are made of whole blocks, because only whole blocks can be collapsed, or of all that is there. So a line
 * may begin in one segment and end in the next; readers put them together.
 *
 * A segment is complete and on disk before it gets its name, under a name that the index has announced (`cut`): a
 * death before the renaming leaves no segment, one after it a segment that the index knows how to count. Then
 * `removal.ts` takes the head out. A restart may set the file aside at any instant in between: the rotation goes on
 * with it under its new name, which is after those of the segments being made.
 */
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Host } from '../host/host.ts';
import { flushFolder, flushIndex, openLog } from './flush.ts';
import type { JobLog } from './job_log.ts';
import type { LogFile } from './log_file.ts';
import { formatIndex, sliceIndex } from './log_index.ts';
import { CREATE, MODE, READ, WRITE } from './open_flags.ts';
import { markHead } from './removal.ts';
import { formatSegment, type SegmentName } from './segment_name.ts';

/** Bytes copied at a time. */
const CHUNK = 262_144;
/** What is copied in one go right before a file is truncated, at most. */
const LAST_CHUNK = 1_048_576;
/** How often the end is chased before the truncation, where the writer is faster than the copy. */
const CHASES = 8;

/**
 * Makes a segment of the first `length` readable bytes.
 *
 * @param name The segment's, claimed for it.
 * @returns false where the log was shortened by somebody else meanwhile, so that there is no segment.
 */
export async function cutHead(
  host: Host,
  log: JobLog,
  file: LogFile,
  length: number,
  name: SegmentName,
): Promise<boolean> {
  return withSegment(host, log, file, name, async (source, target) => {
    const { head: start, epoch } = file;
    const end = start + length;
    if (file.base + host.files.fstatSync(source.fd).size === end) file.witness(end, host.clock.wall());
    const copied = await copy(source, target, start - file.base, length);
    await target.sync();
    if (copied < length || file.epoch !== epoch) return false;
    file.startCut(name, end);
    await flushIndex(host, file);
    if (file.epoch !== epoch) return false;
    publish(host, log, file, name, length);
    return true;
  });
}

/**
 * Makes a segment of all that can be read and empties the file, where the file system can do no better. What is
 * written in the instant between the last read and the truncation is lost.
 */
export async function copyAndTruncate(
  host: Host,
  log: JobLog,
  file: LogFile,
  name: SegmentName,
): Promise<boolean> {
  file.recordBase();
  return withSegment(host, log, file, name, async (source, target) => {
    const { head: start, epoch } = file;
    let length = 0;
    for (let chase = 0; chase < CHASES; chase++) {
      const left = (await source.stat()).size - (start - file.base) - length;
      length += await copy(source, target, start - file.base + length, left);
      if (left <= LAST_CHUNK) break;
    }
    await target.sync();
    const writable = await openLog(host, file, WRITE);
    try {
      if (file.epoch !== epoch) return false;
      length += copyRest(host, source, target, start - file.base + length, length);
      file.startCut(name, start + length);
      publish(host, log, file, name, length);
      const nonce = markHead(host, writable, file.head - file.base);
      if (nonce === null) return true;
      file.startRemoval({ end: file.head, nonce });
      host.files.ftruncateSync(writable.fd, 0);
      file.settleRemoval();
      file.witness(file.base, host.clock.wall());
      file.end = file.base;
      return true;
    } finally {
      await writable.close();
    }
  });
}

/** Opens both ends of a copy, and removes the target where it does not become a segment. */
async function withSegment(
  host: Host,
  log: JobLog,
  file: LogFile,
  name: SegmentName,
  make: (source: FileHandle, target: FileHandle) => Promise<boolean>,
): Promise<boolean> {
  const { promises } = host.files;
  const temporary = temporaryPath(log, name);
  const source = await openLog(host, file, READ);
  let made = false;
  try {
    const target = await promises.open(temporary, CREATE, MODE);
    try {
      made = await make(source, target);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
    if (!made) {
      file.cancelCut();
      await promises.rm(temporary, { force: true });
    }
  }
  if (made) await flushFolder(host, dirname(temporary));
  return made;
}

/** From this tick on the segment is there and the head is not. */
function publish(host: Host, log: JobLog, file: LogFile, name: SegmentName, length: number): void {
  const { files } = host;
  const start = file.head;
  const index = file.readIndex();
  const slice = formatIndex(sliceIndex(index, start, start + length));
  files.writeFileSync(log.path(`${formatSegment(name)}.idx`), slice, { flag: 'wx', mode: MODE });
  files.renameSync(temporaryPath(log, name), log.path(`${formatSegment(name)}.log`));
  log.publishCut(file, name, { start, end: start + length, index });
}

function temporaryPath(log: JobLog, name: SegmentName): string {
  return log.path(`${formatSegment(name)}.log.tmp`);
}

async function copy(source: FileHandle, target: FileHandle, from: number, length: number): Promise<number> {
  const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(CHUNK, length)));
  let copied = 0;
  while (copied < length) {
    const wanted = Math.min(buffer.length, length - copied);
    const { bytesRead } = await source.read(buffer, 0, wanted, from + copied);
    if (bytesRead === 0) break;
    await target.writeFile(buffer.subarray(0, bytesRead));
    copied += bytesRead;
  }
  return copied;
}

/** What has come since, without letting the event loop turn. */
function copyRest(host: Host, source: FileHandle, target: FileHandle, from: number, at: number): number {
  const { files } = host;
  const buffer = Buffer.allocUnsafe(65_536);
  let copied = 0;
  while (copied < LAST_CHUNK) {
    const read = files.readSync(source.fd, buffer, 0, buffer.length, from + copied);
    if (read === 0) break;
    let written = 0;
    while (written < read) {
      written += files.writeSync(target.fd, buffer, written, read - written, at + copied + written);
    }
    copied += read;
  }
  return copied;
}
