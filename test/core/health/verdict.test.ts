import { describe, expect, it } from 'vitest';
import {
  afterLook,
  type Health,
  jobHealth,
  type LookStatus,
  type Standing,
  UNSEEN,
} from '../../../core/health/verdict.ts';

const SPEC = { failures: 3, successes: 2, start_period: 0 };

/** Where a check stands after looks, told by their first letters: `p`, `w`, `f`, `u`. One look a second. */
function standingAfter(looks: string, spec: Partial<typeof SPEC> = {}): Standing {
  const statuses: Record<string, LookStatus> = { p: 'pass', w: 'warn', f: 'fail', u: 'unknown' };
  return [...looks].reduce(
    (standing, letter, second) =>
      afterLook(standing, statuses[letter] ?? 'unknown', { ...SPEC, ...spec }, second * 1000),
    UNSEEN,
  );
}

describe('where a check stands', () => {
  it.each<[string, Health]>([
    ['', 'unknown'],
    ['p', 'unknown'],
    ['pp', 'healthy'],
    ['wp', 'healthy'],
    ['ff', 'unknown'],
    ['fff', 'unhealthy'],
    ['ffpff', 'unknown'],
    ['ppff', 'healthy'],
    ['ppfff', 'unhealthy'],
    ['ppffpff', 'healthy'],
    ['fffp', 'unhealthy'],
    ['fffpp', 'healthy'],
    ['fffppfff', 'unhealthy'],
  ])('after %s it is %s', (looks, health) => {
    expect(standingAfter(looks).health).toBe(health);
  });

  it('is not moved by a look that could not be made, wherever it comes', () => {
    for (let length = 0; length <= 6; length += 1) {
      for (let bits = 0; bits < 2 ** length; bits += 1) {
        const looks = Array.from({ length }, (_, i) => ((bits >> i) & 1 ? 'p' : 'f')).join('');
        for (let at = 0; at <= length; at += 1) {
          const blinded = `${looks.slice(0, at)}uu${looks.slice(at)}`;
          expect(standingAfter(blinded), blinded).toEqual(standingAfter(looks));
        }
      }
    }
  });

  it('is never unhealthy without so many failures in a row, and always with them', () => {
    for (let bits = 0; bits < 2 ** 9; bits += 1) {
      const looks = Array.from({ length: 9 }, (_, i) => ((bits >> i) & 1 ? 'p' : 'f')).join('');
      const last = looks.lastIndexOf('fff');
      const healed = last >= 0 && looks.slice(last).includes('pp');
      expect(standingAfter(looks).health === 'unhealthy', looks).toBe(last >= 0 && !healed);
    }
  });

  it('does not count failures while it may start, until the first look that passes', () => {
    const spec = { start_period: 5_000 };
    expect(standingAfter('fffff', spec)).toEqual(UNSEEN);
    expect(standingAfter('ffffffff', spec).health).toBe('unhealthy');
    // Seconds 0 and 1: it has passed, and from then on is held to it.
    expect(standingAfter('pfff', spec).health).toBe('unhealthy');
  });
});

describe('all checks of a job together', () => {
  it.each<[Health[], Health]>([
    [[], 'unknown'],
    [['healthy'], 'healthy'],
    [['healthy', 'healthy'], 'healthy'],
    [['healthy', 'unknown'], 'unknown'],
    [['unknown', 'unhealthy'], 'unhealthy'],
    [['healthy', 'unhealthy'], 'unhealthy'],
  ])('%j are %s', (checks, health) => {
    expect(jobHealth(checks)).toBe(health);
  });
});
