/**
 * Walks through everything that can happen to a job: breadth first over the machine and the model of its world, so
 * that the first fault found is one of the shortest ways to it.
 *
 * Where the daemon decides something, it may also die after the commit and before any of the effects: each such
 * prefix is a way of its own.
 */
import type { JobEvent } from '../../../core/job/event.ts';
import type { Job } from '../../../core/job/job.ts';
import { transition } from '../../../core/job/machine.ts';
import type { JobPolicy } from '../../../core/job/policy.ts';
import type { Context, Step } from '../../../core/job/step.ts';
import { brokenByEdge, brokenInState, type Invariant, isSettled, isSteady } from './invariants.ts';
import { type MoveKind, moves } from './moves.ts';
import { carryOut, committed, contextOf, daemonDies, firstWorld, isWantedUp, type World } from './world.ts';
import { worldKey } from './world_key.ts';

/** The function that is explored. */
export type Machine = (job: Job, event: JobEvent, context: Context) => Step;

/** An invariant that does not hold, and how to get there. */
export interface Fault {
  readonly invariant: Invariant;
  /** What happened, one after the other. */
  readonly trace: readonly string[];
  readonly world: World;
}

/** What an exploration has seen. */
export interface Exploration {
  readonly states: number;
  readonly edges: number;
  /** The first fault found; null where every invariant holds. */
  readonly fault: Fault | null;
}

interface Edge {
  readonly from: number;
  readonly to: number;
  readonly kind: MoveKind;
}

/** Explores until everything is seen or something is broken. */
export function explore(policy: JobPolicy, machine: Machine = transition): Exploration {
  const walk = new Walk(policy, machine);
  const fault = walk.run() ?? walk.future();
  return { states: walk.worlds.length, edges: walk.edges, fault };
}

class Walk {
  readonly worlds: World[] = [];
  edges = 0;
  readonly #policy: JobPolicy;
  readonly #machine: Machine;
  readonly #known = new Map<number, number>();
  /** How each world was first reached. */
  readonly #cameFrom: number[] = [];
  readonly #cameBy: string[] = [];
  /** The edges that need neither a command nor luck. */
  readonly #owed: Edge[] = [];

  constructor(policy: JobPolicy, machine: Machine) {
    this.#policy = policy;
    this.#machine = machine;
    this.#visit(firstWorld(), -1, 'a new job');
  }

  run(): Fault | null {
    for (let index = 0; index < this.worlds.length; index += 1) {
      const fault = this.#expand(index);
      if (fault !== null) return fault;
    }
    return null;
  }

  #expand(index: number): Fault | null {
    const world = this.worlds[index] as World;
    let goesOn = world.daemon === 'dead' || isSteady(world);
    for (const move of moves(world, this.#policy)) {
      goesOn ||= move.kind === 'progress' || move.kind === 'obey';
      this.edges += 1;
      if (move.event === null) {
        const fault = this.#arrive(move.world, index, move.label, move.kind);
        if (fault !== null) return fault;
        continue;
      }
      const step = this.#machine(world.job, move.event, contextOf(move.world, this.#policy));
      const broken = brokenByEdge(move, step, this.#policy);
      if (broken !== null) return this.#fault(broken, index, move.label, move.world);
      // An event that changes nothing, in a world that it changes nothing in, leads nowhere.
      if (step.job === world.job && step.effects.length === 0 && move.world === world) continue;
      let next = committed(move.world, step);
      for (const [count, effect] of step.effects.entries()) {
        this.edges += 1;
        this.#visit(
          daemonDies(next),
          index,
          `${move.label}, and the daemon is killed after ${count} effects`,
        );
        next = carryOut(next, effect);
      }
      const fault = this.#arrive(next, index, move.label, move.kind);
      if (fault !== null) return fault;
    }
    return goesOn ? null : this.#fault('never stuck', index, null, world);
  }

  #arrive(world: World, from: number, label: string, kind: MoveKind): Fault | null {
    const broken = world.daemon === 'up' ? brokenInState(world, this.#policy) : null;
    if (broken !== null) return this.#fault(broken, from, label, world);
    const to = this.#visit(world, from, label);
    if (kind === 'progress' || kind === 'obey') this.#owed.push({ from, to, kind });
    return null;
  }

  #visit(world: World, from: number, label: string): number {
    const key = worldKey(world, this.#policy);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const index = this.worlds.push(world) - 1;
    this.#known.set(key, index);
    this.#cameFrom.push(from);
    this.#cameBy.push(label);
    return index;
  }

  /** Backwards from where a job is headed: whoever cannot get there with the world's help is lost. */
  future(): Fault | null {
    const up = (world: World): boolean => world.daemon === 'dead' || isWantedUp(world);
    const lostUp = this.#cannotSettle(() => true, up);
    if (lostUp !== null) {
      return this.#fault('it comes up in the end', lostUp, null, this.worlds[lostUp] as World);
    }
    // A stop must end even where the kernel lets nothing of it go.
    const lostDown = this.#cannotSettle(
      (kind) => kind === 'progress',
      (world) => !up(world),
    );
    if (lostDown === null) return null;
    return this.#fault('a stop ends, whatever survives', lostDown, null, this.worlds[lostDown] as World);
  }

  #cannotSettle(allowed: (kind: MoveKind) => boolean, about: (world: World) => boolean): number | null {
    const back = new Map<number, number[]>();
    for (const { from, to, kind } of this.#owed) {
      if (!allowed(kind)) continue;
      const sources = back.get(to);
      if (sources === undefined) back.set(to, [from]);
      else sources.push(from);
    }
    const reached = new Uint8Array(this.worlds.length);
    const queue = [...this.worlds.keys()].filter((index) => isSettled(this.worlds[index] as World));
    for (const index of queue) reached[index] = 1;
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      for (const source of back.get(at) ?? []) {
        if (reached[source] === 1) continue;
        reached[source] = 1;
        queue.push(source);
      }
    }
    const lost = this.worlds.findIndex((world, index) => reached[index] === 0 && about(world));
    return lost === -1 ? null : lost;
  }

  #fault(invariant: Invariant, from: number, label: string | null, world: World): Fault {
    const trace = label === null ? [] : [label];
    for (let at = from; at >= 0; at = this.#cameFrom[at] as number) trace.unshift(this.#cameBy[at] as string);
    return { invariant, trace, world };
  }
}
