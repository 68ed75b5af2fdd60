import { describe, expect, test } from 'vitest';
import type { JobPolicy } from '../../../core/job/policy.ts';
import { aPolicy } from './builders.ts';
import { explore } from './explorer.ts';
import { INVARIANTS } from './invariants.ts';
import { MUTANTS } from './mutants.ts';

interface Configuration {
  readonly name: string;
  readonly policy: JobPolicy;
}

const RESTARTS = [
  { policy: 'always', max_attempts: 0 },
  { policy: 'always', max_attempts: 2 },
  { policy: 'on_failure', max_attempts: 0 },
  { policy: 'on_failure', max_attempts: 2 },
  // It is given up at the first failure: there is nothing to count.
  { policy: 'never', max_attempts: 0 },
] as const;

const configurations: Configuration[] = [];
for (const process of [true, false]) {
  for (const awaits_ready of [true, false]) {
    for (const recovery of ['adopt', 'restart'] as const) {
      for (const restart of RESTARTS) {
        const { policy, max_attempts } = restart;
        // A oneshot that exits 0 is done, whatever the policy, and is never cut short by a recovery.
        if (!process && (policy === 'on_failure' || recovery === 'restart')) continue;
        const words = [
          process ? 'process' : 'oneshot',
          awaits_ready ? 'claims' : 'no claims',
          recovery,
          policy,
          max_attempts === 0 ? 'for ever' : `${max_attempts} tries`,
        ];
        const settings = aPolicy({ process, awaits_ready, recovery }, { policy, max_attempts });
        configurations.push({ name: words.join(', '), policy: settings });
      }
    }
  }
}

describe('the machine keeps every promise in every state that it can get into', () => {
  let states = 0;
  let edges = 0;
  test.each(configurations.map(({ name, policy }) => [name, policy] as const))('%s', (name, policy) => {
    const seen = explore(policy);
    states += seen.states;
    edges += seen.edges;
    console.log(`${name}: ${seen.states} states, ${seen.edges} edges`);
    expect(seen.fault).toBeNull();
    expect(seen.states).toBeGreaterThan(1_000);
  });
  test('in total', () => {
    console.log(`${configurations.length} configurations: ${states} states, ${edges} edges`);
    expect(edges).toBeGreaterThan(1_000_000);
  });
});

describe('the explorer finds what is planted', () => {
  test.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('%s', (_name, mutant) => {
    const { breaks, policy, machine } = mutant;
    const { fault } = explore(policy, machine);
    console.log(`${fault?.invariant}: ${fault?.trace.join(' → ')}`);
    expect(fault?.invariant).toBe(breaks);
  });

  test('each invariant catches at least one', () => {
    const broken = new Set(MUTANTS.map(({ breaks }) => breaks));
    expect(INVARIANTS.filter((invariant) => !broken.has(invariant))).toEqual([]);
  });
});
