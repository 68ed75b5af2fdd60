import { describe } from 'vitest';
import { ageRotator } from '../../plugins/rotate_age.ts';
import { restartRotator } from '../../plugins/rotate_restart.ts';
import { sizeRotator } from '../../plugins/rotate_size.ts';
import { logRotatorCases } from './log_rotator.ts';
import { describeContract } from './vitest.ts';

describe('the rotator restart', () => describeContract(logRotatorCases(restartRotator, [{}])));

describe('the rotator size', () =>
  describeContract(logRotatorCases(sizeRotator, [{ max: 1 }, { max: '4KiB' }, { max: '1GiB' }])));

describe('the rotator age', () =>
  describeContract(
    logRotatorCases(ageRotator, [
      { interval: '1ms' },
      { interval: '365d' },
      { at: '03:00' },
      { at: ['00:00', '23:59'], interval: '1h' },
      { at: [] },
    ]),
  ));
