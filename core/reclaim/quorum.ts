/**
 * Two probes about the same claims: what follows from both, and where they contradict each other. Pure.
 */
import { type Reason, reason } from '../job/reason.ts';
import type { ProbeQuery } from '../plugin/probe.ts';
import type { NamedAnswer } from './asked_probe.ts';
import { type Claim, claimKey, type Holder } from './claim.ts';

/** Whom a probe saw to hold a claim. */
export interface Sighting {
  readonly pids: readonly number[];
  /** Somebody has it who could not be seen. */
  readonly unseen: boolean;
}

/** A claim that two probes tell different things about. */
export interface Disagreement {
  readonly claim: Claim;
  /** By the name of the probe. */
  readonly answers: Readonly<Record<string, Sighting>>;
}

/** Every holder that any of the answers names: a claim counts as held where one of them sees somebody. */
export function mergeHolders(answers: readonly NamedAnswer[]): Holder[] {
  const merged = new Map<string, Holder>();
  const named = new Set<string>();
  for (const holder of answers.flatMap(({ holders }) => holders)) {
    const claim = claimKey(holder.claim);
    if (holder.process !== null) named.add(`${holder.inode} ${claim}`);
    const key = `${holder.process?.pid ?? `socket ${holder.inode}`} ${claim}`;
    if (!merged.has(key)) merged.set(key, holder);
  }
  // Who has a socket was out of one's sight, and the other named it.
  return [...merged.values()].filter(
    ({ process, inode, claim }) => process !== null || !named.has(`${inode} ${claimKey(claim)}`),
  );
}

/**
 * Where two complete answers contradict each other: one sees somebody and the other nobody; or, where they were to name
 * everybody, they name others.
 */
export function disagreements(
  { claims, exhaustive }: Pick<ProbeQuery, 'claims' | 'exhaustive'>,
  one: NamedAnswer,
  other: NamedAnswer,
): Disagreement[] {
  const [first, second] = [sightings(one), sightings(other)];
  return claims.flatMap((claim) => {
    const a = first.get(claimKey(claim)) ?? NOBODY;
    const b = second.get(claimKey(claim)) ?? NOBODY;
    const differ = isHeld(a) !== isHeld(b) || (exhaustive && namesAll(a) && namesAll(b) && !samePids(a, b));
    return differ ? [{ claim, answers: { [one.probe]: a, [other.probe]: b } }] : [];
  });
}

/** What is told of it. */
export function disagreementReason({ claim, answers }: Disagreement): Reason {
  const key = claimKey(claim);
  const said = Object.entries(answers).map(([probe, sighting]) => `${probe} saw ${describe(sighting)}`);
  const message = `${Object.keys(answers).join(' and ')} disagree about ${key}: ${said.join(', ')}; it counts as held`;
  return reason('PROBE_DISAGREEMENT', message, { claim: key, answers });
}

const NOBODY: Sighting = { pids: [], unseen: false };

function sightings({ holders }: NamedAnswer): Map<string, Sighting> {
  const found = new Map<string, { pids: Set<number>; unseen: boolean }>();
  for (const { claim, process } of holders) {
    const key = claimKey(claim);
    const sighting = found.get(key) ?? { pids: new Set(), unseen: false };
    if (process === null) sighting.unseen = true;
    else sighting.pids.add(process.pid);
    found.set(key, sighting);
  }
  return new Map(
    [...found].map(([key, { pids, unseen }]) => [key, { pids: [...pids].sort((a, b) => a - b), unseen }]),
  );
}

function isHeld({ pids, unseen }: Sighting): boolean {
  return pids.length > 0 || unseen;
}

function namesAll({ unseen }: Sighting): boolean {
  return !unseen;
}

function samePids(a: Sighting, b: Sighting): boolean {
  return a.pids.join() === b.pids.join();
}

function describe(sighting: Sighting): string {
  const { pids, unseen } = sighting;
  if (!isHeld(sighting)) return 'nobody';
  const named = pids.length === 0 ? [] : [`pid ${pids.join(', ')}`];
  return [...named, ...(unseen ? ['somebody without a name'] : [])].join(' and ');
}
