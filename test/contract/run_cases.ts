/**
 * Contract cases as tests.
 */
import { existsSync } from 'node:fs';
import { describe, it } from 'vitest';
import type { ContractCase } from './contract_case.ts';

/** What a case can need of the machine. */
const HAS: Readonly<Record<string, boolean>> = {
  procfs: existsSync(`/proc/self/task/${process.pid}/children`),
};

/** Defines a test for each case. */
export function describeCases(title: string, cases: readonly ContractCase[]): void {
  describe(title, () => {
    for (const { name, needs = [], run } of cases) {
      const missing = needs.filter((need) => HAS[need] !== true);
      if (missing.length === 0) it(name, async () => await run());
      else it.skip(`${name} (needs ${missing.join(', ')})`, () => {});
    }
  });
}
