/**
 * From a probe as it is written as a plugin to one as reclaim asks it: what was found is a pid, what is needed is a
 * process that can be told from every other that ever had that pid.
 */
import type { Host, Processes } from '../host/host.ts';
import { claimKey, type Holder } from '../reclaim/claim.ts';
import { commandLine } from './command_line.ts';
import type { PluginContext } from './context.ts';
import type { FoundHolder, OptionsOf, ProbePlugin } from './definition.ts';
import { hostContext } from './host_context.ts';
import { EVERYTHING, NOTHING } from './permissions.ts';
import type { Probe, ProbeAnswer } from './probe.ts';

/** Ms that one call may take. */
const DEADLINE = 5_000;

/** A probe that runs in this process, with everything that it asks for. */
export function inProcessProbe<P extends ProbePlugin>(plugin: P, options: OptionsOf<P['options']>): Probe {
  const asked = { ...NOTHING, ...plugin.permissions };
  const contextOf = (host: Host): PluginContext =>
    hostContext(host, {
      asked,
      granted: EVERYTHING,
      signal: AbortSignal.timeout(DEADLINE),
      log: () => {},
    });
  return {
    name: plugin.name,
    available: async (host) => plugin.available(contextOf(host)),
    async holders(query, host) {
      const begun = host.clock.wall();
      const found = await plugin.holders(query, contextOf(host), options);
      return provenAnswer(found, begun, host);
    },
  };
}

/**
 * The holders among what a probe found that are the processes it meant.
 *
 * @param begun when it was asked, ms since the epoch: a process that is younger may have got the pid of one that was
 *   seen and has ended since.
 */
export function provenAnswer(
  found: { readonly holders: readonly FoundHolder[]; readonly complete: boolean },
  begun: number,
  host: Host,
): ProbeAnswer {
  const holders = found.holders.flatMap((holder) => provenHolder(holder, begun, host));
  // Whoever ended while it was looked for, or let go, may have handed its socket on.
  const proven = new Set(holders.map(({ claim }) => claimKey(claim)));
  const lost = found.holders.some(({ claim }) => !proven.has(claimKey(claim)));
  return { holders, complete: found.complete && !lost };
}

function provenHolder(found: FoundHolder, begun: number, { processes, platform }: Host): Holder[] {
  const { claim, pid, address = null, fd = null, inode = null } = found;
  if (pid === null) return [{ claim, process: null, address, command: '', fd, inode }];
  const stat = processes.stat(pid);
  const process = processes.identity(pid);
  if (stat === null || process === null) return [];
  const held =
    platform === 'linux' && fd !== null && inode !== null ? hasOpen(pid, fd, inode, processes) : null;
  // Where the descriptor can be looked at, it proves more than any clock.
  if (!(held ?? stat.started_ms <= begun)) return [];
  const command = commandLine(processes.argv(pid), () => '');
  return [{ claim, process, address, command, fd, inode }];
}

/** Whether a descriptor of a process is that socket; null where its descriptors are not ours to see. */
function hasOpen(pid: number, fd: number, inode: string, processes: Processes): boolean | null {
  const link = processes.descriptor(pid, fd);
  if (link !== null) return link === `socket:[${inode}]`;
  return processes.descriptors(pid) === null ? null : false;
}
