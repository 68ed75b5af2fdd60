/**
 * Logs whose segments are compressed by zstd, as plain cases: they run in this Node, or in a newer one.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { nodeHost } from '../../../core/host/node_host.ts';
import { codecNamed } from '../../../core/log/codec.ts';
import { memberAt } from '../../../core/log/members.ts';
import { decodeTable } from '../../../core/log/seekable_zstd.ts';
import type { ContractCase } from '../../contract/contract_case.ts';
import { dieEverywhere, PAUSE } from './interruption.ts';
import {
  type Fixture,
  folderOf,
  jobWith,
  logsIn,
  numbered,
  numbersIn,
  scratch,
  segmentsOf,
  textOf,
} from './support.ts';

/** Two incarnations of 3000 lines of 100 bytes in segments of 64 KiB: what reading is asked about. */
export async function writeTwoIncarnations(dir: string, compress: 'zstd' | 'gzip'): Promise<Fixture> {
  const fixture = logsIn(dir);
  const job = jobWith({ compress });
  for (let incarnation = 0; incarnation < 2; incarnation++) {
    const { fd, rotated } = fixture.logs.open(job, incarnation);
    if (rotated !== null) fixture.logs.release(job, rotated);
    for (let part = 0; part < 3; part++) {
      writeSync(fd, numbered(1000, incarnation * 3000 + part * 1000));
      await fixture.lookAndWait();
    }
  }
  await fixture.quiet();
  return fixture;
}

const JOB = jobWith({ compress: 'zstd' });

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

async function withFolder(use: (dir: string) => Promise<void>): Promise<void> {
  const { dir, remove } = scratch();
  try {
    await use(dir);
  } finally {
    remove();
  }
}

/** Every case needs zstd in Node. */
export const zstdCases: readonly ContractCase[] = [
  {
    name: 'are read whole, by their end, by incarnation and by text',
    run: () =>
      withFolder(async (dir) => {
        const { logs } = await writeTwoIncarnations(dir, 'zstd');
        const read = async (query: object) => numbersIn(await textOf(logs.read(JOB, query)));
        assert.ok(segmentsOf(dir, JOB).length > 5);
        assert.ok(segmentsOf(dir, JOB).every(({ name }) => name.endsWith('.log.zst')));
        assert.deepEqual(await read({}), range(0, 6000));
        assert.deepEqual(await read({ tail: 1500 }), range(4500, 6000));
        assert.deepEqual(await read({ incarnation: 0 }), range(0, 3000));
        assert.deepEqual(await read({ incarnation: 0, tail: 10 }), range(2990, 3000));
        assert.deepEqual(await read({ grep: '0000001234' }), [1234]);
        assert.deepEqual(
          logs.tail(JOB, 0, 3).map((line) => Number(line.slice(0, 10))),
          range(2997, 3000),
        );
        logs.closeAll();
      }),
  },
  {
    name: 'are read from a time on',
    run: () =>
      withFolder(async (dir) => {
        const real = nodeHost();
        let wall = 1_700_000_000_000;
        const host = { ...real, clock: { ...real.clock, wall: () => wall } };
        const { logs, quiet, lookAndWait } = logsIn(dir, host);
        const { fd } = logs.open(JOB, 0);
        for (let i = 0; i < 10; i++) {
          wall += 60_000;
          writeSync(fd, numbered(300, i * 300));
          await lookAndWait();
        }
        await quiet();
        const since = 1_700_000_000_000 + 5 * 60_000;
        const numbers = numbersIn(await textOf(logs.read(JOB, { since })));
        assert.equal(numbers.at(-1), 2999);
        assert.ok(numbers[0] !== undefined && numbers[0] <= 1500 && numbers[0] > 600, String(numbers[0]));
        logs.closeAll();
      }),
  },
  {
    name: 'are followed while they are made',
    run: () =>
      withFolder(async (dir) => {
        const { logs, lookAndWait } = logsIn(dir);
        const { fd } = logs.open(JOB, 0);
        const end = new AbortController();
        const followed = textOf(logs.follow(JOB, {}, end.signal));
        for (let i = 0; i < 10; i++) {
          writeSync(fd, numbered(500, i * 500));
          await lookAndWait();
        }
        assert.ok(segmentsOf(dir, JOB).some(({ name }) => name.endsWith('.zst')));
        await lookAndWait();
        end.abort();
        const numbers = numbersIn(await followed);
        assert.deepEqual(numbers, range(0, numbers.length));
        logs.closeAll();
      }),
  },
  {
    name: 'are frames that each can be read by itself',
    run: () =>
      withFolder(async (dir) => {
        const { logs, quiet } = logsIn(dir);
        const job = jobWith({ rotate: [{ type: 'restart' }], compress: 'zstd' });
        const text = numbered(5000);
        const first = logs.open(job, 0);
        writeSync(first.fd, text);
        logs.open(job, 1);
        logs.release(job, first.file);
        await quiet();
        const bytes = readFileSync(join(folderOf(dir, job), '0.log.zst'));
        const members = decodeTable(bytes) ?? [];
        assert.ok(members.length > 3);
        const at = 300_000;
        const member = memberAt(members, at);
        assert.ok(member !== null);
        const content = codecNamed('zstd')?.work.decompressSync(
          bytes.subarray(member.from, member.from + member.bytes),
        );
        assert.equal(content?.toString(), text.slice(member.start, member.start + member.length));
        logs.closeAll();
      }),
  },
  {
    name: 'are zstd files to everybody else',
    needs: ['the program zstd'],
    run: () =>
      withFolder(async (dir) => {
        const { logs } = await writeTwoIncarnations(dir, 'zstd');
        const text = segmentsOf(dir, JOB)
          .map(({ name }) => execFileSync('zstd', ['-dcq', join(folderOf(dir, JOB), name)]).toString())
          .join('');
        assert.deepEqual(numbersIn(text), range(0, numbersIn(text).length));
        assert.ok(text.length > 500_000);
        logs.closeAll();
      }),
  },
  {
    name: 'lie beside those of gzip where the service file has changed',
    run: () =>
      withFolder(async (dir) => {
        (await writeTwoIncarnations(dir, 'gzip')).logs.closeAll();
        const { logs, quiet } = logsIn(dir);
        const { fd, rotated } = logs.open(JOB, 2);
        if (rotated !== null) logs.release(JOB, rotated);
        writeSync(fd, numbered(3000, 6000));
        await quiet();
        const names = segmentsOf(dir, JOB).map(({ name }) => name.replace(/^.*log/, 'log'));
        assert.deepEqual([...new Set(names)], ['log.gz', 'log.zst']);
        assert.deepEqual(numbersIn(await textOf(logs.read(JOB, {}))), range(0, 9000));
        assert.deepEqual(numbersIn(await textOf(logs.read(JOB, { tail: 5000 }))), range(4000, 9000));
        logs.closeAll();
      }),
  },
  ...[
    { how: 'collapse', refuses: [], type: { type: 'size', max: 8_192 } },
    { how: 'punch', refuses: ['-c'], type: { type: 'age', interval: PAUSE, at: [] } },
  ].map(({ how, refuses, type }) => ({
    name: `lose and double no byte wherever upkeep dies: ${how}, by ${type.type}`,
    run: async () => {
      const rotate = [{ type: 'restart' }, type];
      const ends = await dieEverywhere({ refuses, parent: undefined, policy: { rotate, compress: 'zstd' } });
      assert.ok(ends > 40, String(ends));
    },
  })),
];
