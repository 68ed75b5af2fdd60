/**
 * Looks at the state folder, or at where it will be made: owner, mode, room, what its file system can do.
 */
import { mkdtempSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Host } from '../../../core/host/host.ts';
import { probeHeadMethod } from '../../../core/log/removal.ts';
import { instanceName } from '../../../core/supervisor/paths.ts';
import { socketPath } from '../../http/socket_path.ts';
import type { Io } from '../io.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** Bytes below which a disk counts as full, and as nearly so. */
const FULL = 16 * 1024 * 1024;
const LITTLE = 512 * 1024 * 1024;

/** File systems by their number in statfs(2). */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  61267: 'ext4',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  16914836: 'tmpfs',
  2035054128: 'overlay',
  26985: 'nfs',
  4283649346: 'cifs',
  4266872130: 'smb2',
  1702057286: 'fuse',
  801189825: 'zfs',
};

/** Those that other machines can write to, where SQLite's locks mean nothing. */
const REMOTE = ['nfs', 'cifs', 'smb2'];

/** Everything about the state folder at `dir`, absolute. */
export async function stateFindings(host: Host, dir: string, uid: number, io: Io): Promise<Finding[]> {
  const there = nearestFolder(host, dir);
  return [
    folderFinding(host, dir, there, uid),
    ...(await fileSystemFindings(host, there)),
    await logFinding(host, there),
    socketFinding(host, dir, io),
  ];
}

/** The folder itself, or the nearest one above that there is. */
function nearestFolder({ files }: Host, dir: string): string {
  let folder = dir;
  while (!files.existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}

function folderFinding({ files }: Host, dir: string, there: string, uid: number): Finding {
  const check = 'state folder';
  try {
    const stat = files.statSync(there);
    if (!stat.isDirectory()) return fail(check, `${there} is no folder`, 'name another one with --state');
    files.accessSync(there, 7);
    if (there !== dir) return ok(check, `${dir} is made by the first upkeep up`);
    if (stat.uid !== uid) {
      return fail(check, `${dir} belongs to uid ${stat.uid}`, 'run upkeep as its owner, or name another one');
    }
    if ((stat.mode & 0o077) !== 0) {
      return warn(check, `others may look into ${dir}`, `chmod 700 ${dir}; upkeep up does it too`);
    }
    return ok(check, `${dir}, for nobody else`);
  } catch (error) {
    return fail(check, (error as Error).message, 'name a folder that you may write to with --state');
  }
}

async function fileSystemFindings({ files }: Host, there: string): Promise<Finding[]> {
  try {
    const { type, bavail, bsize, ffree, files: inodes } = await files.promises.statfs(there);
    const name = FILE_SYSTEMS[type >>> 0] ?? `of type 0x${(type >>> 0).toString(16)}`;
    const free = bavail * bsize;
    const room = `${Math.floor(free / 1024 / 1024)} MiB free`;
    const scarce = inodes > 0 && ffree < 1000;
    const more = 'make room, or keep the state elsewhere with --state';
    return [
      REMOTE.includes(name)
        ? fail(
            'file system',
            `${name}: locks of the store do not hold there`,
            'keep the state on a local disk',
          )
        : name === 'tmpfs'
          ? warn('file system', 'tmpfs: state and logs are gone after a reboot', 'keep the state on a disk')
          : ok('file system', name),
      free < FULL
        ? fail('room', room, more)
        : free < LITTLE || scarce
          ? warn('room', scarce ? `${room}, ${ffree} files` : room, more)
          : ok('room', room),
    ];
  } catch (error) {
    return [
      warn('file system', `cannot be looked at: ${(error as Error).message}`, 'look at it by hand: df'),
    ];
  }
}

/** How the head of a log in use can be taken out of it; tried in a folder of its own. */
async function logFinding(host: Host, there: string): Promise<Finding> {
  const check = 'log rotation';
  let scratch: string | null = null;
  try {
    scratch = mkdtempSync(join(there, '.upkeep-doctor-'));
    const method = await probeHeadMethod(host, scratch, host.files.statSync(scratch).blksize);
    if (method !== 'truncate') return ok(check, `loses no line (fallocate: ${method})`);
    return warn(
      check,
      'a log in use is copied and truncated: lines that are written meanwhile are lost (LOG_LOSSY)',
      'install util-linux (fallocate), or keep the state on ext4 or xfs',
    );
  } catch (error) {
    return warn(check, `cannot be tried: ${(error as Error).message}`, 'name a folder that you may write to');
  } finally {
    if (scratch !== null) host.files.rmSync(scratch, { recursive: true, force: true });
  }
}

function socketFinding({ files }: Host, dir: string, { env }: Io): Finding {
  const check = 'socket';
  try {
    const real = files.existsSync(dir) ? files.realpathSync(dir) : dir;
    return ok(check, socketPath(real, instanceName(real), env));
  } catch (error) {
    return fail(check, (error as Error).message, 'name a shorter folder with --state');
  }
}
