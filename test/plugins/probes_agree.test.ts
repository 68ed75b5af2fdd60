/**
 * All probes about the same 500 random sockets of all kinds: each must say what is so, but for what it is excused from.
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isInTheWay } from '../../core/host/address.ts';
import { nodeHost } from '../../core/host/node_host.ts';
import type { ProbeAnswer } from '../../core/plugin/probe.ts';
import { type Claim, claimKey } from '../../core/reclaim/claim.ts';
import { builtInPlugins } from '../../plugins/mod.ts';
import { Fixtures } from '../contract/fixture.ts';
import { hasNeed } from '../contract/machine.ts';

const SEED = Number(process.env['SEED'] ?? 20_261_126);
const SOCKETS = 500;
const PROCESSES = 10;

/** A socket that somebody is to hold; see the fixture. */
interface Wish {
  readonly kind: 'tcp' | 'udp' | 'unix';
  readonly address?: string;
  /** Where to begin to look for a free one. */
  readonly port?: number;
  readonly path?: string;
  readonly type?: 'stream' | 'dgram';
  readonly share?: 'inherited' | 'reuseport';
}

/** A socket that is held. */
interface Held {
  readonly wish: Wish;
  readonly port: number;
  readonly pids: readonly number[];
}

/** What a probe cannot see, by the reason why. `sees` is as much as it must see all the same. */
interface Excuse {
  readonly why: string;
  covers(claim: Claim, held: readonly Held[]): boolean;
  sees(seen: readonly number[], expected: readonly number[]): boolean;
}

const nothing: Excuse['sees'] = (seen) => seen.length === 0;

const EXCUSES: Readonly<Record<string, readonly Excuse[]>> = {
  lsof: [
    {
      why: 'it cuts paths at a blank or a colon, and spells what is not ASCII otherwise',
      covers: (claim) => claim.kind === 'socket' && !/^[!-9;-[\]-~]+$/.test(claim.path),
      sees: nothing,
    },
  ],
  netstat: [
    {
      why: 'it cuts paths at a blank',
      covers: (claim) => claim.kind === 'socket' && /\s/.test(claim.path),
      sees: nothing,
    },
    {
      why: 'it names one of the processes that have a socket',
      covers: (_, held) => held.some(({ wish }) => wish.share === 'inherited'),
      sees: (seen, expected) => seen.length > 0 && seen.every((pid) => expected.includes(pid)),
    },
  ],
};

/** Mulberry32: numbers from 0 to 1 that are the same for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const next = random(SEED);

function pick<T>(items: readonly T[]): T {
  return items[Math.floor(next() * items.length)] as T;
}

const ADDRESSES = [
  '127.0.0.1',
  '127.0.0.2',
  '0.0.0.0',
  ...(hasNeed('IPv6') ? ['::1', '::', '::ffff:127.0.0.1', '::ffff:127.0.0.3'] : []),
];
const NAMES = [
  'plain',
  'with space',
  'line\nbreak',
  'größe',
  'tab\there',
  'quote"s',
  'a:b',
  '$x\\n',
  'x * 0',
];

function randomWish(dir: string, number: number): Wish {
  const share = pick([undefined, undefined, 'inherited', 'reuseport'] as const);
  const kind = pick(['tcp', 'tcp', 'udp', 'unix', 'unix'] as const);
  const shared = share === undefined || (kind === 'unix' && share === 'reuseport') ? {} : { share };
  // Below the ports that the kernel hands out, so as not to get in the way of other tests.
  const port = 12_000 + Math.floor(next() * 18_000);
  if (kind !== 'unix') return { kind, address: pick(ADDRESSES), port, ...shared };
  const type = pick(['stream', 'dgram'] as const);
  const name = `${number} ${pick(NAMES)}`.replace(/ /, next() < 0.8 ? '-' : ' ');
  const path = next() < 0.3 ? `@upkeep-${process.pid}-${name.replace(/\n/g, '')}` : join(dir, `${name}.sock`);
  return { kind, path, type, ...shared };
}

/** A claim that the socket is in the way of, on its own address or on every one. */
function claimOf({ wish, port }: Held): Claim {
  if (wish.kind === 'unix') return { kind: 'socket', path: wish.path ?? '' };
  const address = (wish.address ?? '').replace('::ffff:', '');
  return { kind: wish.kind, port, address: next() < 0.3 ? null : address };
}

