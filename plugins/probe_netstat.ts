/**
 * Who holds a claim, as `netstat` of net-tools tells it: the last resort, where nothing better is installed.
 *
 * What netstat does not tell: more than one of the processes that have a socket open, who holds a socket of another
 * user's unless root runs it, a port that is bound and not listening, the folder that a relative path starts from, and
 * a path from its first blank on, where it cuts it.
 */
import * as v from 'valibot';
import { ClaimIndex } from '../core/plugin/claim_index.ts';
import { withoutConnections } from '../core/plugin/connections.ts';
import type { PluginContext } from '../core/plugin/context.ts';
import { defineProbe } from '../core/plugin/definition.ts';
import { claimsOfPath, holdersOf, type SeenSocket } from '../core/plugin/seen_sockets.ts';
import { pathInTable } from '../core/plugin/unix_path.ts';
import { type Claim, claimKey } from '../core/reclaim/claim.ts';

/** The longest output that is read, in bytes. */
const MAX_OUTPUT = 16 * 1024 * 1024;

// Proto Recv-Q Send-Q Local-Address Foreign-Address State User Inode PID/Program-name
const PORT_ROW = /^(tcp|udp)6? +\d+ +\d+ +(\S+):(\d+) +\S+ +(?:[A-Z]\S* +)?\S+ +(\d+) +(?:-|(\d+)\/.*?) *$/;
// Proto RefCnt Flags Type State I-Node PID/Program-name Path
const PATH_ROW = /^unix +\d+ +\[ [^\]]*\] +[A-Z]+ +(?:([A-Z]+) +)?(\d+|-) +(?:-|(\d+)\/.*?) +(\S*)$/;
const HEADER = /^(?:Active |Proto )/;
/** Where netstat cuts a path. */
const BLANK = /[\t-\r ]/;

/** What one run of netstat showed. `sure` false: some of it could not be read. */
interface Table {
  readonly sockets: readonly SeenSocket[];
  readonly sure: boolean;
}

/** Runs `netstat`. */
export const netstatProbe = defineProbe({
  name: 'netstat',
  api: 1,
  summary: 'Runs netstat of net-tools.',
  options: v.strictObject({}),
  permissions: { run: ['netstat'], read: ['*'] },

  async available(ctx) {
    try {
      // Those of other systems, and of busybox, print other tables.
      return (await ctx.run('netstat', ['--version'])).stdout.includes('net-tools');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  },

  async holders({ claims, exhaustive }, ctx) {
    const index = new ClaimIndex(claims);
    const [ports, paths] = await Promise.all([readPorts(index, ctx), readPaths(index, ctx)]);
    const sockets = [...ports.sockets, ...paths.sockets];
    const held = new Set(sockets.flatMap((socket) => socket.claims.map(claimKey)));
    const legible = claims.every((claim) => held.has(claimKey(claim)) || isLegible(claim));
    // A socket may have been handed to children: netstat names one of all that have it.
    const namesAll = !exhaustive || sockets.length === 0;
    return holdersOf(sockets, ports.sure && paths.sure && legible && namesAll);
  },
});

async function readPorts(index: ClaimIndex, ctx: PluginContext): Promise<Table> {
  if (!index.has('tcp') && !index.has('udp')) return { sockets: [], sure: true };
  const lines = await run('-Wlntupe', ctx);
  const sockets: SeenSocket[] = [];
  let sure = true;
  for (const line of lines) {
    const [, kind, host = '', port, inode, pid] = PORT_ROW.exec(line) ?? [];
    if (kind !== 'tcp' && kind !== 'udp') {
      sure = false;
      continue;
    }
    const claims = index.ofPort(kind, Number(port), () => host);
    if (claims.length > 0)
      sockets.push({ claims, address: host, inode: inodeOf(inode), users: usersOf(pid) });
  }
  return { sockets, sure };
}

async function readPaths(index: ClaimIndex, ctx: PluginContext): Promise<Table> {
  if (!index.has('socket')) return { sockets: [], sure: true };
  const found: (SeenSocket & { connected: boolean; path: string })[] = [];
  let sure = true;
  for (const line of await run('-Wanxpe', ctx)) {
    const [, state, inode, pid, path] = PATH_ROW.exec(line) ?? [];
    if (path === undefined) {
      sure = false;
      continue;
    }
    // Without a number it is a connection that nobody has accepted yet: its listener is in the table too.
    if (path === '' || inodeOf(inode) === null) continue;
    const of = await claimsOfPath(path, index, ctx);
    sure &&= of.sure;
    if (of.claims.length === 0) continue;
    const connected = state === 'CONNECTED';
    found.push({
      claims: of.claims,
      address: null,
      inode: inodeOf(inode),
      users: usersOf(pid),
      connected,
      path,
    });
  }
  if (found.length === 0) return { sockets: [], sure };
  const table = await ctx.readFile('/proc/net/unix');
  const whole = found.filter(({ inode, path }) => {
    const shown = pathInTable(table, inode ?? '');
    sure &&= shown !== null;
    return shown === path;
  });
  return { sockets: withoutConnections(whole), sure };
}

async function run(flags: string, ctx: PluginContext): Promise<string[]> {
  const { exit_code, stdout, stderr } = await ctx.run('netstat', [flags], { max_output: MAX_OUTPUT });
  if (exit_code !== 0)
    throw new Error(`Cannot use netstat as it must end with 0: it ended with ${exit_code}: ${stderr.trim()}`);
  if (Buffer.byteLength(stdout) >= MAX_OUTPUT) {
    throw new Error(`Cannot use netstat as its output must be below ${MAX_OUTPUT} bytes`);
  }
  return stdout.split('\n').filter((line) => line !== '' && !HEADER.test(line));
}

/** Whether netstat would have shown the whole of it. */
function isLegible(claim: Claim): boolean {
  return claim.kind !== 'socket' || !BLANK.test(claim.path);
}

/** Null where no process has it: the kernel's own. */
function inodeOf(text: string | undefined): string | null {
  return text === undefined || text === '0' || text === '-' ? null : text;
}

function usersOf(pid: string | undefined): { pid: number; fd: null }[] {
  return pid === undefined ? [] : [{ pid: Number(pid), fd: null }];
}
