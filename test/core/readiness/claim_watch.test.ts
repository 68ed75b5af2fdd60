import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Agenda } from '../../../core/host/agenda.ts';
import type { Host } from '../../../core/host/host.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import { ClaimWatch, type LookUp, type Watched } from '../../../core/readiness/claim_watch.ts';
import type { Claim, Holder } from '../../../core/reclaim/claim.ts';
import { FakeClock } from '../../support/fake_clock.ts';

const claim: Claim = { kind: 'tcp', address: null, port: 80 };
const OWN: Holder = {
  claim,
  process: { boot_id: 'b', pid: 7, start_time: 1 },
  address: null,
  command: 'own',
  fd: 3,
  inode: '1',
};
const STRANGER: Holder = { ...OWN, process: { boot_id: 'b', pid: 700, start_time: 1 } };

let clock: FakeClock;
let told: string[];
let seen: { holders: Holder[]; complete: boolean };
/** What only an exhaustive look sees; undefined where it sees the same. */
let seenByAll: typeof seen | undefined;
let looks: { at: number; exhaustive: boolean; claims: number }[];
/** How long a look takes, in ms. */
let cost: number;
let watch: ClaimWatch;
/** What the descriptors of each process lead to; nothing where it is not in here. */
let links: Map<number, string>;
/** Whose identity was asked for, each time. */
let asked: number[];

beforeEach(() => {
  clock = new FakeClock();
  told = [];
  seen = { holders: [], complete: true };
  const host: Host = { ...nodeHost(), clock };
  links = new Map();
  asked = [];
  vi.spyOn(host.processes, 'descriptor').mockImplementation((pid) => links.get(pid) ?? null);
  vi.spyOn(host.processes, 'isAlive').mockImplementation(({ pid }) => {
    asked.push(pid);
    return links.has(pid);
  });
  seenByAll = undefined;
  looks = [];
  cost = 0;
  const lookUp: LookUp = async (claims, _suspects, exhaustive) => {
    looks.push({ at: clock.now, exhaustive, claims: claims.length });
    clock.now += cost;
    return exhaustive ? (seenByAll ?? seen) : seen;
  };
  watch = new ClaimWatch(host, new Agenda(clock), lookUp, {
    ready: (_watched, note) => told.push(`ready${note === null ? '' : ` ${note.code}`}`),
    fault: (_watched, why) => told.push(`${why.code}: ${why.message}`),
    together: (tell) => tell(),
  });
});

function watched(deadline: number | null, job_id = 'j'): Watched {
  return {
    job_id,
    epoch: 1,
    claims: [claim],
    mode: 'own',
    main: 7,
    isOwn: (pid) => pid === 7 || pid === 8,
    deadline,
  };
}

/** Lets time pass in small steps, so that looks (which are asynchronous) can finish in between. */
async function pass(ms: number): Promise<void> {
  for (let step = 0; step < ms; step += 10) {
    clock.advance(10);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  }
}

describe('a starting job', () => {
  it('is ready as soon as its own tree holds every claim', async () => {
    watch.watch(watched(10_000));
    await pass(200);
    expect(told).toEqual([]);
    seen = { holders: [OWN], complete: true };
    await pass(400);
    expect(told[0]).toBe('ready');
  });

  it('is not ready while a stranger holds it, and at the deadline it is told who', async () => {
    seen = { holders: [STRANGER], complete: true };
    watch.watch(watched(2_000));
    await pass(1_900);
    expect(told).toEqual([]);
    await pass(3_000);
    expect(told).toEqual(['NOT_READY: did not hold in time: tcp:80 (held by another)']);
  });

  it('is ready, by inference, when the last look before the deadline was blind', async () => {
    seen = { holders: [], complete: false };
    watch.watch(watched(2_000));
    await pass(1_700);
    expect(told).toEqual([]);
    await pass(400);
    expect(told[0]).toBe('ready PROBE_UNAVAILABLE');
  });
});