function inTheWay(claim: Claim, { wish, port }: Held): boolean {
  if (claim.kind === 'socket') return wish.path === claim.path;
  return wish.kind === claim.kind && port === claim.port && isInTheWay(wish.address ?? '', claim.address);
}

const ascending = (pids: Iterable<number>): number[] => [...new Set(pids)].sort((a, b) => a - b);

describe.skipIf(!hasNeed('Linux') || !hasNeed('python3') || !hasNeed('root'))(
  `500 random sockets, seed ${SEED} (needs Linux, python3 and root)`,
  () => {
    const host = nodeHost();
    const fixtures = new Fixtures();
    const dir = realpathSync(mkdtempSync(join(tmpdir(), 'upkeep-agree-')));
    const held: Held[] = [];
    let claims: Claim[] = [];

    beforeAll(async () => {
      const wishes = Array.from({ length: SOCKETS }, (_, number) => randomWish(dir, number));
      for (let n = 0; n < PROCESSES; n += 1) {
        const plan = wishes.filter((_, index) => index % PROCESSES === n);
        const { sockets } = (await fixtures.start('hold_plan.py', JSON.stringify(plan))) as unknown as {
          readonly sockets: readonly { readonly port: number; readonly pids: readonly number[] }[];
        };
        for (const [index, wish] of plan.entries()) {
          const { port = 0, pids = [] } = sockets[index] ?? {};
          held.push({ wish, port, pids });
        }
      }
      claims = [...new Map(held.map(claimOf).map((claim) => [claimKey(claim), claim])).values()];
    });

    afterAll(async () => {
      await fixtures.end();
      rmSync(dir, { recursive: true, force: true });
    });

    /** Whom it saw of those that are ours: a stranger may have the same port on another address. */
    function seenBy({ holders }: ProbeAnswer): (claim: Claim) => number[] {
      const ours = new Set(held.flatMap(({ pids }) => pids));
      const seen = new Map<string, number[]>();
      for (const { claim, process } of holders) {
        if (process === null || !ours.has(process.pid)) continue;
        seen.set(claimKey(claim), [...(seen.get(claimKey(claim)) ?? []), process.pid]);
      }
      return (claim) => ascending(seen.get(claimKey(claim)) ?? []);
    }

    it('are of all kinds', () => {
      const kinds = new Set(held.map(({ wish }) => `${wish.kind} ${wish.share ?? 'alone'}`));
      expect(kinds.size).toBe(8);
      expect(new Set(held.map(({ wish }) => wish.address)).size).toBe(ADDRESSES.length + 1);
      expect(claims.length).toBeGreaterThan(SOCKETS * 0.95);
    });

    it.each(builtInPlugins.probes.map((probe) => [probe.name, probe] as const))(
      'are told rightly by %s',
      async (name, probe) => {
        const excuses = EXCUSES[name] ?? [];
        const answer = await probe.holders({ claims, suspects: [], exhaustive: true }, host);
        const seen = seenBy(answer);
        const excused: Claim[] = [];
        const wrong: unknown[] = [];
        for (const claim of claims) {
          const socks = held.filter((each) => inTheWay(claim, each));
          const expected = ascending(socks.flatMap(({ pids }) => pids));
          const excuse = excuses.find(({ covers }) => covers(claim, socks));
          if (excuse !== undefined) excused.push(claim);
          const right = excuse?.sees(seen(claim), expected) ?? seen(claim).join() === expected.join();
          if (!right)
            wrong.push({ claim: claimKey(claim), expected, seen: seen(claim), excuse: excuse?.why });
        }
        expect(wrong).toEqual([]);
        // What it is excused from it must not pass over in silence.
        expect(answer.complete).toBe(excused.length === 0);
        const sure = claims.filter((claim) => !excused.includes(claim));
        const again = await probe.holders({ claims: sure, suspects: [], exhaustive: false }, host);
        expect(again.complete).toBe(true);
      },
    );
  },
);
