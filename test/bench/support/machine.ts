import { statfsSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';

const FILE_SYSTEMS = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x01021994, 'tmpfs'],
  [0x9123683e, 'btrfs'],
  [0x794c7630, 'overlayfs'],
]);

/** What the figures were taken on, in one line. */
export function machineLine(): string {
  const cores = cpus();
  const type = statfsSync(tmpdir()).type;
  return [
    `${cores[0]?.model.trim() ?? 'unknown processor'}, ${cores.length} cores`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Linux ${release()}`,
    `${FILE_SYSTEMS.get(type) ?? `file system 0x${type.toString(16)}`} for files`,
    `Node ${process.versions.node}`,
    `load ${loadavg()[0]?.toFixed(2)}`,
  ].join(', ');
}
