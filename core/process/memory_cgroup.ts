/**
 * The memory cgroup of a process, and how many of its processes the kernel killed for want of memory.
 */
import type { Files } from '../host/host.ts';

const MACHINE = '/proc/vmstat';

/** The path of a process's memory cgroup, from the hierarchy's root; null where it cannot be told. */
export function memoryCgroup(pid: number, files: Files): string | null {
  const lines = readText(`/proc/${pid}/cgroup`, files)?.split('\n') ?? [];
  let unified: string | null = null;
  for (const line of lines) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    // Where memory has a hierarchy of its own (version 1), the unified one knows nothing of it.
    if (controllers?.split(',').includes('memory')) return path;
    if (controllers === '') unified = path;
  }
  return unified;
}

/**
 * The file with the narrowest counter there is for a cgroup: its own, else the whole machine's.
 *
 * @param cgroup as {@link memoryCgroup} tells; null for the machine's.
 * @returns null where nothing counts.
 */
export function killCounter(cgroup: string | null, files: Files): string | null {
  const own = [`/sys/fs/cgroup${cgroup}/memory.events`, `/sys/fs/cgroup/memory${cgroup}/memory.oom_control`];
  const candidates = [...(cgroup === null ? [] : own), MACHINE];
  return candidates.find((file) => killCount(file, files) !== null) ?? null;
}

/** What a counter says now; null where its cgroup is gone. */
export function killCount(file: string, files: Files): number | null {
  const [, count] = /^oom_kill (\d+)$/m.exec(readText(file, files) ?? '') ?? [];
  return count === undefined ? null : Number(count);
}

function readText(path: string, files: Files): string | null {
  try {
    return files.readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}
