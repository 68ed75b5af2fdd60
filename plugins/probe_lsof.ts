/**
 * Who holds a claim, as `lsof` tells it: the way on macOS, and on Linux where /proc/net cannot be read.
 *
 * What lsof does not tell: anything of other users' processes unless root runs it, a port that is bound and not
 * listening, whether a socket on `::` is for IPv6 only, the folder that a relative path starts from, and on Linux a
 * path with a blank, a colon or a line break in it, which it cuts there.
 */
import { posix } from 'node:path';
import type { Files, Host } from '../core/host/host.ts';
import { ClaimIndex, isSameFile } from '../core/plugin/claim_index.ts';
import { commandLine } from '../core/plugin/command_line.ts';
import { withoutConnections } from '../core/plugin/connections.ts';
import type { Probe } from '../core/plugin/probe.ts';
import { pathInTable } from '../core/plugin/unix_path.ts';
import { type Claim, claimKey, type Holder } from '../core/reclaim/claim.ts';

/** How long lsof may take, in ms. */
const DEADLINE = 5_000;
/** The longest output that is read, in bytes. */
const MAX_OUTPUT = 8 * 1024 * 1024;
/** How many addresses lsof can be asked about. */
const MAX_ADDRESSES = 100;
/** A path that every lsof prints as it is. */
const LEGIBLE = /^[!-9;-[\]-~]+$/;

/** A line of lsof's: one descriptor of one process. */
interface Line {
  readonly pid: number;
  readonly fd: number;
  readonly command: string;
  /** `IPv4`, `IPv6` or `unix`. */
  readonly type: string;
  readonly protocol: string;
  readonly name: string;
  /** `LISTEN`, `CONNECTED` …; empty where lsof does not say. */
  readonly state: string;
  /** On Linux the inode, elsewhere what the kernel tells the socket by. */
  readonly inode: string;
}

/** What a line is bound to, as far as somebody claims it. */
interface Binding {
  readonly line: Line;
  readonly claims: readonly Claim[];
  readonly address: string | null;
}

/** Runs `lsof`. */
export const lsofProbe: Probe = {
  name: 'lsof',

  async available({ spawner }) {
    return (await spawner.run('lsof', ['-v'], { timeout: DEADLINE })).exit_code === 0;
  },

  async holders({ claims }, host) {
    const begun = host.clock.wall();
    const lines = parse(await ask(claims, host));
    const index = new ClaimIndex(claims);
    const bindings = [...portBindings(lines, index), ...pathBindings(lines, index, host)];
    const holders = onePerProcess(bindings.flatMap((binding) => provenHolders(binding, begun, host)));
    const held = new Set(holders.map((holder) => claimKey(holder.claim)));
    const open = claims.filter((claim) => !held.has(claimKey(claim)));
    const sawEverything =
      open.every((claim) => isLegible(claim, lines)) && (open.length === 0 || (await isRoot(host)));
    return { holders, complete: sawEverything };
  },
};

async function ask(claims: readonly Claim[], { spawner }: Host): Promise<string> {
  const argv = ['-nPw', '-F0pcftPndiT'];
  for (const kind of ['tcp', 'udp'] as const) {
    const ports = new Set(claims.flatMap((claim) => (claim.kind === kind ? [claim.port] : [])));
    if (ports.size === 0) continue;
    // It gives up beyond a number of addresses: then all are asked for.
    const wanted = claims.length > MAX_ADDRESSES ? '' : `:${[...ports].join(',')}`;
    argv.push(`-i${kind.toUpperCase()}${wanted}`);
  }
  if (claims.some((claim) => claim.kind === 'socket')) argv.push('-U');
  const ran = await spawner.run('lsof', argv, { timeout: DEADLINE, max_output: MAX_OUTPUT });
  // 1 says that something it was asked for is not there, or that it could not do what it was asked to.
  if (ran.exit_code !== 0 && ran.exit_code !== 1) {
    throw new Error(
      `Cannot use lsof as it must end with 0 or 1: it ended with ${ran.error ?? ran.exit_code}`,
    );
  }
  if (ran.stdout === '' && ran.stderr !== '') {
    throw new Error(`Cannot use lsof as it must say nothing of faults: it says ${ran.stderr.slice(0, 200)}`);
  }
  if (Buffer.byteLength(ran.stdout) >= MAX_OUTPUT) {
    throw new Error(`Cannot use lsof as its output must be below ${MAX_OUTPUT} bytes`);
  }
  return ran.stdout;
}

