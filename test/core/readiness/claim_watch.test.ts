import { beforeEach, describe, expect, it } from 'vitest';
import { Agenda } from '../../../core/host/agenda.ts';
import type { Host } from '../../../core/host/host.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import { ClaimWatch, type Watched } from '../../../core/readiness/claim_watch.ts';
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
let watch: ClaimWatch;

beforeEach(() => {
  clock = new FakeClock();
  told = [];
  seen = { holders: [], complete: true };
  const host: Host = { ...nodeHost(), clock };
  watch = new ClaimWatch(host, new Agenda(clock), async () => seen, {
    ready: (_watched, note) => told.push(`ready${note === null ? '' : ` ${note.code}`}`),
    fault: (_watched, why) => told.push(`${why.code}: ${why.message}`),
  });
});

function watched(deadline: number | null): Watched {
  return {
    job_id: 'j',
    epoch: 1,
    claims: [claim],
    mode: 'own',
    suspects: [7],
    isOwn: (pid) => pid === 7,
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
