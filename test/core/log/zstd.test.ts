import { execFile, spawnSync } from 'node:child_process';
import { readdirSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codecNamed, codecOf, HAS_ZSTD } from '../../../core/log/codec.ts';
import { decodeTable, encodeTable, MAX_TABLE_BYTES } from '../../../core/log/seekable_zstd.ts';
import { describeContract } from '../../contract/vitest.ts';
import { otherNode } from '../../support/other_nodes.ts';
import { folderOf, jobWith, logsIn, numbersIn, scratch, textOf } from './support.ts';
import { zstdCases } from './zstd_cases.ts';

const { path: NEWER, installed: hasNewer, need: NEWER_NEED } = otherNode(24);
const MAIN = fileURLToPath(new URL('zstd_main.ts', import.meta.url));
const ZSTD = `zstd in Node (22.15 or newer, here or as ${NEWER_NEED})`;

const has = [
  ...(HAS_ZSTD || hasNewer ? [ZSTD] : []),
  ...(spawnSync('zstd', ['--version']).status === 0 ? ['the program zstd'] : []),
];

/** The newer Node strips the types by itself. */
async function elsewhere(...argv: string[]): Promise<void> {
  await promisify(execFile)(NEWER, ['--disable-warning=ExperimentalWarning', MAIN, ...argv]);
}

describe('segments of zstd', { timeout: 600_000 }, () => {
  describeContract(
    zstdCases.map(({ name, needs = [], run }, number) => ({
      name,
      needs: [ZSTD, ...needs],
      run: HAS_ZSTD ? run : () => elsewhere('case', String(number)),
    })),
    {},
    has,
  );
});

describe('a zstd file with a table', () => {
  const sizes = [
    { length: 1000, bytes: 300 },
    { length: 1, bytes: 14 },
  ];
  const table = encodeTable(sizes);

  it('says where each member is', () => {
    expect(decodeTable(Buffer.concat([Buffer.alloc(314), table]))).toEqual([
      { start: 0, length: 1000, from: 0, bytes: 300 },
      { start: 1000, length: 1, from: 300, bytes: 14 },
    ]);
    expect(decodeTable(encodeTable([]))).toEqual([]);
  });

  it('is in the seekable format', () => {
    expect(table.toString('hex')).toBe(
      ['5e2a4d18', '19000000', '2c010000e8030000', '0e00000001000000', '02000000', '00', 'b1ea928f'].join(''),
    );
  });

  it('is nothing else', () => {
    expect(decodeTable(Buffer.alloc(0))).toBeNull();
    expect(decodeTable(Buffer.alloc(100))).toBeNull();
    for (let at = 0; at < table.length; at++) {
      if (at >= 8 && at < table.length - 9) continue;
      const wrong = Buffer.from(table);
      wrong[at] = (wrong[at] ?? 0) ^ 0x10;
      expect(decodeTable(wrong), `byte ${at}`).toBeNull();
    }
    expect(decodeTable(table.subarray(1))).toBeNull();
  });

  it('has a table of a bounded size', () => {
    const most = encodeTable(Array.from({ length: 8_000 }, () => ({ length: 1, bytes: 1 })));
    expect(most.length).toBe(MAX_TABLE_BYTES);
    expect(decodeTable(most)).toHaveLength(8_000);
    expect(() => encodeTable(Array.from({ length: 8_001 }, () => ({ length: 1, bytes: 1 })))).toThrow(
      RangeError,
    );
  });
});

describe.skipIf(HAS_ZSTD)('a Node without zstd', () => {
  let dir: string;
  let remove: () => void;
  beforeEach(() => {
    ({ dir, remove } = scratch());
  });
  afterEach(() => remove());

  const job = jobWith({ compress: 'zstd' });

  it('leaves segments uncompressed', () => {
    expect(codecNamed('zstd')).toBeNull();
    expect(codecOf('zst').work).toBeNull();
  });

  it.skipIf(!hasNewer)(`reads the rest, and says what it cannot read (needs ${ZSTD})`, async () => {
    await elsewhere('write', dir);
    const { logs, quiet } = logsIn(dir);
    const { fd, rotated } = logs.open(job, 2);
    if (rotated !== null) logs.release(job, rotated);
    writeSync(fd, `${'9'.repeat(10)}\n`);
    await quiet();
    const packed = readdirSync(folderOf(dir, job)).filter((name) => name.endsWith('.log.zst'));
    const lines = (await textOf(logs.read(job, {}))).split('\n').slice(0, -1);
    const told = lines.filter((line) => line.startsWith('upkeep: '));
    expect(told.map((line) => /wrote into (\S+) cannot/.exec(line)?.[1]).sort()).toEqual(packed.sort());
    expect(told[0]).toContain(process.version);
    const rest = lines.filter((line) => !line.startsWith('upkeep: '));
    expect(rest.length).toBeGreaterThan(100);
    expect(rest.at(-1)).toBe('9999999999');
    // What was not compressed yet is in order, and nothing of the rest is lost.
    const numbers = numbersIn(`${rest.slice(0, -1).join('\n')}\n`).filter((n) => !Number.isNaN(n));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    // From the end, by incarnation and by text.
    expect((await textOf(logs.read(job, { tail: 1 }))).trim()).toBe('9999999999');
    expect(await textOf(logs.read(job, { incarnation: 0 }))).toMatch(/^upkeep: what incarnation 0 wrote/);
    const found = (await textOf(logs.read(job, { grep: '99999' }))).split('\n').slice(0, -1);
    expect(found.slice(0, packed.length).every((line) => line.startsWith('upkeep: '))).toBe(true);
    expect(found.at(-1)).toBe('9999999999');
    expect(logs.tail(job, 0, 1)[0]).toMatch(/^upkeep: what incarnation 0 wrote into .* cannot be read/);
    logs.closeAll();
  });

  it('keeps the plain one of two forms of a segment', async () => {
    const { logs, quiet } = logsIn(dir);
    const first = logs.open(job, 0);
    writeSync(first.fd, 'one\n');
    logs.open(job, 1);
    logs.release(job, first.file);
    await quiet();
    logs.closeAll();
    const folder = folderOf(dir, job);
    expect(readdirSync(folder)).toContain('0.log');
    writeFileSync(join(folder, '0.log.zst.tmp'), 'complete, as far as anybody can tell');
    renameSync(join(folder, '0.log.zst.tmp'), join(folder, '0.log.zst'));
    const again = logsIn(dir).logs;
    expect(await textOf(again.read(job, {}))).toBe('one\n');
    expect(readdirSync(folder)).not.toContain('0.log.zst');
    again.closeAll();
  });
});
