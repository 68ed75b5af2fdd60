/**
 * Looks at the machine and at this process: what upkeep needs of them wherever its state is.
 */
import type { Host } from '../../../core/host/host.ts';
import { HAS_ZSTD } from '../../../core/log/codec.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** The oldest Node that upkeep runs on. */
const NODE = { major: 20, minor: 19 } as const;

/** Open files, and processes, below which a handful of services may come to the limit. */
const FEW_FILES = 1024;
const FEW_PROCESSES = 512;

/** The Node that runs this. @param version such as `v20.19.1`. */
export function nodeFinding(version: string, hasZstd: boolean = HAS_ZSTD): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const isOld = major < NODE.major || (major === NODE.major && minor < NODE.minor);
  if (isOld) {
    const needed = `${NODE.major}.${NODE.minor}`;
    return fail('node', `Node ${version} is older than ${needed}`, `install Node ${needed} or newer`);
  }
  return ok('node', `Node ${version}${hasZstd ? '' : ', without zstd (logs are compressed by gzip)'}`);
}

/** The operating system. */
export function platformFinding(platform: NodeJS.Platform): Finding {
  if (platform === 'linux') return ok('platform', 'Linux');
  if (platform === 'darwin') {
    return warn('platform', 'macOS: supported by lsof and ps, not tested', 'use Linux where it matters');
  }
  return fail('platform', `${platform} is not supported`, 'use Linux');
}

/** The shell that text in `run` is for, and that oneshots run below. */
export function shellFinding({ files }: Pick<Host, 'files'>): Finding {
  return files.existsSync('/bin/sh')
    ? ok('shell', '/bin/sh is there')
    : fail('shell', 'there is no /bin/sh', 'install a shell: text in `run` and oneshots need one');
}

/** Whether every process can be looked into: who cannot be is an unknown holder. */
export function processesFinding({ processes }: Pick<Host, 'processes'>, uid: number): Finding {
  if (processes.stat(1) === null) {
    const advice = 'mount /proc without hidepid, or run upkeep as root: others are no holders otherwise';
    return warn('processes', 'processes of other users cannot be seen at all', advice);
  }
  const living = processes.list().filter((pid) => processes.stat(pid) !== null);
  // Kernel threads have nothing open; as root nothing is hidden.
  const hidden = living.filter((pid) => processes.descriptors(pid) === null && processes.stat(pid) !== null);
  if (uid === 0 || hidden.length === 0) return ok('processes', `all ${living.length} can be looked into`);
  return warn(
    'processes',
    `${hidden.length} of ${living.length} cannot be looked into: they belong to others`,
    'nothing, if your services are your own; else run upkeep as root, or with CAP_SYS_PTRACE',
  );
}

/** Why a process was killed for want of memory is in the kernel's log. */
export function kernelLogFinding({ files, platform }: Pick<Host, 'files' | 'platform'>): Finding {
  if (platform !== 'linux') return ok('kernel log', 'not read on this platform');
  try {
    files.accessSync('/dev/kmsg', 4);
    files.closeSync(files.openSync('/dev/kmsg', 'r'));
    return ok('kernel log', '/dev/kmsg can be read: deaths for want of memory are told apart');
  } catch {
    return warn(
      'kernel log',
      '/dev/kmsg cannot be read: a death for want of memory is only inferred from cgroups',
      'run upkeep as root, or allow it: sysctl kernel.dmesg_restrict=0',
    );
  }
}

/** The limits of this process, which services inherit. @param limits the text of /proc/self/limits; null: not known. */
export function limitFindings(limits: string | null): Finding[] {
  return [
    limitFinding('open files', 'nofile', FEW_FILES, limits),
    limitFinding('processes', 'nproc', FEW_PROCESSES, limits),
  ];
}

function limitFinding(what: string, name: string, few: number, limits: string | null): Finding {
  const line = new RegExp(`^Max ${what}\\s+(\\S+)`, 'm').exec(limits ?? '');
  const check = `limit ${name}`;
  if (line?.[1] === undefined) return ok(check, 'not known on this platform');
  if (line[1] === 'unlimited') return ok(check, `no limit of ${what}`);
  const limit = Number(line[1]);
  if (limit >= few) return ok(check, `${limit} ${what}`);
  return warn(
    check,
    `only ${limit} ${what}`,
    `raise it to ${few} or more: ulimit, or LimitNOFILE and LimitNPROC`,
  );
}
