/**
 * Finds the claims that a socket is in the way of, however many claims there are.
 */
import { posix } from 'node:path';
import { isInTheWay } from '../host/address.ts';
import type { Files } from '../host/host.ts';
import type { Claim, PortClaim, SocketClaim } from '../reclaim/claim.ts';

/** The size of a Unix address, in bytes. */
const ADDRESS_SIZE = 108;

/** The claims of one query, by port and by path. */
export class ClaimIndex {
  readonly #kinds: ReadonlySet<Claim['kind']>;
  readonly #ports = new Map<string, PortClaim[]>();
  /** By the last part of the path. */
  readonly #sockets = new Map<string, SocketClaim[]>();

  constructor(claims: readonly Claim[]) {
    this.#kinds = new Set(claims.map((claim) => claim.kind));
    for (const claim of claims) {
      if (claim.kind === 'socket') add(this.#sockets, posix.basename(claim.path), claim);
      else add(this.#ports, `${claim.kind}:${claim.port}`, claim);
    }
  }

  /** Whether any claim is of this kind: what else a host could list need not be read. */
  has(kind: Claim['kind']): boolean {
    return this.#kinds.has(kind);
  }

  /**
   * The claims that a socket bound to this port is in the way of.
   *
   * @param address called only where some claim is of this port.
   */
  ofPort(kind: 'tcp' | 'udp', port: number, address: () => string): readonly PortClaim[] {
    const claims = this.#ports.get(`${kind}:${port}`);
    if (claims === undefined) return [];
    const bound = address();
    return claims.filter((claim) => isInTheWay(bound, claim.address));
  }

  /**
   * The claims of a path, absolute or `@name`, or of any other way to the same file (`/var/run` is a symlink to `/run`).
   *
   * @param isSame whether two paths lead to one file; called only where they end in the same name.
   */
  ofPath(path: string, isSame: (one: string, other: string) => boolean): readonly SocketClaim[] {
    if (path.startsWith('@')) {
      const name = withoutPadding(path);
      return this.ofName(name).filter((claim) => claim.path === name);
    }
    return this.ofName(path).filter((claim) => claim.path === path || isSame(claim.path, path));
  }

  /** The claims whose path ends in the same file name: all that can be told of a path relative to an unknown folder. */
  ofName(path: string): readonly SocketClaim[] {
    return this.#sockets.get(posix.basename(path)) ?? [];
  }
}

/** Node 20 and others fill an abstract name up with NULs, which the kernel shows as `@`, to all that an address holds. */
function withoutPadding(name: string): string {
  return Buffer.byteLength(name) === ADDRESS_SIZE ? name.replace(/@+$/, '') : name;
}

/** Whether two paths lead to one file; false where either leads nowhere. */
export function isSameFile(one: string, other: string, files: Files): boolean {
  try {
    const [a, b] = [files.lstatSync(one, { bigint: true }), files.lstatSync(other, { bigint: true })];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}

function add<T>(groups: Map<string, T[]>, key: string, item: T): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [item]);
  else group.push(item);
}
