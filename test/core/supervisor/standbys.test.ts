import { beforeEach, describe, expect, it } from 'vitest';
import { Agenda } from '../../../core/host/agenda.ts';
import type { Program, Standby } from '../../../core/host/host.ts';
import type { JobRuntime } from '../../../core/supervisor/runtime.ts';
import { Standbys } from '../../../core/supervisor/standbys.ts';
import { FakeClock } from '../../support/fake_clock.ts';

/** One that was forked, for the job that is its folder. */
class Forked implements Standby {
  readonly program: Program;
  readonly late: readonly string[];
  waiting = true;

  constructor(program: Program, late: readonly string[]) {
    this.program = program;
    this.late = late;
  }

  discard(): void {
    this.waiting = false;
  }
}

let clock: FakeClock;
let forked: Forked[];
let standbys: Standbys;
/** Jobs that cannot be launched as things are. */
let broken: Set<string>;

beforeEach(() => {
  clock = new FakeClock();
  forked = [];
  broken = new Set();
  standbys = new Standbys({
    clock,
    agenda: new Agenda(clock),
    spawner: {
      standBy(program, late) {
        forked.push(new Forked(program, late));
        return forked.at(-1) ?? null;
      },
    },
    program({ job }) {
      if (broken.has(job.id)) throw new Error('its env_file is not there');
      return job.id.startsWith('oneshot') ? null : { file: 'server', argv: [], cwd: job.id, env: {} };
    },
  });
});

function running(id: string, restart_count = 0, policy = 'always'): JobRuntime {
  return { job: { id, restart_count, phase: 'running' }, spec: { restart: { policy } } } as JobRuntime;
}

/** Jobs for which one waits, in the order of their forks. */
const waiting = (): string[] => forked.filter((each) => each.waiting).map(({ program }) => program.cwd);

describe('standbys', () => {
  it('are forked once it is quiet, one after the other', () => {
    standbys.expect(running('a'));
    clock.advance(200);
    standbys.expect(running('b'));
    clock.advance(200);
    expect(waiting()).toEqual([]);
    clock.advance(50);
    expect(waiting()).toEqual(['a']);
    clock.advance(250);
    expect(waiting()).toEqual(['a', 'b']);
    expect(forked[0]?.late).toEqual(['UPKEEP_JOB', 'UPKEEP_SPAWNED']);
    clock.advance(10_000);
    expect(forked).toHaveLength(2);
  });

  it('are taken once, and come again when the job runs again', () => {
    standbys.expect(running('a'));
    clock.advance(250);
    expect(standbys.take('a')).toBe(forked[0]);
    expect(standbys.take('a')).toBeUndefined();
    expect(standbys.take('b')).toBeUndefined();
    forked[0]?.discard();
    standbys.expect(running('a', 1));
    clock.advance(250);
    expect(standbys.take('a')).toBe(forked[1]);
  });

  it('are forked anew in place of one that has ended, and not beside one that waits', () => {
    standbys.expect(running('a'));
    clock.advance(250);
    standbys.expect(running('a'));
    clock.advance(250);
    expect(forked).toHaveLength(1);
    forked[0]?.discard();
    standbys.expect(running('a'));
    clock.advance(250);
    expect(waiting()).toEqual(['a']);
    expect(forked).toHaveLength(2);
  });

  it('wait until nothing starts any more, who that may be', () => {
    for (const id of ['a', 'b', 'c', 'd']) standbys.expect(running(id));
    for (let n = 0; n < 20; n++) {
      clock.advance(200);
      standbys.expect(running(`other${n}`));
    }
    expect(forked).toEqual([]);
    clock.advance(5000);
    expect(waiting()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('are four, which those that are restarted take from others', () => {
    for (const id of ['a', 'b', 'c', 'd', 'e']) standbys.expect(running(id));
    clock.advance(5000);
    expect(waiting()).toEqual(['a', 'b', 'c', 'd']);
    standbys.take('b');
    forked[1]?.discard();
    standbys.expect(running('b', 1));
    clock.advance(5000);
    standbys.expect(running('e', 1));
    clock.advance(5000);
    expect(waiting()).toEqual(['c', 'd', 'b', 'e']);
    expect(standbys.take('a')).toBeUndefined();
  });

  it('are not forked for what is not started again, or does not run any more', () => {
    const gone = running('gone');
    standbys.expect(running('never', 0, 'never'));
    standbys.expect(running('oneshot'));
    standbys.expect(gone);
    gone.job = { ...gone.job, phase: 'retrying' } as JobRuntime['job'];
    clock.advance(5000);
    expect(forked).toEqual([]);
  });

  it('hold nothing up where the job cannot be launched', () => {
    broken.add('a');
    standbys.expect(running('a'));
    standbys.expect(running('b'));
    clock.advance(5000);
    expect(waiting()).toEqual(['b']);
    expect(standbys.take('a')).toBeUndefined();
  });

  it('end with the job, and with upkeep', () => {
    standbys.expect(running('a'));
    standbys.expect(running('b'));
    clock.advance(500);
    standbys.expect(running('c'));
    standbys.drop('a');
    standbys.drop('c');
    expect(waiting()).toEqual(['b']);
    standbys.close();
    clock.advance(5000);
    expect(waiting()).toEqual([]);
    expect(forked).toHaveLength(2);
  });
});
