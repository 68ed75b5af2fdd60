import { describe, expect, it } from 'vitest';
import { MARKER } from '../../../core/process/marker.ts';
import { classify } from '../../../core/reclaim/holder_class.ts';
import type { ReclaimTarget, ReclaimWorld } from '../../../core/reclaim/target.ts';
import { aTarget, BOOT } from './builders.ts';
import { FakeHost, type FakeProcess } from './fake_host.ts';

const UPKEEP = 500;

/** Init, the kernel's thread daemon, a shell, and upkeep below it. */
const BASE: FakeProcess[] = [
  { pid: 1, ppid: 0 },
  { pid: 2, ppid: 0, argv: [] },
  { pid: 400 },
  { pid: UPKEEP, ppid: 400 },
];

function worldOf(processes: FakeProcess[], changes: Partial<ReclaimWorld> = {}): ReclaimWorld {
  return {
    host: new FakeHost(...BASE, ...processes),
    probes: { lookUp: () => Promise.reject(new Error('not here')) },
    upkeep_pid: UPKEEP,
    instance: 'c0ffee',
    jobOfSession: () => null,
    describeJob: (id) =>
      ({
        j1: { service: 'shop', action: 'web' },
        j0: { service: 'shop', action: 'web' },
        j9: { service: 'bank', action: 'ledger' },
      })[id] ?? null,
    ...changes,
  };
}

function classOf(
  process: FakeProcess,
  {
    others = [],
    world = {},
    target = aTarget(),
  }: {
    others?: FakeProcess[];
    world?: Partial<ReclaimWorld>;
    target?: ReclaimTarget | null;
  } = {},
) {
  const made = worldOf([process, ...others], world);
  return classify((made.host as FakeHost).identity(process.pid), target, made)?.class;
}

const marked = (value: string) => ({ environ: { [MARKER]: value } });

describe('classify', () => {
  it('protects init, the kernel, upkeep and its ancestors', () => {
    const world = worldOf([{ pid: 60, ppid: 2, argv: [] }]);
    const host = world.host as FakeHost;
    for (const pid of [1, 2, 60, 400, UPKEEP]) {
      expect(classify(host.identity(pid), aTarget(), world)?.class, `${pid}`).toBe('protected');
    }
  });

  it('protects an ancestor though it carries the marker of this very job', () => {
    const shell = { pid: 400, ...marked('c0ffee/j1/0') };
    expect(classOf(shell, { others: [] })).toBe('protected');
  });

  it('does not take a child of pid 2 for the kernel in a container, where pid 2 is a program', () => {
    expect(classOf({ pid: 700, ppid: 2, argv: ['nc', '-l'] })).toBe('foreign');
  });

  it('knows its own by the marker, of earlier runs too', () => {
    expect(classOf({ pid: 700, ...marked('c0ffee/j1/0') })).toBe('own_earlier');
    expect(classOf({ pid: 700, ...marked('c0ffee/j0/7') })).toBe('own_earlier');
  });

  it('knows other jobs by the marker, those of another upkeep too', () => {
    expect(classOf({ pid: 700, ...marked('c0ffee/j9/0') })).toBe('managed');
    expect(classOf({ pid: 700, ...marked('beef/j1/0') })).toBe('managed');
    expect(classOf({ pid: 700, ...marked('c0ffee/j1/0') }, { target: null })).toBe('managed');
  });

  it('takes for a stranger what no upkeep looks after, or what is no marker', () => {
    expect(classOf({ pid: 700 })).toBe('foreign');
    expect(classOf({ pid: 700, ...marked('c0ffee/forgotten/0') })).toBe('foreign');
    expect(classOf({ pid: 700, ...marked('rubbish') })).toBe('foreign');
  });

  it('cannot tell where the environment cannot be read', () => {
    expect(classOf({ pid: 700, environ: null })).toBe('unknown');
  });

  it('knows wiped ones by a session that was seen in a tree', () => {
    const wiped = { pid: 700, session: 650, environ: {} };
    const jobOfSession = (session: number) => (session === 650 ? { job_id: 'j1', incarnation: 2 } : null);
    expect(classOf(wiped, { world: { jobOfSession } })).toBe('own_earlier');
    const other = () => ({ job_id: 'j9', incarnation: 2 });
    expect(classOf(wiped, { world: { jobOfSession: other } })).toBe('managed');
    expect(classOf({ ...wiped, environ: null }, { world: { jobOfSession } })).toBe('own_earlier');
  });

  it('knows the session of the last incarnation, unless its number is another one by now', () => {
    const target = aTarget({}, { last: { boot_id: BOOT, pid: 650, start_time: 6500 } });
    expect(classOf({ pid: 700, session: 650, environ: {} }, { target })).toBe('own_earlier');
    expect(classOf({ pid: 650, environ: {} }, { target })).toBe('own_earlier');
    // Started before the session was there: its leader's pid was in use by somebody else then.
    expect(classOf({ pid: 600, session: 650, start_time: 6499, environ: {} }, { target })).toBe('foreign');
    // The leader's pid was given out again.
    const again = { pid: 650, start_time: 9000, environ: {} };
    expect(classOf(again, { target })).toBe('foreign');
    expect(classOf({ pid: 950, session: 650, environ: {} }, { target, others: [again] })).toBe('foreign');
    const otherBoot = aTarget({}, { last: { boot_id: 'boot-0', pid: 650, start_time: 6500 } });
    expect(classOf({ pid: 700, session: 650, environ: {} }, { target: otherBoot })).toBe('foreign');
  });

  it('knows wiped ones by the nearest ancestor that has a marker', () => {
    const others = [
      { pid: 680, ppid: 670, environ: {} },
      { pid: 670, ...marked('c0ffee/j1/2') },
    ];
    expect(classOf({ pid: 700, ppid: 680, environ: {} }, { others })).toBe('own_earlier');
    // What upkeep was started from is not asked.
    const shell = { pid: 400, ...marked('beef/j1/0') };
    expect(classOf({ pid: 700, ppid: UPKEEP, environ: {} }, { others: [shell] })).toBe('foreign');
  });

  it('says nothing of a process that is gone, or whose pid is another one by now', () => {
    const world = worldOf([{ pid: 700 }]);
    expect(classify({ boot_id: BOOT, pid: 701, start_time: 7010 }, aTarget(), world)).toBeNull();
    expect(classify({ boot_id: BOOT, pid: 700, start_time: 1 }, aTarget(), world)).toBeNull();
  });

  it('tells the job and the command', () => {
    const world = worldOf([{ pid: 700, argv: ['nc', '-l', '8080'], ...marked('c0ffee/j9/4') }]);
    expect(classify((world.host as FakeHost).identity(700), aTarget(), world)).toMatchObject({
      command: 'nc -l 8080',
      job: { job_id: 'j9', incarnation: 4, name: { service: 'bank', action: 'ledger' } },
    });
  });
});
