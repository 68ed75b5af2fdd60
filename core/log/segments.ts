/**
 * The segments of a job as retention sees them.
 */
import type { Files, Host } from '../host/host.ts';
import { CODECS } from './codec.ts';
import { openLog } from './flush.ts';
import { isMissing } from './index_file.ts';
import type { JobLog } from './job_log.ts';
import type { SegmentFiles } from './layout.ts';
import type { LogFile } from './log_file.ts';
import { WRITE } from './open_flags.ts';
import { planRetention } from './retention.ts';
import { formatSegment } from './segment_name.ts';

interface Kept {
  readonly files: SegmentFiles;
  /** Where somebody may still write to it. */
  readonly file: LogFile | undefined;
  readonly bytes: number;
  readonly written_at: number;
}

/** The bytes that a file takes on disk, not counting holes in it, and when it was last written to. */
function onDisk(files: Files, path: string): { readonly bytes: number; readonly written_at: number } {
  try {
    const { size, blocks, mtimeMs } = files.lstatSync(path);
    return { bytes: Math.min(size, blocks * 512), written_at: mtimeMs };
  } catch (error) {
    if (isMissing(error)) return { bytes: 0, written_at: Number.POSITIVE_INFINITY };
    throw error;
  }
}

/**
 * Removes what is too old, then the oldest segments until the job's log is within its bounds, and those that hold
 * nothing.
 *
 * A segment that somebody may still write to is emptied instead: a file without a name that goes on growing would
 * fill the disk where nobody sees it.
 */
export async function retainSegments(host: Host, log: JobLog): Promise<void> {
  const { files } = host;
  log.dirty = false;
  const segments: Kept[] = [];
  const empty: SegmentFiles[] = [];
  // All sizes in one tick: a segment that is compressed meanwhile would look empty by its old name.
  for (const segment of log.layout().segments) {
    const stem = formatSegment(segment.name);
    const suffix = segment.packed === null ? 'log' : `log.${segment.packed}`;
    const { bytes, written_at } = onDisk(files, log.path(`${stem}.${suffix}`));
    const file = log.sealed.find(({ name }) => name !== null && formatSegment(name) === stem);
    if (bytes > 0) segments.push({ files: segment, file, bytes, written_at });
    else if (file === undefined) empty.push(segment);
  }
  const active = log.active === null ? 0 : onDisk(files, log.active.path).bytes;
  const { policy } = log.job;
  const horizon = host.clock.wall() - (policy.max_age ?? Number.POSITIVE_INFINITY);
  const old = segments.filter(({ written_at }) => written_at <= horizon);
  const young = segments.filter(({ written_at }) => written_at > horizon);
  const sizes = young.map(({ bytes }) => bytes);
  const gone = planRetention(sizes, active, policy);
  log.archived = sizes.slice(gone).reduce((sum, bytes) => sum + bytes, 0);
  log.expires_at =
    Math.min(...young.slice(gone).map(({ written_at }) => written_at), Number.POSITIVE_INFINITY) +
    (policy.max_age ?? Number.POSITIVE_INFINITY);
  for (const segment of empty) await removeSegment(host, log, segment);
  for (const segment of [...old, ...young.slice(0, gone)]) {
    if (segment.file === undefined) await removeSegment(host, log, segment.files);
    else await emptyFile(host, log, segment.file);
  }
}

/** Removes a segment, its index last: what is left of it after a crash is recognised and removed. */
export async function removeSegment(host: Host, log: JobLog, segment: SegmentFiles): Promise<void> {
  const stem = formatSegment(segment.name);
  for (const suffix of ['log', ...CODECS.map((codec) => `log.${codec.suffix}`), 'idx']) {
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
