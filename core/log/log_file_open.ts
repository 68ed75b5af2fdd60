/**
 * Makes fresh log files, and takes up those that are there.
 */
import type { BigIntStats } from 'node:fs';
import type { Files } from '../host/host.ts';
import { readText, writeIndex } from './index_file.ts';
import { CURRENT } from './layout.ts';
import { LogFile } from './log_file.ts';
import { type LogIndex, newIndex, parseIndex } from './log_index.ts';
import { CREATE_LOG, MODE } from './open_flags.ts';
import { formatSegment, type SegmentName } from './segment_name.ts';

/** What a log file is made from. */
export interface FoundLogFile {
  readonly stat: BigIntStats;
  readonly index: LogIndex;
  /** The text of its index file; empty where that is whole, or there is none. */
  readonly text: string;
  /** When nothing could be read of it, ms since the epoch; null where that is not known. */
  readonly empty_at: number | null;
}

/** What {@link createLogFile} made. */
export interface CreatedLog {
  readonly file: LogFile;
  readonly fd: number;
  /** Why there is no index, where writing it failed. A service starts without one rather than not at all. */
  readonly problem: unknown;
}

/**
 * Makes a fresh active log, on the restart path. The index comes first: a log without one is then always one
 * whose index a restart rotation has renamed already, and that index names the segment it belongs to.
 *
 * @throws an `ErrnoException` where the log cannot be made.
 */
export function createLogFile(files: Files, dir: string, incarnation: number, wall: number): CreatedLog {
  const index = newIndex('open', incarnation, wall);
  let problem: unknown = null;
  try {
    writeIndex(files, `${dir}/${CURRENT}.idx`, index);
  } catch (error) {
    problem = error;
  }
  const fd = files.openSync(`${dir}/${CURRENT}.log`, CREATE_LOG, MODE);
  const stat = files.fstatSync(fd, { bigint: true });
  const file = new LogFile(files, dir, null, { stat, index, text: '', empty_at: wall });
  return { file, fd, problem };
}

/**
 * Takes up a log that is there, and finishes the cut that a crash may have left between its two ends.
 *
 * @param incarnation What to assume where its index is lost.
 * @param exists Whether there is such a segment.
 * @returns null where it is no regular file.
 */
export function loadLogFile(
  files: Files,
  dir: string,
  name: SegmentName | null,
  incarnation: number,
  exists: (name: SegmentName) => boolean,
): LogFile | null {
  const stem = name === null ? CURRENT : formatSegment(name);
  const stat = files.lstatSync(`${dir}/${stem}.log`, { bigint: true });
  if (!stat.isFile()) return null;
  const text = readText(files, `${dir}/${stem}.idx`);
  const index = parseIndex(text, newIndex('open', incarnation, Number(stat.mtimeMs)));
  const file = new LogFile(files, dir, name, { stat, index, text, empty_at: null });
  file.doubtful = true;
  if (index.removal !== null) file.expectRemoval(index.removal);
  if (index.cut !== null && exists(index.cut.name)) file.moveHead(index.cut.end);
  else if (index.cut !== null) file.rewrite();
  // A segment that was being emptied. Of the active log it is the next look that notices, and tells.
  const size = Number(stat.size);
  if (name !== null && file.removal === null && file.base + size < file.end) file.rebase(size);
  return file;
}
