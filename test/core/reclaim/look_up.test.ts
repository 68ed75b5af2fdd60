import { describe, expect, it } from 'vitest';
import type { Reason } from '../../../core/job/reason.ts';
import type { Probe, ProbeAnswer } from '../../../core/plugin/probe.ts';
import { FAULTS, PROBE_DEADLINE, REST } from '../../../core/reclaim/asked_probe.ts';
import type { Claim, Holder } from '../../../core/reclaim/claim.ts';
import { ProbeHost, type ProbePolicy } from '../../../core/reclaim/look_up.ts';
import { BOOT, tcp } from './builders.ts';
import { FakeHost } from './fake_host.ts';

const CLAIM = tcp(8080);
const OPTIONS = { suspects: [], exhaustive: true } as const;

function holder(pid: number | null, claim: Claim = CLAIM): Holder {
  const process = pid === null ? null : { boot_id: BOOT, pid, start_time: 1 };
  return { claim, process, address: null, command: '', fd: null, inode: null };
}

function probe(name: string, holders: () => Promise<ProbeAnswer>, available = async () => true): Probe {
  return { name, available, holders };
}

const seeing = (name: string, complete: boolean, ...pids: (number | null)[]) =>
  probe(name, async () => ({ holders: pids.map((pid) => holder(pid)), complete }));

/** A probe that answers one after the other, and the last for ever. */
function saying(name: string, ...answers: (readonly (number | null)[] | Error)[]): Probe {
  let asked = 0;
  return probe(name, async () => {
    const answer = answers[Math.min(asked, answers.length - 1)] ?? [];
    asked += 1;
    if (answer instanceof Error) throw answer;
    return { holders: answer.map((pid) => holder(pid)), complete: true };
  });
}

class Bench {
  readonly host = new FakeHost();
  readonly told: Reason[] = [];
  readonly probes: ProbeHost;

  constructor(all: readonly Probe[], policy?: Partial<ProbePolicy>) {
    this.probes = new ProbeHost(this.host, all, (why) => this.told.push(why));
    this.probes.configure({ order: all.map(({ name }) => name), quorum: 1, ...policy });
  }

  async ask(exhaustive = true) {
    const answer = await this.probes.lookUp([CLAIM], { ...OPTIONS, exhaustive });
    const pids = answer.holders.map(({ process }) => process?.pid ?? null);
    return { name: answer.probe, complete: answer.complete, pids };
  }
}

const ask = (...probes: Probe[]) => new Bench(probes).ask();
const quorum = (...probes: Probe[]) => new Bench(probes, { quorum: 2 });

const broken = () => probe('broken', async () => Promise.reject(new Error('no socket left')));

describe('asking in order', () => {
  it('takes the first that is there and sees everything', async () => {
    const absent = probe(
      'absent',
      async () => ({ holders: [], complete: true }),
      async () => false,
    );
    expect(await ask(absent, seeing('a', true, 1), seeing('b', true, 2))).toEqual({
      name: 'a',
      complete: true,
      pids: [1],
    });
  });

  it('falls back to another where one does not see everything', async () => {
    expect(await ask(seeing('a', false, 1), seeing('b', true, 1, 2))).toMatchObject({
      name: 'b',
      complete: true,
    });
  });

  it('takes the one that named most where none sees everything', async () => {
    expect(await ask(seeing('a', false, null), seeing('b', false, 2), seeing('c', false, 3))).toEqual({
      name: 'b',
      complete: false,
      pids: [2],
    });
    expect(await ask(seeing('a', false, null), seeing('b', false))).toMatchObject({
      name: 'a',
      pids: [null],
    });
  });

  it('goes on where a probe throws, rejects or never answers', async () => {
    const throwing = probe('throws', () => {
      throw new Error('broken');
    });
    const hung = probe('hangs', () => new Promise(() => {}));
    const shy = probe(
      'shy',
      async () => ({ holders: [], complete: true }),
      async () => Promise.reject(new Error('?')),
    );
    expect(await ask(throwing, broken(), hung, shy, seeing('works', true, 1))).toMatchObject({
      name: 'works',
    });
  });

  it('is incomplete where there is nobody to ask', async () => {
    expect(await ask()).toEqual({ name: null, complete: false, pids: [] });
  });

  it('asks nobody about nothing', async () => {
    const { probes } = new Bench([broken()]);
    expect(await probes.lookUp([], OPTIONS)).toMatchObject({ holders: [], complete: true });
    expect(probes.stats()).toMatchObject([{ calls: 0 }]);
  });

  it('asks in the order that it was told, and nobody else, from the next look on', async () => {
    const bench = new Bench([seeing('a', true, 1), seeing('b', true, 2), seeing('c', false, 3)]);
    bench.probes.configure({ order: ['c', 'b'], quorum: 1 });
    expect(await bench.ask()).toMatchObject({ name: 'b' });
    bench.probes.configure({ order: ['c'], quorum: 1 });
    expect(await bench.ask()).toMatchObject({ name: 'c', complete: false });
    expect(bench.probes.stats().map(({ calls }) => calls)).toEqual([0, 1, 2]);
  });
});

