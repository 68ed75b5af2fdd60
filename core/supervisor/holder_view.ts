/**
 * What the faces are told of who holds something.
 */
import type { Holder } from '../reclaim/claim.ts';
import { classify, type ReclaimWorld } from '../reclaim/mod.ts';
import type { HolderView } from './control.ts';

/**
 * A holder as every face shows it: whose it is, and its command without secrets.
 *
 * @param redact a text without what is known to be a secret of a service.
 */
export function holderView(
  holder: Holder,
  world: ReclaimWorld,
  redact: (text: string) => string,
): HolderView {
  const known = holder.process === null ? null : classify(holder.process, null, world);
  // Without a job to reclaim for nothing is "own": what is ours is managed.
  const holderClass = known === null ? 'unknown' : known.class === 'own_earlier' ? 'managed' : known.class;
  const name = known?.job?.name ?? null;
  return {
    ...holder,
    command: redact(holder.command),
    class: holderClass,
    service: name?.service ?? null,
    action: name?.action ?? null,
  };
}
