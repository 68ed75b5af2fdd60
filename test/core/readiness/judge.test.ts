import { describe, expect, it } from 'vitest';
import { judgeClaim, satisfies } from '../../../core/readiness/judge.ts';
import type { Claim, Holder } from '../../../core/reclaim/claim.ts';

const claim: Claim = { kind: 'tcp', address: null, port: 80 };
const other: Claim = { kind: 'tcp', address: null, port: 81 };

function holder(pid: number | null, of: Claim = claim): Holder {
  const process = pid === null ? null : { boot_id: 'b', pid, start_time: 1 };
  return { claim: of, process, address: null, command: '', fd: 3, inode: '1' };
}

const isOwn = (pid: number): boolean => pid < 100;
const judge = (holders: Holder[], complete: boolean): string =>
  judgeClaim(claim, { holders, complete }, isOwn);

describe('judgeClaim', () => {
  it.each([
    ['own', [holder(5)], true],
    ['own', [holder(500), holder(5)], true],
    ['own', [holder(null), holder(5)], false],
    ['other', [holder(500)], true],
    ['other', [holder(500), holder(null)], false],
    ['inferred', [holder(null)], false],
    ['inferred', [holder(null)], true],
    ['free', [], true],
    ['free', [holder(5, other)], true],
    ['unknown', [], false],
  ] as const)('%s for %j (complete: %s)', (verdict, holders, complete) => {
    expect(judge([...holders], complete)).toBe(verdict);
  });
});

describe('satisfies', () => {
  it('takes only its own where its own is asked for', () => {
    expect(
      ['own', 'inferred', 'other', 'free', 'unknown'].filter((v) => satisfies(v as 'own', 'own')),
    ).toEqual(['own', 'inferred']);
  });
  it('takes anybody where it must be open', () => {
    expect(
      ['own', 'inferred', 'other', 'free', 'unknown'].filter((v) => satisfies(v as 'own', 'open')),
    ).toEqual(['own', 'inferred', 'other']);
  });
});
