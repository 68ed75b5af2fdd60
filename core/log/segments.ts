/**
 * The segments of a job as retention sees them.
 */
import type { Files, Host } from '../host/host.ts';
import { openLog } from './flush.ts';
import { isMissing } from './index_file.ts';
import type { JobLog } from './job_log.ts';
import type { SegmentFiles } from './layout.ts';
import type { LogFile } from './log_file.ts';
import { WRITE } from './open_flags.ts';
import { planRetention } from './retention.ts';
import { formatSegment } from './segment_name.ts';

/** Bytes that a file takes on disk, not counting holes in it; 0 where it is not there. */
export function bytesOnDisk(files: Files, path: string): number {
  try {
    const { size, blocks } = files.lstatSync(path);
    return Math.min(size, blocks * 512);
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

/**
 * Removes the oldest segments until the job's log is within its bounds, and those that hold nothing.
 *
 * A segment that somebody may still write to is emptied instead: a file without a name that goes on growing would
 * fill the disk where nobody sees it.
 */
export async function retainSegments(host: Host, log: JobLog): Promise<void> {
  const { files } = host;
  log.dirty = false;
  const segments: { files: SegmentFiles; file: LogFile | undefined; bytes: number }[] = [];
  const empty: SegmentFiles[] = [];
  // All sizes in one tick: a segment that is compressed meanwhile would look empty by its old name.
  for (const segment of log.layout().segments) {
    const stem = formatSegment(segment.name);
    const bytes = bytesOnDisk(files, log.path(segment.gzip ? `${stem}.log.gz` : `${stem}.log`));
    const file = log.sealed.find(({ name }) => name !== null && formatSegment(name) === stem);
    if (bytes > 0) segments.push({ files: segment, file, bytes });
    else if (file === undefined) empty.push(segment);
  }
  const active = log.active === null ? 0 : bytesOnDisk(files, log.active.path);
  const sizes = segments.map(({ bytes }) => bytes);
  const gone = planRetention(sizes, active, log.job.policy);
  log.archived = sizes.slice(gone).reduce((sum, bytes) => sum + bytes, 0);
  for (const segment of empty) await removeSegment(host, log, segment);
  for (const segment of segments.slice(0, gone)) {
    if (segment.file === undefined) await removeSegment(host, log, segment.files);
    else await emptyFile(host, log, segment.file);
  }
}

/** Removes a segment, its index last: what is left of it after a crash is recognised and removed. */
export async function removeSegment(host: Host, log: JobLog, segment: SegmentFiles): Promise<void> {
  const stem = formatSegment(segment.name);
  for (const suffix of ['log', 'log.gz', 'idx']) {
    await host.files.promises.rm(log.path(`${stem}.${suffix}`), { force: true });
  }
}

async function emptyFile(host: Host, log: JobLog, file: LogFile): Promise<void> {
  if (file.removal !== null) return;
  const handle = await openLog(host, file, WRITE);
  try {
    log.drop(file, file.base + (await handle.stat()).size);
    await handle.truncate(0);
    file.rebase(0);
  } finally {
    await handle.close();
  }
}
