/**
 * The schemas of claims and of who holds them, each held to its TypeScript record by the compiler.
 */
import * as v from 'valibot';
import type { Claim } from '../reclaim/claim.ts';
import type { HolderView } from '../supervisor/control.ts';
import { described, named } from './described.ts';
import { count, identitySchema, text } from './view_parts.ts';

/** A {@link Claim}. */
export const claimSchema: v.GenericSchema<Claim> = named(
  'Claim',
  'Something that an action owns while it runs: a port or a Unix socket.',
  v.variant('kind', [
    v.object({
      kind: described('The kind of port.', v.picklist(['tcp', 'udp'])),
      address: described('The address; null for every one.', text),
      port: described('The port.', count),
    }),
    v.object({
      kind: described('A Unix socket.', v.literal('socket')),
      path: described('Its absolute path, or `@name` for an abstract one.', v.string()),
    }),
  ]),
);

/** A {@link HolderView}. */
export const holderSchema: v.GenericSchema<HolderView> = named(
  'Holder',
  'A live process that holds a port or a socket.',
  v.object({
    claim: claimSchema,
    process: described(
      'Who it is; null where it cannot be seen: it is of another user, or of the kernel.',
      v.nullable(identitySchema),
    ),
    address: described('The address that it is bound to, where it is a port.', text),
    command: described('Its command line; empty where it cannot be read.', v.string()),
    fd: described('The descriptor in that process.', v.nullable(count)),
    inode: described('The inode of the socket; the same in two processes is one shared socket.', text),
    class: described(
      'Whether it is one of ours, a stranger, one that is never touched, or out of sight.',
      v.picklist(['managed', 'foreign', 'protected', 'unknown']),
    ),
    service: described('Its service, where it is one of ours.', text),
    action: described('Its action, where it is one of ours.', text),
  }),
);
