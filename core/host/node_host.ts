/**
 * The real host.
 */
import { systemClock } from './clock.ts';
import { darwinProcesses } from './darwin_processes.ts';
import { nodeFiles } from './files.ts';
import type { Host, Processes } from './host.ts';
import { linuxProcesses } from './linux_processes.ts';
import { nodeNet } from './net.ts';
import { nodeSpawner } from './spawner.ts';

/**
 * The machine that this runs on.
 *
 * @throws where it is neither Linux nor macOS, or /proc is not mounted.
 * @example
 * ```ts
 * const host = nodeHost();
 * host.processes.identity(process.pid);
 * ```
 */
export function nodeHost(): Host {
  const processes = processesOf(process.platform);
  return {
    platform: process.platform,
    clock: systemClock(),
    files: nodeFiles(),
    processes,
    net: nodeNet(),
    spawner: nodeSpawner(processes),
  };
}

function processesOf(platform: NodeJS.Platform): Processes {
  if (platform === 'linux') return linuxProcesses();
  if (platform === 'darwin') return darwinProcesses();
  throw new Error(`Cannot run here as the platform must be linux or darwin: current value is ${platform}`);
}