describe('a running job', () => {
  it('has lost a claim only after three complete looks', async () => {
    seen = { holders: [OWN], complete: true };
    watch.watch(watched(null));
    await pass(11_000);
    seen = { holders: [], complete: true };
    await pass(4_500);
    expect(told).toEqual([]);
    await pass(1_000);
    expect(told).toEqual(['CLAIM_LOST: no longer holds tcp:80']);
  });

  it('has not lost it while looks are blind, or when it is back in between', async () => {
    watch.watch(watched(null));
    seen = { holders: [], complete: false };
    await pass(30_000);
    seen = { holders: [], complete: true };
    await pass(5_200);
    seen = { holders: [OWN], complete: true };
    await pass(30_000);
    expect(told).toEqual([]);
  });

  it('has not lost it to a stranger whom a look saw that did not see everything', async () => {
    seen = { holders: [STRANGER], complete: false };
    watch.watch(watched(null));
    await pass(30_000);
    expect(told).toEqual([]);
  });

  it('has not lost it where only a quick look passed over its own', async () => {
    seen = { holders: [STRANGER], complete: true };
    seenByAll = { holders: [STRANGER, OWN], complete: true };
    watch.watch(watched(null));
    await pass(30_000);
    expect(told).toEqual([]);
  });

  it('is asked about exhaustively from the first miss on, three times before it is told', async () => {
    watch.watch(watched(null));
    await pass(5_000);
    expect(looks.map(({ exhaustive }) => exhaustive)).toEqual([false]);
    await pass(7_000);
    expect(looks.map(({ exhaustive }) => exhaustive)).toEqual([false, true, true, true]);
    expect(told).toEqual(['CLAIM_LOST: no longer holds tcp:80']);
  });

  it('is asked about the quick way again once its claim was seen', async () => {
    seen = { holders: [], complete: true };
    seenByAll = { holders: [OWN], complete: true };
    watch.watch(watched(null));
    await pass(11_000);
    expect(looks.map(({ exhaustive }) => exhaustive)).toEqual([false, true, false, true]);
    expect(told).toEqual([]);
  });

  it.each([
    ['the main process, of whose end upkeep hears', 7, []],
    ['another of its processes, if it is still that one', 8, [8, 8]],
  ])('is proved again by the descriptor alone: %s', async (_which, pid, identities) => {
    seen = { holders: [{ ...OWN, process: { boot_id: 'b', pid, start_time: 1 } }], complete: true };
    links.set(pid, 'socket:[1]');
    watch.watch(watched(null));
    await pass(5_100);
    expect([looks.length, asked]).toEqual([1, []]);
    await pass(10_000);
    expect([looks.length, asked]).toEqual([1, identities]);
    // Another socket has the descriptor.
    links.set(pid, 'socket:[2]');
    seen = { holders: [], complete: true };
    await pass(10_000);
    expect(told).toEqual([expect.stringContaining('CLAIM_LOST')]);
  });

  it('is asked about where another process has the number of its own', async () => {
    seen = { holders: [{ ...OWN, process: { boot_id: 'b', pid: 8, start_time: 1 } }], complete: true };
    watch.watch(watched(null));
    await pass(5_100);
    vi.spyOn(links, 'get').mockReturnValue('socket:[1]');
    await pass(5_000);
    expect([looks.length, asked]).toEqual([2, [8]]);
  });

  it('has lost it to a stranger', async () => {
    seen = { holders: [STRANGER], complete: true };
    watch.watch(watched(null));
    await pass(7_000);
    expect(told).toEqual(['CLAIM_LOST: no longer holds tcp:80 (held by another)']);
  });

  it('is not looked at once it is dropped', async () => {
    watch.watch(watched(null));
    watch.drop('j');
    await pass(20_000);
    expect(told).toEqual([]);
  });
});

describe('many jobs', () => {
  it('share looks, which get a small share of the time however many jobs come in between', async () => {
    cost = 20;
    for (let job = 0; job < 100; job += 1) {
      watch.watch(watched(60_000, `j${job}`));
      await pass(10);
    }
    const first = looks.length;
    expect(first).toBeGreaterThan(1);
    // Each takes 20 ms, and after one that many shared there are 300 ms without any.
    expect(first).toBeLessThan(12);
    await pass(3_000);
    expect(looks.length - first).toBeLessThan(12);
    expect(looks.at(-1)?.claims).toBe(100);
  });

  it('have their last look before the deadline though looks rest', async () => {
    cost = 60;
    seen = { holders: [STRANGER], complete: true };
    for (let job = 0; job < 10; job += 1) watch.watch(watched(job === 0 ? 500 : 60_000, `j${job}`));
    await pass(500);
    expect(told).toEqual(['NOT_READY: did not hold in time: tcp:80 (held by another)']);
    expect(looks.at(-1)?.at).toBeLessThan(500);
  });

  it('that run are looked at in one pass', async () => {
    for (let job = 0; job < 100; job += 1) {
      watch.watch(watched(null, `j${job}`));
      clock.advance(5);
    }
    seen = { holders: [OWN], complete: true };
    await pass(6_000);
    expect(looks.map(({ claims }) => claims)).toEqual([100]);
  });

  it('do not hurry the looks at one that may have lost a claim', async () => {
    seen = { holders: [], complete: true };
    watch.watch(watched(null, 'lost'));
    await pass(5_010);
    for (let job = 0; job < 40; job += 1) {
      watch.watch(watched(60_000, `j${job}`));
      await pass(10);
    }
    expect(told.filter((line) => line.startsWith('CLAIM_LOST'))).toEqual([]);
  });
});
