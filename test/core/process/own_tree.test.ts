import { describe, expect, it } from 'vitest';
import { formatMark, MARKER } from '../../../core/process/marker.ts';
import { isOwnProcess, type OwnTree } from '../../../core/process/own_tree.ts';
import { FakeMachine, type FakeProcess } from './fake_machine.ts';

const MAIN = 100;

function isOwn(pid: number, processes: FakeProcess[], more: Partial<OwnTree> = {}): boolean {
  const machine = new FakeMachine({ pid: MAIN, start_time: 1000 }, ...processes);
  const main = { boot_id: 'boot', pid: MAIN, start_time: 1000 };
  const tree = { job_id: 'j', incarnation: 2, main, sessions: new Set<number>(), ...more };
  return isOwnProcess(pid, tree, machine.host.processes);
}

const mark = (job_id: string, incarnation: number): Record<string, string> => ({
  [MARKER]: formatMark({ instance: 'c0ffee', job_id, incarnation }),
});

describe('isOwnProcess', () => {
  it('knows the main process', () => {
    expect(isOwn(MAIN, [])).toBe(true);
  });

  it('knows what descends from it, in whatever session', () => {
    const processes = [
      { pid: 200, ppid: MAIN },
      { pid: 201, ppid: 200 },
      { pid: 300, ppid: 1 },
    ];
    expect(isOwn(200, processes)).toBe(true);
    expect(isOwn(201, processes)).toBe(true);
    expect(isOwn(300, processes)).toBe(false);
  });

  it('knows its session, and those that were seen in it', () => {
    const processes = [
      { pid: 200, session: MAIN },
      { pid: 201, session: 150 },
      { pid: 202, session: 151 },
    ];
    const sessions = new Set([150]);
    expect(isOwn(200, processes, { sessions })).toBe(true);
    expect(isOwn(201, processes, { sessions })).toBe(true);
    expect(isOwn(202, processes, { sessions })).toBe(false);
  });

  it('knows the marker of this incarnation, and of no other', () => {
    expect(isOwn(200, [{ pid: 200, environ: mark('j', 2) }])).toBe(true);
    expect(isOwn(200, [{ pid: 200, environ: mark('j', 1) }])).toBe(false);
    expect(isOwn(200, [{ pid: 200, environ: mark('k', 2) }])).toBe(false);
    expect(isOwn(200, [{ pid: 200, environ: null }])).toBe(false);
  });

  it('knows nobody who is older than the main process, and nobody who is gone', () => {
    expect(isOwn(200, [{ pid: 200, session: MAIN, start_time: 999, environ: mark('j', 2) }])).toBe(false);
    expect(isOwn(200, [{ pid: 200, session: MAIN, zombie: true }])).toBe(false);
    expect(isOwn(200, [])).toBe(false);
  });

  it('comes to an end in a circle, which pids that are given out anew can make', () => {
    const circle = [
      { pid: 200, ppid: 201 },
      { pid: 201, ppid: 200 },
    ];
    expect(isOwn(200, circle)).toBe(false);
  });
});
