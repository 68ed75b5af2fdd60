import { beforeEach, expect, test } from 'vitest';
import { reportStart } from '../../../adapters/cli/start_report.ts';
import { FakeControl, fakeService } from '../../core/operation/fake_control.ts';
import { FakeClock } from '../../support/fake_clock.ts';

let control: FakeControl;
let clock: FakeClock;
let printed: string[];
let shown: string[];

beforeEach(() => {
  control = new FakeControl();
  clock = new FakeClock();
  printed = [];
  shown = [];
});

function report(columns: number | null): void {
  reportStart(control, clock, {
    print: (line) => printed.push(line),
    show: (line) => shown.push(line),
    columns,
  });
}

/** Looks once more, and lets what is asked there be answered. */
async function look(): Promise<void> {
  clock.advance(500);
  await new Promise((resolve) => setImmediate(resolve));
}

test('tells on a terminal what is waited for, and then that all is up, once', async () => {
  const up = control.list;
  control.list = [fakeService('api'), fakeService('web', { state: 'starting' })];
  report(60);
  await look();
  await look();
  expect(shown).toEqual([
    '… 0s  1 of 2 services are up; web is up.',
    '… 1s  1 of 2 services are up; web is up.',
  ]);
  expect(printed).toEqual([]);
  control.list = up;
  await look();
  await look();
  expect(shown.at(-1)).toBe('');
  expect(printed).toEqual(['3 of 3 services are up']);
});

test('shows nothing in place where there is no terminal', async () => {
  control.list = [fakeService('web', { state: 'retrying' })];
  report(null);
  await look();
  expect(shown).toEqual([]);
  control.list = [
    fakeService('web', { state: 'failed' }),
    fakeService('off', { wanted: 'down', state: 'down' }),
  ];
  await look();
  expect(printed).toEqual(['0 of 1 services are up; failed: web (see: upkeep why)']);
});

test('ends with upkeep', async () => {
  control.list = [fakeService('web', { state: 'retrying' })];
  report(60);
  control.endStopped();
  await look();
  await look();
  expect(shown).toEqual(['']);
  expect(printed).toEqual([]);
});
