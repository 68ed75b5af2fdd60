/**
 * Reading the bytes of one file of a log, by logical offset, whatever kind of file it is.
 */

import type { FileHandle } from 'node:fs/promises';
import type { Files, Host } from '../host/host.ts';
import type { Cursor } from './audience.ts';
import { CODECS, type Codec, type CodecWork, unreadableLine } from './codec.ts';
import { openLog } from './flush.ts';
import { isMissing, readText } from './index_file.ts';
import type { JobLog } from './job_log.ts';
import type { LogFile } from './log_file.ts';
import { type LogIndex, newIndex, parseIndex } from './log_index.ts';
import { type Member, memberAt } from './members.ts';
import { READ } from './open_flags.ts';
import { formatSegment, type SegmentName } from './segment_name.ts';

/** Bytes read at a time. */
export const CHUNK = 65_536;

/** One file of a log, open for reading. */
export interface Source {
  /** False once the cursor is somewhere else than where this was opened for. */
  holds(cursor: Cursor): boolean;
  index(): LogIndex;
  /** When it was last written to, ms since the epoch. */
  readonly written_at: number;
  /** The offset of the first byte there is. */
  start(): number;
  /** The offset after the last byte there is now. */
  end(): number;
  /**
   * Reads, and moves the cursor in the same tick. So a rotation sees a cursor that stands either before or after
   * what was read, and can take it along.
   *
   * @param from An offset that is not before the start.
   * @param land Where the cursor is to stand, from what was read.
   * @returns less than `length` bytes only where the file ends; null where the cursor was moved meanwhile.
   */
  read(cursor: Cursor, from: number, length: number, land: (bytes: Buffer) => number): Promise<Buffer | null>;
  close(): Promise<void>;
}

/**
 * Opens what a cursor is at.
 *
 * @returns null where it is gone (retention removes segments while they are read), or the cursor was moved.
 */
