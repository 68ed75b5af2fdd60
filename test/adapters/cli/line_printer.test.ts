import { expect, test } from 'vitest';
import { linePrinter } from '../../../adapters/cli/line_printer.ts';
import { FakeClock } from '../../support/fake_clock.ts';

function errno(code: string): Error {
  return Object.assign(new Error(code), { code });
}

test('lines come out in order, however few bytes are taken at a time', async () => {
  let out = '';
  const printer = linePrinter(async (bytes) => {
    const taken = Math.min(3, bytes.length);
    out += Buffer.from(bytes.subarray(0, taken)).toString();
    return taken;
  }, new FakeClock());
  for (const line of ['one', 'two', 'three']) printer.print(line);
  await printer.flushed();
  printer.print('four');
  await printer.flushed();
  expect(out).toBe('one\ntwo\nthree\nfour\n');
});

test('while nobody reads, printing goes on, and only so much is kept', async () => {
  let out = '';
  let release = (): void => {};
  const stuck = new Promise<void>((resolve) => {
    release = resolve;
  });
  const printer = linePrinter(async (bytes) => {
    await stuck;
    out += Buffer.from(bytes).toString();
    return bytes.length;
  }, new FakeClock());
  for (let line = 0; line < 5000; line++) printer.print(`line ${line}`);
  release();
  await printer.flushed();
  const lines = out.trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(1002);
  expect(lines[0]).toBe('line 0');
  expect(lines.at(-1)).toMatch(/^… \d+ lines left out/);
});

test('a descriptor that takes nothing now is asked again', async () => {
  const clock = new FakeClock();
  let tries = 0;
  const printer = linePrinter(async (bytes) => {
    tries++;
    if (tries === 1) throw errno('EAGAIN');
    return bytes.length;
  }, clock);
  printer.print('one');
  await expect.poll(() => clock.pending).toBe(1);
  clock.advance(1000);
  await printer.flushed();
  expect(tries).toBe(2);
});

test('a reader that has left ends the printing, and nothing else', async () => {
  let tries = 0;
  const printer = linePrinter(async () => {
    tries++;
    throw errno('EPIPE');
  }, new FakeClock());
  printer.print('one');
  await printer.flushed();
  printer.print('two');
  await printer.flushed();
  expect(tries).toBe(1);
});

test('a line that is shown stays below what is printed, until it is taken away', async () => {
  const written: string[] = [];
  const printer = linePrinter(async (bytes) => {
    written.push(Buffer.from(bytes).toString());
    return bytes.length;
  }, new FakeClock());
  printer.show('waiting');
  await printer.flushed();
  printer.print('one');
  await printer.flushed();
  printer.show('waiting');
  printer.show('');
  await printer.flushed();
  printer.print('two');
  await printer.flushed();
  expect(written).toEqual(['waiting', '\r\u001b[2Kone\nwaiting', '\r\u001b[2K', 'two\n']);
});
