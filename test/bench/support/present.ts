import type { Peer } from '../peer.ts';
import { listSetting } from './settings.ts';

/**
 * Those of `peers` that can be measured here; the others are named with the reason. Where PEERS is set, only what it
 * names (`runit` takes `runit, no shell` along) and the first, which is what the others are compared with.
 */
export async function present(peers: readonly Peer[]): Promise<Peer[]> {
  const words = listSetting('PEERS');
  const isWanted = ({ name }: Peer): boolean =>
    words === null || name === peers[0]?.name || words.some((word) => `${name},`.startsWith(`${word},`));
  const found: Peer[] = [];
  for (const peer of peers.filter(isWanted)) {
    const reason = await peer.available();
    if (reason === null) found.push(peer);
    else console.log(`skipped ${peer.name}: ${reason}`);
  }
  return found;
}

/** `items` with another one first in each round, so that none always comes behind the same neighbour. */
export function rotated<T>(items: readonly T[], round: number): T[] {
  const from = round % items.length;
  return [...items.slice(from), ...items.slice(0, from)];
}
