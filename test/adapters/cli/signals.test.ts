import { afterEach, expect, test } from 'vitest';
import { answerSignals } from '../../../adapters/cli/signals.ts';
import type { SpecIssue } from '../../../core/spec/issue.ts';
import { until } from '../../support/until.ts';

let forget = (): void => {};
afterEach(() => forget());

function listen(reload: () => SpecIssue[] | null = () => null) {
  const said: string[] = [];
  let shutdowns = 0;
  const supervisor = {
    shutdown: async () => {
      shutdowns++;
    },
    waitingFor: () => ['web/main is stopping (pid 7)'],
    reload: async () => reload(),
  };
  forget = answerSignals(supervisor, '/srv/upkeep.yaml', (text) => said.push(text));
  return { said, shutdowns: () => shutdowns };
}

test('the first signal ends upkeep, a second one says what it waits for', () => {
  const { said, shutdowns } = listen();
  process.emit('SIGINT', 'SIGINT');
  expect(shutdowns()).toBe(1);
  process.emit('SIGTERM', 'SIGTERM');
  expect(shutdowns()).toBe(1);
  expect(said.at(-1)).toBe('SIGTERM: upkeep is ending already; it waits for\n  web/main is stopping (pid 7)');
});

test('SIGHUP reads the file again', async () => {
  const { said, shutdowns } = listen();
  process.emit('SIGHUP', 'SIGHUP');
  await until(() => said.length > 0);
  expect(said).toEqual(['SIGHUP: /srv/upkeep.yaml was read again']);
  expect(shutdowns()).toBe(0);
});

test('a file that is not right is told, place by place', async () => {
  const issue = {
    path: 'services.web',
    rule: 'required',
    value: '',
    line: 2,
    column: 3,
    message: 'is required',
  };
  const { said } = listen(() => [issue]);
  process.emit('SIGHUP', 'SIGHUP');
  await until(() => said.length > 0);
  expect(said).toEqual([
    'SIGHUP: /srv/upkeep.yaml cannot be used, so nothing is changed\n/srv/upkeep.yaml:2:3 services.web: is required',
  ]);
});

test('a file that is gone ends nothing', async () => {
  const { said } = listen(() => {
    throw new Error('ENOENT: no such file');
  });
  process.emit('SIGHUP', 'SIGHUP');
  await until(() => said.length > 0);
  expect(said).toEqual([
    'SIGHUP: /srv/upkeep.yaml cannot be used, so nothing is changed\nENOENT: no such file',
  ]);
});

test('forgotten signals are answered no more', () => {
  const before = process.listenerCount('SIGHUP');
  listen();
  forget();
  expect(process.listenerCount('SIGHUP')).toBe(before);
});
