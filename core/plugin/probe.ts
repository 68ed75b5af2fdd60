/**
 * The probe interface: who holds a claim? Core knows no probe by name; it is handed a list in order of preference.
 */

import type { Host } from '../host/host.ts';
import type { Claim, Holder } from '../reclaim/claim.ts';

/** What a probe saw. */
export interface ProbeAnswer {
  /** One entry for each holding process of each claim; none for a claim says nobody was seen. */
  readonly holders: readonly Holder[];
  /** False where something was out of sight, so that "nobody" must be read as "unknown". */
  readonly complete: boolean;
}

/** What a probe is told beside the claims. */
export interface ProbeQuery {
  readonly claims: readonly Claim[];
  /** Pids to look into first: the job's own tree, the last holder. A probe may ignore it. */
  readonly suspects: readonly number[];
  /**
   * True to find every holder of each claim; false to stop at the first for each socket, which is enough to tell
   * whose it is when that process is a suspect.
   */
  readonly exhaustive: boolean;
}

/** A way of finding out who holds claims. */
export interface Probe {
  readonly name: string;
  /** Whether it can work on this host at all (the platform, a program on the PATH). */
  available(host: Host): Promise<boolean>;
  /** Many claims in one pass. Must not block the event loop for more than a few milliseconds at a time. */
  holders(query: ProbeQuery, host: Host): Promise<ProbeAnswer>;
}
