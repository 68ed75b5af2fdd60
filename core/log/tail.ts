/**
 * The last lines of a log at once, as evidence: synchronous, and bounded in what it reads.
 */
import type { Files, Host } from '../host/host.ts';
import { CODECS, type Codec, type CodecWork, unreadableLine } from './codec.ts';
import { isMissing } from './index_file.ts';
import type { JobLog } from './job_log.ts';
import { endOf } from './lines.ts';
import type { LogFile } from './log_file.ts';
import { incarnationAt, type LogIndex, rangeOf } from './log_index.ts';
import { memberAt } from './members.ts';
import { READ } from './open_flags.ts';
import { lastPlace, type Place, previousPlace } from './pieces.ts';
import { formatSegment, type SegmentName } from './segment_name.ts';
import { segmentIndex } from './source.ts';

/** Never more than this is read, bytes. */
const MAX_BYTES = 65_536;

/**
 * The last lines that an incarnation wrote, or of all where it is null, as far as they lie within the last 64 KiB.
 *
 * @param lines How many at most.
 */
export function tailLines(host: Host, log: JobLog, incarnation: number | null, lines: number): string[] {
  let tail: Buffer = Buffer.alloc(0);
  for (let place = lastPlace(log); place !== null; place = previousPlace(log, place)) {
    const bytes = endOfFile(host.files, log, place, incarnation, MAX_BYTES - tail.length);
    if (bytes === 'older') break;
    tail = Buffer.concat([bytes, tail]);
    if (tail.length >= MAX_BYTES || endOf(tail, lines).length < tail.length) break;
  }
  const text = endOf(tail, lines).toString();
  if (text === '') return [];
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
}

/** Up to `limit` last bytes of what is wanted of a file; `older` where it ends before the incarnation begins. */
function endOfFile(
  files: Files,
  log: JobLog,
  { file, name }: Place,
  incarnation: number | null,
  limit: number,
): Buffer | 'older' {
  const index = file !== null ? file.readIndex() : name !== null ? segmentIndex(files, log, name) : null;
  if (index === null) return 'older';
  const range =
    incarnation === null ? { from: index.head, to: Number.POSITIVE_INFINITY } : rangeOf(index, incarnation);
  if (range === null) return index.incarnation < (incarnation ?? 0) ? 'older' : Buffer.alloc(0);
  try {
    if (file !== null) return endOfLive(files, file, range, limit);
    return name === null ? Buffer.alloc(0) : endOfSegment(files, log, name, index, range, limit);
  } catch (error) {
    if (isMissing(error)) return Buffer.alloc(0);
    throw error;
  }
}

type Bounds = { readonly from: number; readonly to: number };

function endOfLive(files: Files, file: LogFile, range: Bounds, limit: number): Buffer {
  return withFile(files, file.path, (fd) =>
    file.consistently((base) => lastOf(files, fd, base, base + files.fstatSync(fd).size, range, limit)),
  );
}

function endOfSegment(
  files: Files,
  log: JobLog,
  name: SegmentName,
  index: LogIndex,
  range: Bounds,
  limit: number,
): Buffer {
  const stem = `${formatSegment(name)}.log`;
  try {
    return withFile(files, log.path(stem), (fd) =>
      lastOf(files, fd, index.base, index.base + files.fstatSync(fd).size, range, limit),
    );
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const { segments } = log.layout();
  const packed = segments.find((segment) => formatSegment(segment.name) === formatSegment(name))?.packed;
  const codec = CODECS.find(({ suffix }) => suffix === packed);
  if (codec === undefined) return Buffer.alloc(0);
  const file = `${stem}.${codec.suffix}`;
  const { work } = codec;
  if (work === null) return unreadableLine(file, incarnationAt(index, range.from));
  return withFile(files, log.path(file), (fd) =>
    lastOfPacked(files, fd, { ...codec, work }, index.head, range, limit),
  );
}

function lastOf(files: Files, fd: number, base: number, end: number, range: Bounds, limit: number): Buffer {
  const to = Math.min(end, range.to);
  const from = Math.max(range.from, to - limit);
  return readAt(files, fd, from - base, Math.max(0, to - from));
}

function lastOfPacked(
  files: Files,
  fd: number,
  codec: Codec & { readonly work: CodecWork },
  head: number,
  range: Bounds,
  limit: number,
): Buffer {
  const { size } = files.fstatSync(fd);
  const tableFrom = Math.max(0, size - codec.max_table_bytes);
  const members = codec.decodeTable(readAt(files, fd, tableFrom, size - tableFrom)) ?? [];
  const last = members.at(-1);
  const to = Math.min(last === undefined ? 0 : last.start + last.length, range.to - head);
  const from = Math.max(range.from - head, to - limit, 0);
  const pieces: Buffer[] = [];
  for (let at = from; at < to; ) {
    const member = memberAt(members, at);
    if (member === null) break;
    const content = codec.work.decompressSync(readAt(files, fd, member.from, member.bytes));
    pieces.push(content.subarray(at - member.start, to - member.start));
    at = member.start + member.length;
  }
  return Buffer.concat(pieces);
}

function readAt(files: Files, fd: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, length === 0 ? 0 : files.readSync(fd, buffer, 0, length, position));
}

function withFile<T>(files: Files, path: string, use: (fd: number) => T): T {
  const fd = files.openSync(path, READ);
  try {
    return use(fd);
  } finally {
    files.closeSync(fd);
  }
}
