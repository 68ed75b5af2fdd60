/**
 * Runs the plain cases of a contract suite under vitest.
 */
import { it } from 'vitest';
import type { ContractCase } from './contract_case.ts';

/**
 * Defines a test for each case; one whose needs are not met here is skipped by name.
 *
 * @param has what the machine has of what cases may need.
 */
export function runCases(cases: readonly ContractCase[], has: readonly string[] = []): void {
  for (const { name, needs = [], run } of cases) {
    const missing = needs.filter((need) => !has.includes(need));
    if (missing.length === 0) it(name, () => run());
    else it.skip(`${name} (needs ${missing.join(', ')})`, () => {});
  }
}
