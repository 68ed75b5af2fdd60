/**
 * IP addresses, as far as telling whether two sockets are in each other's way needs them.
 */
import { isIPv6, SocketAddress } from 'node:net';

const EVERY_IPV4 = '0.0.0.0';
const EVERY_IPV6 = '::';
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;

/**
 * One spelling for each address: shortened, without a zone, and an IPv4 address that is mapped into IPv6 as what it is.
 *
 * @example
 * ```ts
 * plainAddress('::ffff:127.0.0.1'); // '127.0.0.1'
 * plainAddress('0:0:0:0:0:0:0:1'); // '::1'
 * ```
 */
export function plainAddress(address: string): string {
  const [bare = ''] = address.split('%', 1);
  if (!isIPv6(bare)) return bare;
  const short = new SocketAddress({ address: bare, family: 'ipv6' }).address;
  return MAPPED.exec(short)?.[1] ?? short;
}

/**
 * Whether a socket bound to `bound` keeps another from binding `wanted` on the same port.
 *
 * A socket on every IPv6 address counts as one on every IPv4 address too. It is not if it was told so (IPV6_V6ONLY),
 * but no table shows that.
 *
 * @param wanted null for every address.
 */
export function isInTheWay(bound: string, wanted: string | null): boolean {
  if (wanted === null) return true;
  const [holder, claim] = [plainAddress(bound), plainAddress(wanted)];
  if (holder === claim || holder === EVERY_IPV6 || claim === EVERY_IPV6) return true;
  // What is left concerns IPv4 alone: the wildcard of one against an address of the other.
  if (isIPv6(holder) || isIPv6(claim)) return false;
  return holder === EVERY_IPV4 || claim === EVERY_IPV4;
}
