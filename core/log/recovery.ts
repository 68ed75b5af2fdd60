/**
 * Takes up a job's log folder as it lies there, and finishes what a crash has left half done.
 */
import { join } from 'node:path';
import type { Files, Host } from '../host/host.ts';
import { codecOf } from './codec.ts';
import { readText } from './index_file.ts';
import { JobLog, namesIn } from './job_log.ts';
import { CURRENT, type Layout, readLayout } from './layout.ts';
import type { LogFile } from './log_file.ts';
import { loadLogFile } from './log_file_open.ts';
import { type LogKind, newIndex, parseIndex } from './log_index.ts';
import type { LogJob } from './log_job.ts';
import { isRemovalUnderWay } from './removal.ts';
import { formatSegment, type SegmentName } from './segment_name.ts';

/**
 * Loads the log of a job.
 *
 * @param logsDir The folder of all logs, a real path.
 * @param incarnation Whose the active log is where its index is lost.
 * @throws where something that is no log lies in the way.
 */
export function loadJobLog(
  host: Host,
  logsDir: string,
  job: LogJob,
  incarnation: number,
  onFollowed: (log: JobLog) => void,
): JobLog {
  const { files } = host;
  const dir = jobFolder(logsDir, job);
  const names = namesIn(files, dir);
  if (names.length > 0 && files.realpathSync(dir) !== dir) {
    throw new Error(
      `Cannot keep logs in ${dir} as it must be a folder of upkeep's own: there is a link in the way`,
    );
  }
  tidy(files, dir, readLayout(names));
  const layout = readLayout(namesIn(files, dir));
  const known = new Set(layout.segments.map(({ name }) => formatSegment(name)));
  const load = (name: SegmentName | null, whose: number): LogFile | null => {
    const file = loadLogFile(files, dir, name, whose, (cut) => known.has(formatSegment(cut)));
    if (file !== null && file.removal !== null && !isRemovalUnderWay(host, file)) file.settleRemoval();
    return file;
  };
  const active = layout.current.log ? load(null, incarnation) : null;
  if (layout.current.log && active === null) {
    throw new Error(`Cannot use ${dir}/${CURRENT}.log as a log as it must be a regular file`);
  }
  const open = layout.segments.filter(({ name, plain }) => plain && kindOf(files, dir, name) === 'open');
  const sealed = open.map(({ name }) => load(name, name.incarnation)).filter((file) => file !== null);
  const last = layout.segments.at(-1)?.name ?? null;
  return new JobLog(host, { dir, job, active, sealed, last, on_followed: onFollowed });
}

/**
 * Where a job's logs are.
 *
 * @throws where a name cannot be a folder's.
 */
function jobFolder(logsDir: string, job: LogJob): string {
  const parts = [job.service, job.action, job.job_id];
  for (const part of parts) {
    if (part === '' || part === '.' || part === '..' || part.includes('/') || part.includes('\0')) {
      throw new Error(
        `Cannot keep logs of ${parts.join('/')} as each part must be a file name: one is "${part}"`,
      );
    }
  }
  return join(logsDir, ...parts);
}

function tidy(files: Files, dir: string, { segments, current, temporary }: Layout): void {
  for (const name of temporary) files.unlinkSync(`${dir}/${name}`);
  const path = (name: SegmentName, suffix: string) => `${dir}/${formatSegment(name)}.${suffix}`;
  // A compressed segment has its name only once it is complete: what it was made from is left over, and as good where
  // this Node cannot read the other.
  for (const { name, plain, packed } of segments) {
    if (plain && packed !== null)
      files.unlinkSync(path(name, codecOf(packed).work === null ? `log.${packed}` : 'log'));
  }
  let orphans = segments
    .filter(({ plain, packed, index }) => index && !plain && packed === null)
    .map(({ name }) => name);
  if (current.log && !current.index) {
    // A restart rotation got as far as its first rename.
    const sealing = orphans.findLast((name) => kindOf(files, dir, name) === 'open');
    if (sealing !== undefined) files.renameSync(`${dir}/${CURRENT}.log`, path(sealing, 'log'));
    orphans = orphans.filter((name) => name !== sealing);
  }
  if (current.index && !current.log) files.unlinkSync(`${dir}/${CURRENT}.idx`);
  for (const name of orphans) files.unlinkSync(path(name, 'idx'));
}

function kindOf(files: Files, dir: string, name: SegmentName): LogKind {
  return parseIndex(readText(files, `${dir}/${formatSegment(name)}.idx`), newIndex('open', 0, 0)).kind;
}
