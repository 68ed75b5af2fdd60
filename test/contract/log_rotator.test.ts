import { describe } from 'vitest';
import { ageRotator } from '../../plugins/rotate_age.ts';
import { restartRotator } from '../../plugins/rotate_restart.ts';
import { sizeRotator } from '../../plugins/rotate_size.ts';
import { logRotatorCases } from './log_rotator.ts';
import { runCases } from './run_cases.ts';

describe('the rotator restart', () => runCases(logRotatorCases(restartRotator, [{}])));

describe('the rotator size', () =>
  runCases(logRotatorCases(sizeRotator, [{ max: 1 }, { max: '4KiB' }, { max: '1GiB' }])));

describe('the rotator age', () =>
  runCases(
    logRotatorCases(ageRotator, [
      { interval: '1ms' },
      { interval: '365d' },
      { at: '03:00' },
      { at: ['00:00', '23:59'], interval: '1h' },
      { at: [] },
    ]),
  ));
