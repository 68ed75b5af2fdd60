import { describe, expect, it } from 'vitest';
import type { Probe, ProbeAnswer } from '../../../core/plugin/probe.ts';
import type { Holder } from '../../../core/reclaim/claim.ts';
import { lookUpHolders } from '../../../core/reclaim/look_up.ts';
import { BOOT, tcp } from './builders.ts';
import { FakeHost } from './fake_host.ts';

const CLAIM = tcp(8080);
const OPTIONS = { suspects: [], exhaustive: true } as const;

function holder(pid: number | null): Holder {
  const process = pid === null ? null : { boot_id: BOOT, pid, start_time: 1 };
  return { claim: CLAIM, process, address: null, command: '', fd: null, inode: null };
}

function probe(name: string, holders: () => Promise<ProbeAnswer>, available = async () => true): Probe {
  return { name, available, holders };
}

const seeing = (name: string, complete: boolean, ...pids: (number | null)[]) =>
  probe(name, async () => ({ holders: pids.map(holder), complete }));

async function ask(...probes: Probe[]) {
  const {
    probe: name,
    complete,
    holders,
  } = await lookUpHolders([CLAIM], { host: new FakeHost(), probes }, OPTIONS);
  return { name, complete, pids: holders.map(({ process }) => process?.pid ?? null) };
}

describe('lookUpHolders', () => {
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
    const rejecting = probe('rejects', async () => Promise.reject(new Error('broken')));
    const hung = probe('hangs', () => new Promise(() => {}));
    const shy = probe(
      'shy',
      async () => ({ holders: [], complete: true }),
      async () => Promise.reject(new Error('?')),
    );
    expect(await ask(throwing, rejecting, hung, shy, seeing('works', true, 1))).toMatchObject({
      name: 'works',
    });
  });

  it('is incomplete where there is nobody to ask', async () => {
    expect(await ask()).toEqual({ name: null, complete: false, pids: [] });
  });

  it('asks nobody about nothing', async () => {
    const broken = probe('broken', async () => Promise.reject(new Error('asked')));
    const answer = await lookUpHolders([], { host: new FakeHost(), probes: [broken] }, OPTIONS);
    expect(answer).toMatchObject({ holders: [], complete: true });
  });
});
