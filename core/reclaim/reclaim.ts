/**
 * The runner: looks, plans, acts, and looks again until nothing is left to do. That a claim is free is only ever said
 * after a look that came later than the last signal.
 */
import { type Reason, reason } from '../job/reason.ts';
import { unlinkUnchanged } from './file_stamp.ts';
import { observe } from './observe.ts';
import { planReclaim, type ReclaimStep } from './plan.ts';
import { stopProcess } from './stop.ts';
import type { ReclaimTarget, ReclaimWorld } from './target.ts';
import { cannotRemove, keepsChanging, keepsComingBack, stillThere } from './wording.ts';

/** `free` is the go-ahead for the spawn; `blocked` says what it has to wait for. */
export type ReclaimResult =
  | { readonly outcome: 'free' }
  | { readonly outcome: 'blocked'; readonly reason: Reason };

/** How often it acts in one go. A holder that somebody starts again each time is waited for, not fought. */
export const MAX_ROUNDS = 5;

/**
 * Makes an action's claims free for a spawn: removes its dead files, stops what is left of earlier incarnations and,
 * where the action has permission, strangers.
 *
 * @param options.signal ends it before the next step; the result then means nothing.
 * @param options.note is told of each thing done, once it is done.
 *
 * @example
 * ```ts
 * const result = await reclaim(target, world, { signal, note: (found) => record(found) });
 * if (result.outcome === 'blocked') waitFor(result.reason);
 * ```
 */
export async function reclaim(
  target: ReclaimTarget,
  world: ReclaimWorld,
  options: { readonly signal: AbortSignal; readonly note: (reason: Reason) => void },
): Promise<ReclaimResult> {
  const { signal } = options;
  const note = onceEach(options.note);
  // Who would not end, though only kill_other wants it gone: it is told of and let be.
  const spared = new Set<number>();

  for (let round = 0; ; round++) {
    const plan = planReclaim(target, await observe(target, world));
    const result: ReclaimResult = plan.blocked === null ? { outcome: 'free' } : blocked(plan.blocked);
    const steps = plan.steps.filter((step) => step.type !== 'stop' || !spared.has(step.process.identity.pid));
    for (const found of plan.notes) note(found);
    if (steps.length === 0) return result;
    if (round === MAX_ROUNDS) return insistent(steps) ?? result;

    const results = await Promise.all(steps.map((step) => carryOut(step, target, world, signal)));
    for (const { done } of results) if (done !== null) note(done);
    if (signal.aborted) return blocked(GIVEN_UP);
    for (const { step, failed } of results) {
      if (failed === null) continue;
      if (isInTheWay(step)) return blocked(failed);
      if (step.type === 'stop') spared.add(step.process.identity.pid);
      note(failed);
    }
    // A file that is gone needs no proof; that a process is gone does not yet mean that its claims are free.
    if (results.every(({ look_again }) => !look_again)) return result;
  }
}

const GIVEN_UP = reason('REQUESTED', 'given up before it was done, as asked');

function blocked(why: Reason): ReclaimResult {
  return { outcome: 'blocked', reason: why };
}

/** Rounds see the same things again: each is told once. */
function onceEach(note: (reason: Reason) => void): (reason: Reason) => void {
  const told = new Set<string>();
  return (found) => {
    if (told.has(found.message)) return;
    told.add(found.message);
    note(found);
  };
}

/** A PID file that cannot be removed, or a stranger that holds nothing of the action, keeps nobody from starting. */
function isInTheWay(step: ReclaimStep): boolean {
  return step.type === 'unlink_socket' || (step.type === 'stop' && step.needed);
}

/** There is still something to do after {@link MAX_ROUNDS}. */
function insistent(steps: readonly ReclaimStep[]): ReclaimResult | null {
  const step = steps.find(isInTheWay);
  if (step === undefined) return null;
  return blocked(step.type === 'stop' ? keepsComingBack(step.process, step.claims) : keepsChanging(step));
}

/** What came of a step: what it did, or why it could not, or neither where the world has changed since the look. */
interface Outcome {
  readonly step: ReclaimStep;
  readonly done: Reason | null;
  readonly failed: Reason | null;
  /** Only another look can tell what is so now. */
  readonly look_again: boolean;
}

async function carryOut(
  step: ReclaimStep,
  { action }: ReclaimTarget,
  { host }: ReclaimWorld,
  abort: AbortSignal,
): Promise<Outcome> {
  const moot: Outcome = { step, done: null, failed: null, look_again: true };
  if (step.type === 'stop') {
    const { process, signal, claims } = step;
    const outcome = await stopProcess(process.identity, { signal, grace: action.stop.timeout, abort }, host);
    if (outcome === 'stopped') return { ...moot, done: step.why };
    if (outcome === 'survived' || outcome === 'denied')
      return { ...moot, failed: stillThere(process, claims, outcome) };
    return moot;
  }
  // The second look: a socket that is being made right now refuses for a moment, too.
  if (step.type === 'unlink_socket' && (await host.net.connectUnix(step.path)) !== 'ECONNREFUSED')
    return moot;
  if (abort.aborted) return moot;
  const outcome = unlinkUnchanged(host.files, step.path, step.stamp);
  if (outcome === 'removed') return { ...moot, done: step.why, look_again: false };
  if (outcome === 'gone' || outcome === 'changed') return moot;
  return { ...moot, failed: cannotRemove(step, outcome), look_again: false };
}
