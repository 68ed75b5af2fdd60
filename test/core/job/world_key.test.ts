/** Two worlds with one key have the same future: else the explorer would pass over states that it has not seen. */
import { expect, test } from 'vitest';
import { transition } from '../../../core/job/machine.ts';
import type { JobPolicy } from '../../../core/job/policy.ts';
import { aPolicy } from './builders.ts';
import { brokenInState, isSettled, isSteady } from './invariants.ts';
import { moves } from './moves.ts';
import { carryOut, committed, contextOf, daemonDies, firstWorld, type World } from './world.ts';
import { worldKey } from './world_key.ts';

/** Every so many meetings of two worlds are looked into. */
const SAMPLE = 10;

interface Next {
  readonly by: string;
  readonly world: World;
}

function* nexts(world: World, policy: JobPolicy): Iterable<Next> {
  for (const { label, world: to, event } of moves(world, policy)) {
    // Where a time was passed by an event of the past, it cannot be too early any more; else nothing differs.
    if (label === 'early deadline') continue;
    if (event === null) {
      yield { by: label, world: to };
      continue;
    }
    const step = transition(world.job, event, contextOf(to, policy));
    let next = committed(to, step);
    for (const effect of step.effects) {
      yield { by: `${label}, death before ${effect.type}`, world: daemonDies(next) };
      next = carryOut(next, effect);
    }
    yield { by: `${label}: ${step.verdict}`, world: next };
  }
}

function future(world: World, policy: JobPolicy): unknown[] {
  const steps = [...nexts(world, policy)].map(({ by, world: to }) => [by, worldKey(to, policy)]);
  const broken = world.daemon === 'up' ? brokenInState(world, policy) : null;
  return [isSteady(world), isSettled(world), broken, ...steps];
}

test.each([
  ['a process', aPolicy({ awaits_ready: false, recovery: 'restart' }, { policy: 'on_failure' })],
  ['a oneshot', aPolicy({ process: false, awaits_ready: false }, { max_attempts: 2 })],
])('for %s', (_name, policy) => {
  const first = firstWorld();
  const known = new Map([[worldKey(first, policy), first]]);
  const futures = new Map<number, unknown[]>();
  const queue = [first];
  let meetings = 0;
  for (const world of queue) {
    for (const next of nexts(world, policy)) {
      const key = worldKey(next.world, policy);
      const other = known.get(key);
      if (other === undefined) {
        known.set(key, next.world);
        queue.push(next.world);
        continue;
      }
      meetings += 1;
      if (meetings % SAMPLE !== 0) continue;
      const expected = futures.get(key) ?? future(other, policy);
      futures.set(key, expected);
      const found = future(next.world, policy);
      // To compare as text is what makes thousands of meetings affordable; the matcher tells what differs.
      if (JSON.stringify(found) !== JSON.stringify(expected)) expect(found).toEqual(expected);
    }
  }
  expect(meetings).toBeGreaterThan(10_000);
});
