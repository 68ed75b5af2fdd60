import { Command, Option } from 'commander';
import { expect, test } from 'vitest';
import { candidatesAt } from '../../../../adapters/cli/completion/candidates.ts';
import { cursorIn } from '../../../../adapters/cli/completion/cursor.ts';
import type { Client } from '../../../../adapters/client/client.ts';
import { fakeJob, fakeService } from '../../../core/operation/fake_control.ts';

function program(): Command {
  const root = new Command('upkeep');
  root.command('stop <service>').description('end it');
  root.command('logs <service[/action]|job>').option('--follow', 'go on').option('--state <dir>', '');
  root.command('signal <service> <signal>').addOption(new Option('--how <how>').choices(['hard', 'soft']));
  root.command('check [file]');
  root.command('__hidden', { hidden: true });
  return root;
}

const [main] = fakeService('web').actions;
const shop = fakeService('shop', { actions: [main, { ...main, action: 'side' }] as never });

/** Answers as upkeep would, one page each. */
const client = {
  call: async (name: string) => ({
    items: name === 'service.list' ? [shop, fakeService('web')] : [fakeJob('web', { id: 'jm1' })],
    next_cursor: null,
  }),
} as unknown as Client;

async function after(...words: string[]): Promise<string> {
  const { candidates, place } = await candidatesAt(cursorIn(program(), words), (questions) =>
    questions(client),
  );
  return [...candidates.map(({ text }) => text), ...(place === null ? [] : [`:${place}`])].join(' ');
}

test.each([
  [[''], 'stop logs signal check help'],
  [['s'], 'stop signal'],
  [['stop', ''], 'shop web'],
  [['stop', 'web', ''], ''],
  [['logs', ''], 'shop shop/main shop/side web'],
  [['logs', 'web/'], 'web/main'],
  [['logs', 'j'], 'jm1'],
  [['logs', '--'], '--follow --state --help'],
  [['logs', '--state', ''], ':dirs'],
  [['signal', 'web', 'U'], 'USR1 USR2'],
  [['signal', '--how', ''], 'hard soft'],
  [['signal', '--how=s'], '--how=soft'],
  [['check', ''], ':files'],
])('after %j', async (words, expected) => {
  expect(await after(...words)).toBe(expected);
});

test('where upkeep does not answer, what it would know is left out', async () => {
  const { candidates } = await candidatesAt(cursorIn(program(), ['stop', '']), async () => null);
  expect(candidates).toEqual([]);
});

test('a candidate says what it is', async () => {
  const { candidates } = await candidatesAt(cursorIn(program(), ['logs', 'shop/s']), (ask) => ask(client));
  expect(candidates).toEqual([{ text: 'shop/side', about: 'running' }]);
});
