/**
 * Ports with and without an address, as they are written in a service file.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { plainAddress } from '../host/address.ts';
import type { PortClaim } from '../reclaim/claim.ts';

/** What a port must be, for messages. */
export const PORT_RULE = 'must be a port from 1 to 65535';

/** What a port with an address must be, for messages. */
export const PORT_TEXT_RULE =
  'must be a port from 1 to 65535, or an IP address and a port such as "127.0.0.1:8080" or "[::1]:8080"';

/** `8080`, `127.0.0.1:8080`, `[::1]:8080`, `*:8080`: the outline only, for editors. */
export const PORT_TEXT = /^(?:(?:\*|[\d.]+|\[[\da-fA-F:.]+\]):)?\d{1,5}$/;

const EVERY_ADDRESS: readonly string[] = ['0.0.0.0', '::'];

/** A port that is not told yet to be of TCP or UDP. */
export type PortAddress = Omit<PortClaim, 'kind'>;

/**
 * Reads a port, with or without an address.
 *
 * @throws {RangeError} with a message that says what it must be.
 *
 * @example
 * ```ts
 * parsePort('8080'); // { address: null, port: 8080 }
 * parsePort('[0:0::1]:53'); // { address: '::1', port: 53 }
 * ```
 */
export function parsePort(text: string): PortAddress {
  const colon = text.lastIndexOf(':');
  const host = colon < 0 ? '*' : text.slice(0, colon);
  const digits = text.slice(colon + 1);
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port < 1 || port > 65_535) throw new RangeError(PORT_TEXT_RULE);
  if (host === '*') return { address: null, port };
  // The brackets tell the colons of an IPv6 address from the one before the port.
  const bracketed = host.startsWith('[') && host.endsWith(']');
  const address = bracketed ? host.slice(1, -1) : host;
  // A zone (fe80::1%eth0) names an interface of this boot, and no table of sockets shows it.
  const known = bracketed ? isIPv6(address) && !address.includes('%') : isIPv4(address);
  if (!known) throw new RangeError(PORT_TEXT_RULE);
  const plain = plainAddress(address);
  return { address: EVERY_ADDRESS.includes(plain) ? null : plain, port };
}

/** True where nobody can have one while somebody else has the other. */
export function portsOverlap(a: PortClaim, b: PortClaim): boolean {
  if (a.kind !== b.kind || a.port !== b.port) return false;
  return a.address === null || b.address === null || a.address === b.address;
}
