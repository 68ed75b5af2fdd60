/**
 * Who holds a claim, as `ss` of iproute2 tells it: by netlink, which is fast however many connections there are.
 *
 * What ss does not tell: who holds a socket of another user's unless root runs it, a port that is bound and not
 * listening, and the folder that a relative path starts from. It prints paths and names of programs as they are, line
 * breaks and all: a row that can be read in two ways is not believed, and then the answer is not complete.
 */
import * as v from 'valibot';
import { ClaimIndex } from '../core/plugin/claim_index.ts';
import type { PluginContext } from '../core/plugin/context.ts';
import { defineProbe } from '../core/plugin/definition.ts';
import { claimsOfPath, holdersOf, type SeenSocket } from '../core/plugin/seen_sockets.ts';
import type { Claim } from '../core/reclaim/claim.ts';

/** The longest output that is read, in bytes. */
const MAX_OUTPUT = 16 * 1024 * 1024;

// Netid State Recv-Q Send-Q Local:Port Peer:Port users:(…) timer:(…) uid:… ino:… sk:…
const PORT_ROW = /^(tcp|udp) +\S+ +\d+ +\d+ +(\S+):(\d+) +\S+ *(.*)$/s;
const PORT_DETAILS = /^(?:users:\((.*)\) +)?(?:timer:\(\S*\) +)?(?:uid:\d+ +)?ino:(\d+) +sk:/s;
// Netid State Recv-Q Send-Q Path Inode Peer Inode users:(…) <-> …
const PATH_ROW = /^u_[a-z]+ +(\S+) +\d+ +\d+ +(.*)$/s;
/** What ends a path. A path, or the name of a program, may look like it: then it is there twice. */
const PATH_END = / (\d+) +\* +\d+ *(?=users:\(|<->|$)/g;
const ROW_START = /^(?:tcp|udp|u_[a-z]+) +[A-Z]/;
const USER = /,pid=(\d+),fd=(\d+)\)/g;

/** What one run of ss showed. `sure` false: some of it could not be read. */
interface Table {
  readonly sockets: readonly SeenSocket[];
  readonly sure: boolean;
}

/** Runs `ss`. */
export const ssProbe = defineProbe({
  name: 'ss',
  api: 1,
  summary: 'Runs ss of iproute2.',
  options: v.strictObject({}),
  permissions: { run: ['ss'], read: ['*'] },

  async available(ctx) {
    try {
      return (await ctx.run('ss', ['-V'])).stdout.includes('iproute2');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  },

  async holders({ claims }, ctx) {
    const index = new ClaimIndex(claims);
    const bound = await readTable(index.has('socket') ? '-Hlntupxe' : '-Hlntupe', index, ctx);
    const held = new Set(bound.sockets.flatMap((socket) => socket.claims));
    const open = claims.filter((claim) => claim.kind === 'socket' && !held.has(claim));
    if (open.length === 0) return holdersOf(bound.sockets, bound.sure);
    // An accepted socket shows its listener's path, and tells who has the path where the listener itself is gone.
    const connected = await readTable('-Hanpxe', new ClaimIndex(open), ctx);
    return holdersOf([...bound.sockets, ...connected.sockets], bound.sure && connected.sure);
  },
});

async function readTable(flags: string, index: ClaimIndex, ctx: PluginContext): Promise<Table> {
  const { exit_code, stdout, stderr } = await ctx.run('ss', [flags], { max_output: MAX_OUTPUT });
  if (exit_code !== 0)
    throw new Error(`Cannot use ss as it must end with 0: it ended with ${exit_code}: ${stderr.trim()}`);
  if (Buffer.byteLength(stdout) >= MAX_OUTPUT) {
    throw new Error(`Cannot use ss as its output must be below ${MAX_OUTPUT} bytes`);
  }
  const sockets: SeenSocket[] = [];
  let sure = true;
  for (const row of rowsOf(stdout)) {
    const seen = row.startsWith('u_') ? await pathSocket(row, index, ctx) : portSocket(row, index);
    if (seen === null) sure = false;
    else if (seen.claims.length > 0) sockets.push(seen);
  }
  return { sockets, sure };
}

/** What follows a line break in a path, or in the name of a program, belongs to the row before. */
function rowsOf(output: string): string[] {
  const rows: string[] = [];
  for (const line of output.replace(/\n$/, '').split('\n')) {
    if (rows.length === 0 || ROW_START.test(line)) rows.push(line);
    else rows.push(`${rows.pop()}\n${line}`);
  }
  return rows.filter((row) => row !== '');
}

/** Null where the row cannot be read. */
function portSocket(row: string, index: ClaimIndex): SeenSocket | null {
  const [, kind, host, port, rest = ''] = PORT_ROW.exec(row) ?? [];
  const [, users = '', inode] = PORT_DETAILS.exec(rest) ?? [];
  if ((kind !== 'tcp' && kind !== 'udp') || host === undefined || inode === undefined) return null;
  const address = addressOf(host);
  const claims = index.ofPort(kind, Number(port), () => address);
  return { claims, address, inode: inode === '0' ? null : inode, users: usersOf(users) };
}

/** `*` stands for every address of both families, `[::]` for every one of IPv6; the brackets may have a zone behind. */
function addressOf(host: string): string {
  return host === '*' ? '::' : host.replace(/^\[(.*)\]/, '$1');
}

/** Null where the row cannot be read, or nobody can tell whose path it has. */
async function pathSocket(row: string, index: ClaimIndex, ctx: PluginContext): Promise<SeenSocket | null> {
  const [, , rest] = PATH_ROW.exec(row) ?? [];
  const [end, ...others] = [...(rest ?? '').matchAll(PATH_END)];
  if (rest === undefined || end === undefined || others.length > 0) return null;
  const path = rest.slice(0, end.index);
  const { claims, sure } = path === '*' ? NOBODYS : await claimsOfPath(path, index, ctx);
  if (!sure) return null;
  return { claims, address: null, inode: end[1] ?? null, users: usersOf(rest.slice(end.index)) };
}

const NOBODYS: { readonly claims: readonly Claim[]; readonly sure: boolean } = { claims: [], sure: true };

function usersOf(text: string): { pid: number; fd: number }[] {
  return [...text.matchAll(USER)].map(([, pid, fd]) => ({ pid: Number(pid), fd: Number(fd) }));
}
