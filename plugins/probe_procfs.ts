/**
 * Who holds a claim, read from /proc: the tables of sockets name inodes, the descriptors of processes lead back from
 * inodes to pids. Every claim is answered in one pass.
 *
 * What /proc does not tell: a port that is bound and not listening, whether a socket on `::` is for IPv6 only (it
 * counts for IPv4 too), and sockets of other network namespaces.
 */
import type { Files, Host } from '../core/host/host.ts';
import { addressOf, type PathRow, visitPaths, visitPorts } from '../core/host/proc_net.ts';
import { inSlices } from '../core/host/slices.ts';
import { ClaimIndex, isSameFile } from '../core/plugin/claim_index.ts';
import { commandLine } from '../core/plugin/command_line.ts';
import { withoutConnections } from '../core/plugin/connections.ts';
import type { Probe } from '../core/plugin/probe.ts';
import { type Claim, claimKey, type Holder } from '../core/reclaim/claim.ts';

/** A socket that is in the way of some claims. */
interface Socket {
  /** Null where the kernel itself has it. */
  readonly inode: string | null;
  readonly claims: readonly Claim[];
  readonly address: string | null;
  /** The path where it is relative: whose it is decides what it means. Null for all others. */
  readonly relative: string | null;
}

/** Reads /proc. */
export const procfsProbe: Probe = {
  name: 'procfs',

  async available({ platform, files }) {
    return platform === 'linux' && files.existsSync('/proc/net/unix');
  },

  async holders({ claims, suspects, exhaustive }, host) {
    const index = new ClaimIndex(claims);
    const search = new Search(await findSockets(index, host), exhaustive, host);
    await search.lookInto(withDescendants(suspects, host.files));
    // The newest first: who has just been started is asked about most.
    await search.lookInto(host.processes.list().reverse());
    if (search.hasMissing) {
      // A socket may have been closed meanwhile, or handed to a child that was not there yet.
      search.forgetClosed(await findSockets(index, host));
      await search.lookInto(host.processes.list());
    }
    return search.answer();
  },
};

async function findSockets(index: ClaimIndex, host: Host): Promise<Map<string, Socket>> {
  const sockets = new Map<string, Socket>();
  for (const kind of ['tcp', 'udp'] as const) {
    if (!index.has(kind)) continue;
    await visitPorts(kind, host, (row) => {
      const claims = index.ofPort(kind, row.port, () => addressOf(row));
      if (claims.length === 0) return;
      const socket = { claims, address: addressOf(row), relative: null };
      // A socket of the kernel's own (a tunnel's, say) has no number, and must not be lost for that.
      if (row.inode === null)
        sockets.set(`${kind} ${row.raw_address}:${row.port}`, { inode: null, ...socket });
      else sockets.set(row.inode, { inode: row.inode, ...socket });
    });
  }
  if (index.has('socket')) {
    for (const socket of await findPaths(index, host)) sockets.set(socket.inode, socket);
  }
  return sockets;
}

async function findPaths(index: ClaimIndex, host: Host): Promise<(Socket & PathRow)[]> {
  const found: (Socket & PathRow)[] = [];
  const isSame = (one: string, other: string): boolean => isSameFile(one, other, host.files);
  await visitPaths(host, (row) => {
    const path = Buffer.from(row.path, 'latin1').toString();
    const relative = path.startsWith('/') || path.startsWith('@') ? null : path;
    const claims = relative === null ? index.ofPath(path, isSame) : index.ofName(path);
    if (claims.length > 0) found.push({ ...row, claims, address: null, relative });
  });
  return withoutConnections(found);
}

/** Looks for the processes that have some sockets open. */
class Search {
  readonly #sockets: ReadonlyMap<string, Socket>;
  readonly #exhaustive: boolean;
  readonly #host: Host;
  /** The keys of those that no process was found for yet. */
  readonly #missing: Set<string>;
  readonly #visited = new Set<number>();
  /** One for each claim and process, however many sockets it has for it. */
  readonly #holders = new Map<string, Holder>();
  /** Some process could not be looked into. */
  #isBlind: boolean;
  /** Somebody has a socket of which it cannot be told whether it is a claim's. */
  #isUnsure = false;

  constructor(sockets: ReadonlyMap<string, Socket>, exhaustive: boolean, host: Host) {
    this.#sockets = sockets;
    this.#exhaustive = exhaustive;
    this.#host = host;
    this.#missing = new Set(sockets.keys());
    // Init is always there: where it cannot be seen, neither can others be (hidepid).
    this.#isBlind = host.processes.stat(1) === null;
  }

