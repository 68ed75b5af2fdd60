import { describe, expect, it } from 'vitest';
import { disproves, judgeClaim, satisfies } from '../../../core/readiness/judge.ts';
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
    ['other', [holder(500), holder(null)], true],
    ['contested', [holder(500)], false],
    ['contested', [holder(500), holder(null)], false],
    ['inferred', [holder(null)], false],
    ['inferred', [holder(null)], true],
    ['free', [], true],
    ['free', [holder(5, other)], true],
    ['unknown', [], false],
  ] as const)('%s for %j (complete: %s)', (verdict, holders, complete) => {
    expect(judge([...holders], complete)).toBe(verdict);
  });
});

const VERDICTS = ['own', 'inferred', 'other', 'contested', 'free', 'unknown'] as const;

describe('satisfies', () => {
  it('takes only its own where its own is asked for', () => {
    expect(VERDICTS.filter((verdict) => satisfies(verdict, 'own'))).toEqual(['own', 'inferred']);
  });
  it('takes anybody where it must be open', () => {
    expect(VERDICTS.filter((verdict) => satisfies(verdict, 'open'))).toEqual([
      'own',
      'inferred',
      'other',
      'contested',
    ]);
  });
});

describe('disproves', () => {
  it('takes only what leaves no room for its own holding it', () => {
    expect(VERDICTS.filter((verdict) => disproves(verdict, 'own'))).toEqual(['other', 'free']);
    expect(VERDICTS.filter((verdict) => disproves(verdict, 'open'))).toEqual(['free']);
  });
});
