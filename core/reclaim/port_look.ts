/**
 * Is a port free? Binding it for an instant tells at once and sees what no table shows: a port that is bound and not
 * listening.
 */
import type { Net } from '../host/host.ts';
import type { PortClaim } from './claim.ts';

/** `taken`: somebody has it. `unclear`: binding does not tell. `sign` is the errno that says so. */
export type PortLook =
  | { readonly state: 'free' }
  | { readonly state: 'taken' | 'unclear'; readonly sign: string };

/** Looks at one port. */
export async function lookAtPort(claim: PortClaim, net: Net): Promise<PortLook> {
  const outcome = await net.tryBind(claim.kind, claim.address, claim.port);
  switch (outcome) {
    case 'free':
    // The address is not on this host (yet), or its family is not: nobody can be in the way there. Whether the program
    // can do without it is the program's to say.
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return { state: 'free' };
    case 'EADDRINUSE':
      return { state: 'taken', sign: outcome };
    default:
      // EACCES for a privileged port, above all: upkeep may not bind it, which says nothing of others.
      return { state: 'unclear', sign: outcome };
  }
}

/**
 * Looks at many, side by side, but for claims of the same port: `8080` and `127.0.0.1:8080` would be in each other's
 * way. Each answer comes with what it was asked for, in the same order.
 */
export async function lookAtPorts<T extends { readonly claim: PortClaim }>(
  asked: readonly T[],
  net: Net,
): Promise<(T & PortLook)[]> {
  const turns = new Map<string, Promise<PortLook>>();
  return await Promise.all(
    asked.map(async (item) => {
      const key = `${item.claim.kind}:${item.claim.port}`;
      const before = turns.get(key);
      const look =
        before === undefined ? lookAtPort(item.claim, net) : before.then(() => lookAtPort(item.claim, net));
      turns.set(key, look);
      return { ...item, ...(await look) };
    }),
  );
}