/** Reads `-F0` output: a line for each process and each descriptor, of fields that end with a NUL. */
function parse(output: string): Line[] {
  const lines: Line[] = [];
  let pid = 0;
  let command = '';
  for (const text of output.split('\n')) {
    const fields = new Map<string, string>();
    for (const field of text.split('\0')) {
      // All fields have a letter, but for the details of TCP: `TST=LISTEN`.
      const name = field.startsWith('T') ? field.slice(0, 4) : field.charAt(0);
      fields.set(name, field.slice(name.length));
    }
    const field = (name: string): string => fields.get(name) ?? '';
    if (fields.has('p')) {
      pid = Number(field('p'));
      command = field('c');
    }
    const fd = Number(fields.get('f') ?? Number.NaN);
    if (!Number.isInteger(fd)) continue;
    lines.push({
      pid,
      fd,
      command,
      type: field('t'),
      protocol: field('P'),
      // Linux puts the type behind a path.
      name: field('n').replace(/ ?type=[A-Z]+$/, ''),
      state: field('TST='),
      inode: field('i') || field('d'),
    });
  }
  return lines;
}

function portBindings(lines: readonly Line[], index: ClaimIndex): Binding[] {
  return lines.flatMap((line) => {
    const kind = line.protocol.toLowerCase();
    const holds = kind === 'tcp' ? line.state === 'LISTEN' : kind === 'udp' && !line.name.includes('->');
    if (!holds || (kind !== 'tcp' && kind !== 'udp')) return [];
    const [, host = '', port] = /^(.*):(\d+)$/.exec(line.name) ?? [];
    const every = line.type === 'IPv6' ? '::' : '0.0.0.0';
    const address = host === '*' ? every : host.replace(/^\[|\]$/g, '');
    return [{ line, address, claims: index.ofPort(kind, Number(port), () => address) }];
  });
}

function pathBindings(lines: readonly Line[], index: ClaimIndex, host: Host): Binding[] {
  const found = lines
    .filter(({ type }) => type === 'unix')
    .map((line) => ({
      line,
      address: null,
      claims: index.ofPath(line.name, (one, other) => isSameFile(one, other, host.files)),
      connected: line.state === 'CONNECTED',
    }))
    .filter(({ claims }) => claims.length > 0);
  if (found.length === 0) return [];
  return withoutConnections(host.platform === 'linux' ? withWholeNames(found, host.files) : found);
}

/** Leaves out names that were cut: the table has another path for the inode. */
function withWholeNames<T extends Binding>(found: readonly T[], files: Files): T[] {
  const table = files.readFileSync('/proc/net/unix', 'utf8');
  return found.filter(({ line }) => pathInTable(table, line.inode) === line.name);
}

/** A holder for each claim, if the process is still the one that lsof saw. */
function provenHolders(
  { line, claims, address }: Binding,
  begun: number,
  { processes, platform }: Host,
): Holder[] {
  const { pid, fd, inode, command } = line;
  const stat = processes.stat(pid);
  const process = processes.identity(pid);
  if (stat === null || process === null) return [];
  // The pid may have been given to another process since. Where no descriptor can be looked at, one that was started
  // before lsof was is the same.
  const isSame =
    platform === 'linux' ? processes.descriptor(pid, fd) === `socket:[${inode}]` : stat.started_ms <= begun;
  if (!isSame) return [];
  const shown = commandLine(processes.argv(pid), () => command);
  return claims.map((claim) => ({ claim, process, address, command: shown, fd, inode }));
}

/** One for each claim and process, however many sockets it has for it. */
function onePerProcess(holders: readonly Holder[]): Holder[] {
  const unique = new Map<string, Holder>();
  for (const holder of holders) {
    const key = `${holder.process?.pid} ${claimKey(holder.claim)}`;
    if (!unique.has(key)) unique.set(key, holder);
  }
  return [...unique.values()];
}

/** Whether lsof would have shown a holder, had it been allowed to see it. */
function isLegible(claim: Claim, lines: readonly Line[]): boolean {
  if (claim.kind !== 'socket') return true;
  const name = posix.basename(claim.path);
  const relative = lines.some((line) => /^[^/@]/.test(line.name) && posix.basename(line.name) === name);
  return LEGIBLE.test(claim.path) && !relative;
}

async function isRoot({ spawner }: Host): Promise<boolean> {
  return (await spawner.run('id', ['-u'], { timeout: DEADLINE })).stdout.trim() === '0';
}
