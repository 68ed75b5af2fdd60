/**
 * What contract cases may need of the machine, by name.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { ContractCase } from './contract_case.ts';

const CHECKS: Readonly<Record<string, () => boolean>> = {
  IPv6: () => Object.values(networkInterfaces()).some((all) => all?.some(({ family }) => family === 'IPv6')),
  Linux: () => process.platform === 'linux',
  python3: () => spawnSync('python3', ['--version']).status === 0,
  procfs: () => existsSync(`/proc/self/task/${process.pid}/children`),
  root: () => process.getuid?.() === 0,
};

const known = new Map<string, boolean>();

/**
 * Whether this machine has something: a name of the list above, or a program on the PATH.
 *
 * @example
 * ```ts
 * hasNeed('python3'); // true
 * ```
 */
export function hasNeed(need: string): boolean {
  let has = known.get(need);
  if (has === undefined) {
    has = CHECKS[need]?.() ?? spawnSync('/bin/sh', ['-c', 'command -v "$0"', need]).status === 0;
    known.set(need, has);
  }
  return has;
}

/** What a case needs and this machine lacks. */
export function lackingNeeds({ needs = [] }: ContractCase): string[] {
  return needs.filter((need) => !hasNeed(need));
}