export async function openSource(host: Host, log: JobLog, cursor: Cursor): Promise<Source | null> {
  const { file, name } = cursor;
  try {
    if (file !== null) return await openLive(host, file);
    if (name === null) return null;
    const plain = await openPlain(host, log, name);
    return plain ?? (await openPacked(host, log, name));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** The index of a segment that nobody writes to. */
export function segmentIndex(files: Files, log: JobLog, name: SegmentName): LogIndex {
  const fallback = newIndex('done', name.incarnation, 0);
  return parseIndex(readText(files, log.path(`${formatSegment(name)}.idx`)), fallback);
}

/** A read of a live file that has not ended: whoever asks for the same meanwhile is given what it brings. */
interface Reading {
  readonly epoch: number;
  readonly from: number;
  readonly length: number;
  readonly bytes: Promise<Buffer>;
}

/** What grows wakes every follower in one turn: they read the same, once, and share the memory. */
const readings = new WeakMap<LogFile, Reading>();

/** A file that somebody writes to, and whose head may leave it between any two calls. */
async function openLive(host: Host, file: LogFile): Promise<Source> {
  const handle = await openLog(host, file, READ);
  const { mtimeMs } = await orClose(handle, () => handle.stat());
  return {
    holds: (cursor) => cursor.file === file,
    index: () => file.readIndex(),
    written_at: mtimeMs,
    start: () => file.head,
    end: () => file.consistently((base) => base + host.files.fstatSync(handle.fd).size),
    async read(cursor, from, length, land) {
      const { offset } = cursor;
      // Where somebody has shortened the file, the head is past what was asked for.
      const moved = () => cursor.file !== file || cursor.offset !== offset || from < file.head;
      for (;;) {
        await file.certain();
        const { epoch } = file;
        if (moved()) return null;
        const bytes = await shared(file, from, length, () => {
          // No more is asked for than is there: nearly always a few lines, whose buffers would make the process that
          // forks a large one.
          const position = from - file.base;
          const left = Math.max(0, host.files.fstatSync(handle.fd).size - position);
          return left === 0 ? null : readAt(handle, position, Math.min(length, left));
        });
        // Bytes changed their place meanwhile: these may be others than were asked for.
        if (file.epoch !== epoch) continue;
        // The nonce of a removal is written only after the cursor was taken along to the segment.
        if (moved()) return null;
        cursor.offset = land(bytes);
        return bytes;
      }
    },
    close: () => handle.close(),
  };
}

/**
 * Joins the read of the same bytes that is under way, or begins one; `begin` says null where there is nothing to read. Who
 * began it waits for it too, and closes its descriptor only afterwards.
 */
async function shared(
  file: LogFile,
  from: number,
  length: number,
  begin: () => Promise<Buffer> | null,
): Promise<Buffer> {
  const { epoch } = file;
  const other = readings.get(file);
  if (other?.epoch === epoch && other.from === from && other.length === length) return other.bytes;
  const bytes = begin();
  if (bytes === null) return Buffer.alloc(0);
  const reading = { epoch, from, length, bytes };
  readings.set(file, reading);
  try {
    return await bytes;
  } finally {
    if (readings.get(file) === reading) readings.delete(file);
  }
}

/** What nobody writes to, and nobody moves. */
interface Still {
  readonly index: LogIndex;
  readonly written_at: number;
  readonly end: number;
  fetch(offset: number, length: number): Promise<Buffer>;
}

function stillSource(handle: FileHandle, name: SegmentName, still: Still): Source {
  return {
    holds: (cursor) => cursor.file === null && cursor.name === name,
    index: () => still.index,
    written_at: still.written_at,
    start: () => still.index.head,
    end: () => still.end,
    async read(cursor, from, length, land) {
      const bytes = await still.fetch(from, length);
      cursor.offset = land(bytes);
      return bytes;
    },
    close: () => handle.close(),
  };
}

async function openPlain(host: Host, log: JobLog, name: SegmentName): Promise<Source | null> {
  const handle = await openIfThere(host, log.path(`${formatSegment(name)}.log`));
  if (handle === null) return null;
  const { index, size, mtimeMs } = await orClose(handle, async () => {
    const { size, mtimeMs } = await handle.stat();
    return { index: segmentIndex(host.files, log, name), size, mtimeMs };
  });
  const fetch = (offset: number, length: number) => readAt(handle, offset - index.base, length);
  return stillSource(handle, name, { index, written_at: mtimeMs, end: index.base + size, fetch });
}

async function openPacked(host: Host, log: JobLog, name: SegmentName): Promise<Source | null> {
  for (const codec of CODECS) {
    const file = `${formatSegment(name)}.log.${codec.suffix}`;
    const handle = await openIfThere(host, log.path(file));
    if (handle === null) continue;
    const { work } = codec;
    return await orClose(handle, () => {
      const index = segmentIndex(host.files, log, name);
      return work === null
        ? openUnreadable(handle, name, file, index)
        : openMembers(handle, name, index, { ...codec, work });
    });
  }
  return null;
}

/** In the place of a segment that this Node cannot decompress: a line for each incarnation that wrote to it. */
async function openUnreadable(
  handle: FileHandle,
  name: SegmentName,
  file: string,
  { head, begun_at, incarnation, runs }: LogIndex,
): Promise<Source> {
  const { mtimeMs } = await handle.stat();
  const [first = incarnation, ...later] = new Set([incarnation, ...runs.map((run) => run.incarnation)]);
  let content = unreadableLine(file, first);
  const told = later.map((next) => {
    const offset = head + content.length;
    content = Buffer.concat([content, unreadableLine(file, next)]);
    return { incarnation: next, offset, time: begun_at };
  });
  return stillSource(handle, name, {
    index: { ...newIndex('done', first, begun_at), base: head, head, runs: told },
    written_at: mtimeMs,
    end: head + content.length,
    fetch: async (offset, length) => content.subarray(offset - head, offset - head + length),
  });
}

/** Its first byte is that at `head`: what was not to be read any more is not in it. */
async function openMembers(
  handle: FileHandle,
  name: SegmentName,
  index: LogIndex,
  codec: Codec & { readonly work: CodecWork },
): Promise<Source> {
  const { size, mtimeMs } = await handle.stat();
  const from = Math.max(0, size - codec.max_table_bytes);
  const members = codec.decodeTable(await readAt(handle, from, size - from)) ?? [];
  const last = members.at(-1);
  const end = index.head + (last === undefined ? 0 : last.start + last.length);
  // A reader asks for a member piece by piece: it is kept until the next one is wanted.
  let kept: { member: Member; content: Buffer } | null = null;
  const fetch = async (offset: number, length: number): Promise<Buffer> => {
    const pieces: Buffer[] = [];
    let at = offset - index.head;
    for (let left = length; left > 0; ) {
      const member = memberAt(members, at);
      if (member === null) break;
      if (kept?.member !== member) {
        const bytes = await readAt(handle, member.from, member.bytes);
        kept = { member, content: await codec.work.decompress(bytes) };
      }
      const piece = kept.content.subarray(at - member.start, at - member.start + left);
      pieces.push(piece);
      at += piece.length;
      left -= piece.length;
    }
    return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
  };
  return stillSource(handle, name, { index, written_at: mtimeMs, end, fetch });
}

/** What is opened and then cannot be used is let go. */
async function orClose<T>(handle: FileHandle, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openIfThere(host: Host, path: string): Promise<FileHandle | null> {
  try {
    return await host.files.promises.open(path, READ);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