describe('availability', () => {
  it('is asked now and then, and not at each look', async () => {
    let asked = 0;
    const here = probe(
      'here',
      async () => ({ holders: [], complete: true }),
      async () => {
        asked += 1;
        return asked > 1;
      },
    );
    const bench = new Bench([here]);
    for (let n = 0; n < 3; n += 1) expect(await bench.ask()).toMatchObject({ name: null });
    expect([asked, bench.probes.stats()[0]?.available]).toEqual([1, false]);
    bench.host.now += 60_000;
    for (let n = 0; n < 3; n += 1) expect(await bench.ask()).toMatchObject({ name: 'here' });
    expect([asked, bench.probes.stats()[0]?.available]).toEqual([2, true]);
  });

  it('is asked again after a fault: the program may be gone', async () => {
    let asked = 0;
    const gone = probe(
      'gone',
      async () => Promise.reject(new Error('ENOENT')),
      async () => {
        asked += 1;
        return asked === 1;
      },
    );
    const bench = new Bench([gone]);
    for (let n = 0; n < 5; n += 1) await bench.ask();
    expect(bench.probes.stats()).toMatchObject([{ available: false, calls: 1, faults: 1 }]);
  });
});

describe('a probe that fails', () => {
  it('is counted, with what it said last', async () => {
    const bench = new Bench([saying('moody', new Error('one'), new Error('two'), [1])]);
    bench.host.now = 5;
    for (let n = 0; n < 3; n += 1) await bench.ask();
    expect(bench.probes.stats()).toEqual([
      {
        name: 'moody',
        available: true,
        calls: 3,
        faults: 2,
        last_error: 'two',
        last_faulted_at: 5,
        last_duration: 0,
      },
    ]);
    expect(bench.told).toEqual([]);
  });

  it('is reported once when it keeps failing, and again only after it has worked', async () => {
    const bad = new Error('no socket left');
    const bench = new Bench([saying('bad', bad, bad, bad, bad, [1], bad, bad, bad)]);
    const look = async () => {
      bench.host.now += REST;
      await bench.ask();
      return bench.told.length;
    };
    const reports: number[] = [];
    for (let n = 0; n < 8; n += 1) reports.push(await look());
    expect(reports).toEqual([0, 0, 1, 1, 1, 1, 1, 2]);
    expect(bench.told[0]).toEqual({
      code: 'PROBE_UNAVAILABLE',
      message: 'the probe bad has failed 3 times in a row: no socket left',
      evidence: { probe: 'bad', error: 'no socket left', faults: 3 },
    });
  });

  it('is left out for a while, so that one that hangs does not cost its deadline at each look', async () => {
    const bench = new Bench([probe('hangs', () => new Promise(() => {})), seeing('works', true, 1)]);
    for (let n = 0; n < FAULTS; n += 1) await bench.ask();
    expect(bench.host.now).toBe(FAULTS * PROBE_DEADLINE);
    for (let n = 0; n < 5; n += 1) expect(await bench.ask()).toMatchObject({ name: 'works' });
    expect(bench.host.now).toBe(FAULTS * PROBE_DEADLINE);
    expect(bench.probes.stats()[0]).toMatchObject({ calls: 3, last_error: 'did not answer within 5 s' });
    bench.host.now += REST;
    await bench.ask();
    expect(bench.probes.stats()[0]).toMatchObject({ calls: 4 });
  });
});

