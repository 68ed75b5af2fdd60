/**
 * The plan: from what was seen to what is to be done. Pure, so that the same plan can be shown, asked about and
 * carried out, and so that a test can go through every case.
 */
import type { Reason } from '../job/reason.ts';
import type { ActionSpec } from '../spec/mod.ts';
import type { Claim } from './claim.ts';
import type { FileStamp } from './file_stamp.ts';
import type { KnownProcess } from './holder_class.ts';
import type {
  FilterMatch,
  Observations,
  ObservedClaim,
  ObservedClaimIn,
  ObservedHolder,
  ObservedPidFile,
} from './observations.ts';
import { mayNotStopHolder, mayNotStopMatch, mayNotStopNamed } from './permission.ts';
import type { ReclaimTarget } from './target.ts';
import { vet } from './vet.ts';
import {
  claimText,
  heldBy,
  heldByUnknown,
  notAPidFile,
  notASocket,
  pidFileHeld,
  pidFileReused,
  removedPidFile,
  removedSocket,
  stopped,
  unclear,
} from './wording.ts';

/** One thing to do. `why` is recorded once it is done. */
export type ReclaimStep =
  | {
      readonly type: 'stop';
      readonly process: KnownProcess;
      /** The first signal; SIGKILL follows after the action's grace time. */
      readonly signal: NodeJS.Signals;
      /** What it holds of the action's own claims. */
      readonly claims: readonly Claim[];
      /** The spawn has to wait for its end. False for what only `kill_other` names: wanted gone, and not in the way. */
      readonly needed: boolean;
      readonly why: Reason;
    }
  | {
      readonly type: 'remove_pid_file';
      readonly path: string;
      readonly stamp: FileStamp;
      /** Null where it is not worth telling: upkeep's own file about the incarnation that has just ended. */
      readonly why: Reason | null;
    }
  | {
      readonly type: 'unlink_socket';
      readonly path: string;
      readonly stamp: FileStamp;
      readonly why: Reason;
    };

/** A step that ends a process. */
export type StopStep = Extract<ReclaimStep, { type: 'stop' }>;

/** A step that removes a file. */
export type RemoveStep = Exclude<ReclaimStep, { type: 'stop' }>;

/** What is to be done before the spawn. */
export interface ReclaimPlan {
  readonly steps: readonly ReclaimStep[];
  /** Why the spawn has to wait, whatever the steps bring; null where nothing forbids it. */
  readonly blocked: Reason | null;
  /** What is worth recording and needs no step. */
  readonly notes: readonly Reason[];
}

/**
 * Decides what is to be done. While something blocks the spawn, no stranger is stopped: it would be harm without use.
 * What is left of earlier incarnations is stopped, and dead files are removed, all the same.
 *
 * @example
 * ```ts
 * const { steps, blocked } = planReclaim(target, await observe(target, world));
 * ```
 */
export function planReclaim(target: ReclaimTarget, seen: Observations): ReclaimPlan {
  const found = [
    ...seen.claims.flatMap((claim) => claimFindings(claim, seen.probe, target.action)),
    ...seen.left_behind.map(leftBehindFinding),
    ...seen.matched.flatMap(matchFindings),
  ];
  const stopping = new Set(
    found.flatMap((finding) => (finding.do === 'stop' ? finding.process.identity.pid : [])),
  );
  // A file whose process is stopped anyway waits for the next look: then it names a dead one.
  if (seen.pid_file.state !== 'names' || !stopping.has(seen.pid_file.pid)) {
    found.push(...pidFileFindings(target, seen.pid_file, seen.claims));
  }
  const blocked = mergeReasons(found.flatMap((finding) => (finding.do === 'wait' ? finding.why : [])));
  const stops = mergeStops(found, target.action.stop.signal);
  return {
    steps: [
      ...found.flatMap((finding) => (finding.do === 'remove' ? finding.step : [])),
      ...stops.filter(({ process }) => blocked === null || process.class === 'own_earlier'),
    ],
    blocked,
    notes: found.flatMap((finding) => (finding.do === 'note' ? finding.why : [])),
  };
}

/** The first reason; the messages of the others stand in its evidence, so that nobody has to find them one by one. */
function mergeReasons([first, ...others]: readonly Reason[]): Reason | null {
  if (first === undefined) return null;
  const also = [...new Set(others.map(({ message }) => message))].filter(
    (message) => message !== first.message,
  );
  return also.length === 0 ? first : { ...first, evidence: { ...first.evidence, also } };
}