  get hasMissing(): boolean {
    return this.#missing.size > 0;
  }

  /** Looks into processes that it has not looked into before, until nothing is left to find. */
  async lookInto(pids: Iterable<number>): Promise<void> {
    await inSlices(this.#host.clock, this.#steps(pids), () => {});
  }

  /** Stops looking for sockets that are no longer in the tables. */
  forgetClosed(sockets: ReadonlyMap<string, Socket>): void {
    for (const key of this.#missing) if (!sockets.has(key)) this.#missing.delete(key);
  }

  answer(): { holders: Holder[]; complete: boolean } {
    const unseen = [...this.#missing].flatMap((key) => this.#unseenHolders(key));
    return {
      holders: [...this.#holders.values(), ...unseen],
      complete: !this.#isUnsure && !(this.#isBlind && this.hasMissing),
    };
  }

  get #isDone(): boolean {
    return this.#sockets.size === 0 || (!this.#exhaustive && !this.hasMissing);
  }

  /** The walk, a process or a descriptor at a time: one process may have a hundred thousand. */
  *#steps(pids: Iterable<number>): Generator<void> {
    for (const pid of pids) {
      if (this.#isDone) return;
      if (this.#visited.has(pid)) continue;
      this.#visited.add(pid);
      for (const fd of this.#descriptorsOf(pid)) {
        this.#look(pid, fd);
        yield;
      }
      yield;
    }
  }

  #descriptorsOf(pid: number): readonly number[] {
    try {
      return this.#host.files.readdirSync(`/proc/${pid}/fd`).map(Number);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ESRCH') return [];
      if (code !== 'EACCES' && code !== 'EPERM') throw error;
      // A zombie may not be looked into either, and has nothing open.
      this.#isBlind ||= this.#host.processes.stat(pid) !== null;
      return [];
    }
  }

  #look(pid: number, fd: number): void {
    const { processes } = this.#host;
    const link = processes.descriptor(pid, fd);
    if (link === null || !link.startsWith('socket:[')) return;
    const inode = link.slice('socket:['.length, -1);
    const socket = this.#sockets.get(inode);
    if (socket === undefined) return;
    const process = processes.identity(pid);
    // Looked at again, as the pid may have been given to another process in between. If it is gone or has closed the
    // socket, somebody else may still have it.
    if (process === null || processes.descriptor(pid, fd) !== link) return;
    const { address } = socket;
    const command = commandLine(processes.argv(pid), () => nameOf(pid, this.#host.files));
    for (const claim of this.#claimsOf(socket, pid)) {
      const key = `${pid} ${claimKey(claim)}`;
      if (this.#holders.has(key)) continue;
      this.#holders.set(key, { claim, process, address, command, fd, inode });
    }
    this.#missing.delete(inode);
  }

  #claimsOf({ claims, relative }: Socket, pid: number): readonly Claim[] {
    if (relative === null) return claims;
    const { files } = this.#host;
    const path = `/proc/${pid}/cwd/${relative}`;
    // It may have changed its directory since; then nothing tells where the socket was put.
    this.#isUnsure ||= !files.existsSync(path);
    return claims.filter((claim) => claim.kind === 'socket' && isSameFile(path, claim.path, files));
  }

  /** Held by the kernel, from another namespace, or by a process that we may not look into. */
  #unseenHolders(key: string): Holder[] {
    const socket = this.#sockets.get(key);
    if (socket === undefined || socket.relative !== null) return [];
    const { claims, address, inode } = socket;
    return claims.map((claim) => ({ claim, process: null, address, command: '', fd: null, inode }));
  }
}

/** Processes, each followed by the trees below it, as far as somebody goes on: a worker often has what is looked for. */
function* withDescendants(pids: readonly number[], files: Files): Generator<number> {
  for (const pid of pids) {
    yield pid;
    yield* withDescendants(childrenOf(pid, files), files);
  }
}

/** The children that its first thread has started; the others are found with all the rest. */
function childrenOf(pid: number, files: Files): number[] {
  try {
    return files
      .readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
      .split(' ')
      .slice(0, -1)
      .map(Number);
  } catch {
    // Gone, or a kernel without this list.
    return [];
  }
}

function nameOf(pid: number, files: Files): string {
  try {
    return files.readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}