describe('a quorum of 2', () => {
  it('asks two at once, and is content where they agree', async () => {
    let waiting: (() => void) | null = null;
    // Neither answers before the other was asked.
    const meet = () =>
      new Promise<ProbeAnswer>((resolve) => {
        const answer = (): void => resolve({ holders: [holder(1)], complete: true });
        if (waiting === null) waiting = answer;
        else for (const each of [waiting, answer]) each();
      });
    const bench = quorum(probe('a', meet), probe('b', meet), broken());
    expect(await bench.ask()).toEqual({ name: 'a and b', complete: true, pids: [1] });
    expect(bench.told).toEqual([]);
    expect(bench.probes.stats()[2]).toMatchObject({ calls: 0 });
  });

  it('asks on where one of them fails or does not see everything', async () => {
    const bench = quorum(broken(), seeing('a', false, 9), seeing('b', true, 1), seeing('c', true, 1));
    expect(await bench.ask()).toEqual({ name: 'b and c', complete: true, pids: [1] });
  });

  it('counts a claim as held where either sees a holder, and tells of it once until it changes', async () => {
    const bench = quorum(saying('a', [1], [1], [1], [1], [1, 2], [1, 2], [1], [1]), seeing('b', true));
    expect(await bench.ask()).toEqual({ name: 'a and b', complete: true, pids: [1] });
    expect(bench.told).toEqual([
      {
        code: 'PROBE_DISAGREEMENT',
        message: 'a and b disagree about tcp:8080: a saw pid 1, b saw nobody; it counts as held',
        evidence: {
          claim: 'tcp:8080',
          answers: { a: { pids: [1], unseen: false }, b: { pids: [], unseen: false } },
        },
      },
    ]);
    await bench.ask();
    expect(bench.told).toHaveLength(1);
    await bench.ask();
    expect(bench.told.map(({ message }) => message)[1]).toContain('a saw pid 1, 2, b saw nobody');
    await bench.ask();
    expect(bench.told).toHaveLength(3);
  });

  it('tells of it again after they have agreed', async () => {
    const bench = quorum(saying('a', [1], [1], [], [1], [1]), seeing('b', true));
    for (let n = 0; n < 3; n += 1) await bench.ask();
    expect(bench.told).toHaveLength(2);
  });

  it('says nothing of what a second look settles: the world moves on while they look', async () => {
    const bench = quorum(saying('a', [1], []), seeing('b', true));
    expect(await bench.ask()).toEqual({ name: 'a and b', complete: true, pids: [] });
    expect(bench.told).toEqual([]);
  });

  it('counts as held what could not be looked at a second time', async () => {
    const bench = quorum(saying('a', [1], new Error('gone')), seeing('b', true));
    expect(await bench.ask()).toEqual({ name: 'a and b', complete: true, pids: [1] });
    expect(bench.told).toEqual([]);
  });

  it('compares names only where each was to name everybody', async () => {
    const other = (exhaustive: boolean) => {
      const bench = quorum(seeing('a', true, 1), seeing('b', true, 2));
      return bench.ask(exhaustive).then((answer) => [answer.pids, bench.told.length]);
    };
    expect(await other(true)).toEqual([[1, 2], 1]);
    expect(await other(false)).toEqual([[1, 2], 0]);
  });

  it('takes somebody without a name for anybody', async () => {
    const bench = quorum(seeing('a', true, null), seeing('b', true, 2));
    expect(await bench.ask()).toMatchObject({ pids: [2] });
    expect(bench.told).toEqual([]);
    const nobody = quorum(seeing('a', true, null), seeing('b', true));
    expect(await nobody.ask()).toMatchObject({ pids: [null] });
    expect(nobody.told[0]?.message).toContain('a saw somebody without a name, b saw nobody');
  });

  it('is unknown, and says so once, where only one sees everything', async () => {
    const bench = quorum(seeing('a', true), seeing('b', false, 7));
    for (let n = 0; n < 3; n += 1) {
      expect(await bench.ask()).toEqual({ name: 'a', complete: false, pids: [7] });
    }
    expect(bench.told).toMatchObject([{ code: 'PROBE_UNAVAILABLE', evidence: { probe: 'a', quorum: 2 } }]);
  });
});
