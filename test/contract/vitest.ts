/**
 * Contract cases as tests of vitest.
 */
import { expect, it } from 'vitest';
import type { ContractCase } from './contract_case.ts';
import { lackingNeeds } from './machine.ts';

/**
 * Defines a test for each case. It is skipped by name, with the reason, where the machine lacks what it needs.
 *
 * @param excuses cases that cannot hold for what is tested, by name, with the reason why.
 * @param has needs that are met, beside what `machine.ts` knows of.
 */
export function describeContract(
  cases: readonly ContractCase[],
  excuses: Readonly<Record<string, string>> = {},
  has: readonly string[] = [],
): void {
  for (const each of cases) {
    const lacking = lackingNeeds(each).filter((need) => !has.includes(need));
    const reason = excuses[each.name] ?? (lacking.length === 0 ? undefined : `needs ${lacking.join(', ')}`);
    if (reason === undefined) it(each.name, () => each.run());
    else it.skip(`${each.name} (${reason})`, () => each.run());
  }

  it('is excused from nothing but what is asked here', () => {
    const names = cases.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(Object.keys(excuses).filter((name) => !names.includes(name))).toEqual([]);
  });
}
