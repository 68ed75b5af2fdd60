import { describe, expect, it } from 'vitest';
import { formatMark, parseMark } from '../../../core/process/marker.ts';

describe('the marker', () => {
  it('comes back as it was written', () => {
    const mark = { instance: '0a1b2c', job_id: 'jm1x2', incarnation: 12 };
    expect(parseMark(formatMark(mark))).toEqual(mark);
  });

  it.each([
    undefined,
    '',
    'x',
    'a/b',
    'a/b/c',
    'a/b/-1',
    'a/b/01',
    'A/b/1',
    'a/../1',
    'a/b/1/2',
    'a/b/1\n',
    'a/b/99999999999',
  ])('is not read from %j', (value) => expect(parseMark(value)).toBeNull());
});
