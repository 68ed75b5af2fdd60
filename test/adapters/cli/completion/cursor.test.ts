import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { cursorIn } from '../../../../adapters/cli/completion/cursor.ts';

function program(): Command {
  const root = new Command('upkeep');
  root
    .command('logs <service> [file]')
    .option('--state <dir>', '')
    .option('-n, --lines <count>', '')
    .option('-f, --follow', '');
  root.command('plugins').command('check <file>').option('--allow-read <path...>', '');
  root.command('echo [words...]');
  return root;
}

/** What is at the cursor, in a few words. */
function at(...words: string[]): string {
  const cursor = cursorIn(program(), words);
  const { command, current, prefix, option, argument, subcommand, options } = cursor;
  return [
    command.name(),
    `'${prefix}|${current}'`,
    ...(option === null ? [] : [option.long]),
    ...(argument === null ? [] : [`<${argument.name()}>`]),
    ...(subcommand ? ['subcommand'] : []),
    ...(options ? ['options'] : []),
  ].join(' ');
}

describe('the cursor', () => {
  test.each([
    [[], "upkeep '|' subcommand"],
    [['lo'], "upkeep '|lo' subcommand"],
    [['--ver'], "upkeep '|--ver' options"],
    [['logs', ''], "logs '|' <service> subcommand"],
    [['logs', 'web', ''], "logs '|' <file>"],
    [['logs', 'web', 'a', ''], "logs '|'"],
    [['logs', '-f', 'w'], "logs '|w' <service> subcommand"],
    [['logs', '-'], "logs '|-' <service> subcommand"],
    [['logs', '--st'], "logs '|--st' options"],
    [['logs', '--state', 'd'], "logs '|d' --state"],
    [['logs', '--state=d'], "logs '--state=|d' --state"],
    [['logs', '--state', '=', 'd'], "logs '|d' --state"],
    [['logs', '--state', '='], "logs '|' --state"],
    [['logs', '-n', ''], "logs '|' --lines"],
    [['logs', '-n', '5', 'w'], "logs '|w' <service> subcommand"],
    [['logs', '--', '-x'], "logs '|-x' <service> subcommand"],
    [['plugins', 'check', 'x.ts', '--allow-read', '/a', '/b'], "check '|/b' --allow-read"],
    [['plugins', ''], "plugins '|' subcommand"],
    [['echo', 'a', 'b', 'c'], "echo '|c' <words>"],
    [['nothing', 'lo'], "upkeep '|lo'"],
  ])('of %j', (words, expected) => {
    expect(at(...words)).toBe(expected);
  });

  test('knows the state folder that the line names', () => {
    expect(cursorIn(program(), ['logs', '--state', '/a', '']).state).toBe('/a');
    expect(cursorIn(program(), ['logs', '--state=/b', '']).state).toBe('/b');
    expect(cursorIn(program(), ['logs', '--state', '=', '/c', '']).state).toBe('/c');
    expect(cursorIn(program(), ['logs', '']).state).toBeNull();
  });
});
