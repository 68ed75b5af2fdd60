/**
 * What stands in the way of a start right now, told for an explanation: the reason of a job that waits says what its last
 * try found, which may be over, or not all of it any more. Pure.
 */
import type { Evidence } from '../job/reason.ts';
import { claimKey } from '../reclaim/claim.ts';
import type { KnownProcess } from '../reclaim/holder_class.ts';
import type { ObservedClaim, ObservedPidFile } from '../reclaim/mod.ts';
import { claimText, processEvidence, processText } from '../reclaim/wording.ts';
import type { ActionFacts } from './facts.ts';

/** One thing that is in the way. */
export interface Obstruction {
  /** `program`, `pid_file`, `left_behind`, or a claim such as `tcp:8080`. */
  readonly what: string;
  /** One sentence, without a full stop. */
  readonly message: string;
  /** The process; null where it is none, or none that can be seen. */
  readonly holder: Evidence | null;
}

/**
 * Lists it. A dead file is nothing: the start removes it.
 *
 * @example
 * ```ts
 * inTheWay(facts); // [{ what: 'tcp:8080', message: 'port 8080 is held by pid 4711 (nc -l 8080)', holder: { pid: 4711, … } }]
 * ```
 */
export function inTheWay({ obstacle, reclaim }: ActionFacts): Obstruction[] {
  const seen = reclaim?.seen;
  return [
    ...(obstacle === null ? [] : [{ what: 'program', message: obstacle.message, holder: null }]),
    ...(seen?.claims ?? []).flatMap(claimObstructions),
    ...(seen === undefined ? [] : pidFileObstruction(seen.pid_file)),
    ...(seen?.left_behind ?? []).map((process) =>
      by(process, 'left_behind', `${processText(process)} of an earlier incarnation still lives`),
    ),
  ];
}

function claimObstructions(observed: ObservedClaim): Obstruction[] {
  const { claim } = observed;
  const what = claimKey(claim);
  switch (observed.state) {
    case 'free':
    case 'stale':
      return [];
    case 'held': {
      const unseen = { what, message: `${claimText(claim)} is in use, and nobody can be seen`, holder: null };
      const seen = observed.holders.map(({ process }) =>
        process === null
          ? unseen
          : by(process, what, `${claimText(claim)} is held by ${processText(process)}`),
      );
      return seen.length === 0 ? [unseen] : seen;
    }
    case 'not_a_socket':
      return [{ what, message: `${claimText(claim)} is ${observed.found} and no socket`, holder: null }];
    case 'unclear':
      return [{ what, message: `whether ${claimText(claim)} is free cannot be told`, holder: null }];
  }
}

/** A process that the file names; what became of the action's own is told by its job. */
function pidFileObstruction(file: ObservedPidFile): Obstruction[] {
  if (file.state !== 'names' || file.process === null || file.process.class === 'own_earlier') return [];
  return [by(file.process, 'pid_file', `the PID file names ${processText(file.process)}`)];
}

function by(process: KnownProcess, what: string, message: string): Obstruction {
  return { what, message, holder: processEvidence(process) };
}
