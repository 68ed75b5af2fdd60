import { describe, expect, it } from 'vitest';
import { parseProcStat } from '../../../core/host/proc_stat.ts';

/** A line of /proc/PID/stat. */
function line(comm: string, state = 'S', threads = 1): Buffer {
  const rest = `${state} 11 12 13 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 ${threads} 0 987654 2871296 201 18446744073709551615`;
  return Buffer.from(`4711 (${comm}) ${rest}\n`);
}

const EXPECTED = { state: 'S', ppid: 11, pgrp: 12, session: 13, start_time: 987_654 };

describe('parseProcStat', () => {
  it('reads the fields', () => {
    expect(parseProcStat(line('sleep'))).toEqual(EXPECTED);
  });

  it.each(['a b', 'x) S 1 1 1 (y', ')', '((', 'line\nbreak', ''])(
    'takes %j for the name that it is',
    (comm) => {
      expect(parseProcStat(line(comm))).toEqual(EXPECTED);
    },
  );

  it.each(['Z', 'X'])('takes a process in state %s for dead', (state) => {
    expect(parseProcStat(line('sleep', state))).toBeNull();
  });

  it('takes one for alive whose first thread alone has ended', () => {
    expect(parseProcStat(line('sleep', 'Z', 3))).toEqual({ ...EXPECTED, state: 'Z' });
  });
});
