import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { countLines, LINE } from './line_count.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'line-count-'));
  mkdirSync(join(dir, 'a/b'), { recursive: true });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** The bytes of lines `from` to `to` - 1. */
function lines(from: number, to: number): Buffer {
  const all = Array.from({ length: to - from }, (_, n) =>
    `${`${from + n}`.padStart(10, '0')} `.padEnd(99, 'x'),
  );
  return Buffer.from(`${all.join('\n')}\n`);
}

test('segments that are cut within a line are joined in the order of their content', () => {
  const all = lines(0, 1000);
  writeFileSync(join(dir, 'a/b/0.1.log.gz'), gzipSync(all.subarray(0, 40_960)));
  writeFileSync(join(dir, 'a/b/0.2.log'), all.subarray(40_960, 81_920));
  writeFileSync(join(dir, 'a/current.log'), all.subarray(81_920));
  writeFileSync(join(dir, 'a/current.log.index'), 'not a log');
  expect(countLines(dir, 1000)).toEqual({ files: 3, lost: 0, twice: 0, broken: 0 });
});

test('what is missing, doubled or torn is counted', () => {
  writeFileSync(
    join(dir, 'x.log'),
    Buffer.concat([lines(0, 10), lines(9, 12), Buffer.from('torn'), lines(13, 20)]),
  );
  expect(countLines(dir, 20)).toEqual({ files: 1, lost: 2, twice: 1, broken: 1 });
});

test('a line is as long as the worker writes it', () => {
  expect(lines(0, 1)).toHaveLength(LINE);
});