/** What one observation comes to. */
type Finding =
  | {
      readonly do: 'stop';
      readonly process: KnownProcess;
      /** What it is stopped for, if that is a claim. */
      readonly claim: ObservedClaim | null;
      readonly needed: boolean;
      readonly because: string;
    }
  | { readonly do: 'remove'; readonly step: RemoveStep }
  | { readonly do: 'wait'; readonly why: Reason }
  | { readonly do: 'note'; readonly why: Reason };

/** One step for each process, however many of the findings name it. */
function mergeStops(found: readonly Finding[], ownSignal: NodeJS.Signals): StopStep[] {
  const stops = new Map<number, StopStep>();
  for (const finding of found) {
    if (finding.do !== 'stop') continue;
    const { process, claim, needed, because } = finding;
    const before = stops.get(process.identity.pid);
    stops.set(process.identity.pid, {
      type: 'stop',
      process,
      // Its own stop signal is how this program ends well; how a stranger does is not known.
      signal: process.class === 'own_earlier' ? ownSignal : 'SIGTERM',
      claims: [...(before?.claims ?? []), ...(claim?.own ? [claim.claim] : [])],
      needed: needed || (before?.needed ?? false),
      why: before?.why ?? stopped(process, because, claim?.claim ?? null),
    });
  }
  return [...stops.values()];
}

function claimFindings(seen: ObservedClaim, probe: string | null, action: ActionSpec): Finding[] {
  switch (seen.state) {
    case 'free':
      return [];
    case 'stale':
      return removeIfOwn(seen);
    case 'not_a_socket':
      return waitIfOwn(seen, notASocket(seen.claim, seen.found));
    case 'unclear':
      return waitIfOwn(seen, unclear(seen.claim, seen.sign));
    case 'held': {
      const holders = seen.holders.length > 0 ? seen.holders : [UNSEEN];
      return holders.flatMap((holder) => holderFindings(holder, seen, probe, action));
    }
  }
}

const UNSEEN: ObservedHolder = { process: null, address: null };

function holderFindings(
  { process, address }: ObservedHolder,
  seen: ObservedClaimIn<'held'>,
  probe: string | null,
  action: ActionSpec,
): Finding[] {
  const { claim, own, sign } = seen;
  if (process === null) return waitIfOwn(seen, heldByUnknown(claim, sign, probe));
  const refused = mayNotStopHolder(process, claim, address, action);
  if (refused !== null) return waitIfOwn(seen, heldBy(claim, process, refused));
  return [{ do: 'stop', process, claim: seen, needed: own, because: `which held ${claimText(claim)}` }];
}

/** A dead file that only `kill_other` lists is in nobody's way, and not this action's to remove. */
function removeIfOwn({ own, claim, stamp }: ObservedClaimIn<'stale'>): Finding[] {
  const step = { type: 'unlink_socket', path: claim.path, stamp, why: removedSocket(claim) } as const;
  return own ? [{ do: 'remove', step }] : [];
}

/** What only `kill_other` lists is wanted free, and not needed. */
function waitIfOwn({ own }: ObservedClaim, why: Reason): Finding[] {
  return own ? [{ do: 'wait', why }] : [];
}

function leftBehindFinding(process: KnownProcess): Finding {
  return { do: 'stop', process, claim: null, needed: true, because: 'which it left behind' };
}

function matchFindings({ process, filter }: FilterMatch): Finding[] {
  if (mayNotStopMatch(process) !== null) return [];
  const needed = process.class === 'own_earlier';
  return [{ do: 'stop', process, claim: null, needed, because: `which matches ${JSON.stringify(filter)}` }];
}

function pidFileFindings(
  { action, pid_file: path, last }: ReclaimTarget,
  file: ObservedPidFile,
  claims: readonly ObservedClaim[],
): Finding[] {
  if (file.state === 'absent') return [];
  if (file.state === 'not_a_pid_file') return [{ do: 'note', why: notAPidFile(path, file.found) }];
  const remove = (why: Reason | null): Finding[] => {
    return [{ do: 'remove', step: { type: 'remove_pid_file', path, stamp: file.stamp, why } }];
  };
  if (file.state === 'invalid') return remove(removedPidFile(path, 'which named no process'));
  const { process, pid } = file;
  if (process === null && pid === last?.pid) return remove(null);
  if (process === null) return remove(removedPidFile(path, `which named pid ${pid}, which is gone`));
  const verdict = vet(file, process, claims);
  if (verdict === 'stranger') return remove(pidFileReused(path, process));
  // What is out of sight blocks the spawn already.
  if (verdict === 'unsure') return [];
  const refused = mayNotStopNamed(process, action);
  if (refused !== null) return [{ do: 'wait', why: pidFileHeld(path, process, refused) }];
  return [{ do: 'stop', process, claim: null, needed: true, because: `which ${path} names` }];
}
