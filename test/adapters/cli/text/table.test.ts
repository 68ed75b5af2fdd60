import { expect, test } from 'vitest';
import { paintFor } from '../../../../adapters/cli/text/paint.ts';
import { formatTable } from '../../../../adapters/cli/text/table.ts';
import { displayWidth } from '../../../../adapters/cli/text/width.ts';

const plain = paintFor({ colour: false });
const heading = ['NAME', 'PID', 'REASON'];
const rows = [
  [{ text: 'web' }, { text: '4711' }, { text: 'exited with code 3' }],
  [{ text: 'a-long-name' }, { text: '-' }, { text: '' }],
];

test('columns are aligned, and no line ends in spaces', () => {
  expect(formatTable(heading, rows, { paint: plain, columns: null, right: ['PID'] })).toBe(
    ['NAME          PID  REASON', 'web          4711  exited with code 3', 'a-long-name     -', ''].join(
      '\n',
    ),
  );
});

const reason = {
  text: 'PORT_HELD: port 8080 is held by pid 4711 (node server.js), which upkeep may not stop',
};

function lines(columns: number | null, table: Parameters<typeof formatTable>, expendable: string[] = []) {
  const [names, fields] = table;
  const text = formatTable(names, fields, { paint: plain, columns, right: ['PID'], expendable });
  return text.trimEnd().split('\n');
}

const style = { paint: plain, columns: null };

test('what goes into a pipe is whole', () => {
  expect(lines(null, [heading, [[{ text: 'web' }, { text: '4711' }, reason]], style])[1]).toBe(
    `web   4711  ${reason.text}`,
  );
});

test('the column that says most is cut first, and names stay', () => {
  const table = [[{ text: 'a-name-of-24-characters-' }, { text: '4711' }, reason]];
  expect(lines(60, [heading, table, style])[1]).toBe(
    'a-name-of-24-characters-  4711  PORT_HELD: port 8080 is hel…',
  );
  expect(lines(40, [heading, table, style])[1]).toBe('a-name-of-24-ch…  4711  PORT_HELD: port…');
});

test.each([10, 17, 25, 40, 60, 79, 80, 81, 120])('no line is wider than a terminal of %i', (columns) => {
  const wide = [{ text: '日本語のサービス/ウェブ' }, { text: '-' }, { text: '日本語'.repeat(30) }];
  const long = [{ text: 'x'.repeat(70) }, { text: '4711' }, reason];
  for (const line of lines(columns, [heading, [wide, long, ...rows], style])) {
    expect(displayWidth(line)).toBeLessThanOrEqual(Math.max(columns, 'NARROWEST    4711'.length));
  }
});

test('wide characters are aligned', () => {
  const table = [
    [{ text: '日本' }, { text: '1' }, { text: 'a' }],
    [{ text: 'web' }, { text: '22' }, { text: 'b' }],
  ];
  expect(lines(null, [heading, table, style])).toEqual(['NAME  PID  REASON', '日本    1  a', 'web    22  b']);
});

test('what can be spared is left out before the last column cannot be read', () => {
  const names = ['NAME', 'PID', 'UPTIME', 'REASON'];
  const table = [[{ text: 'shop/web' }, { text: '4711' }, { text: '3h2m' }, reason]];
  const shown = (columns: number) => lines(columns, [names, table, style], ['UPTIME', 'PID'])[0];
  expect(shown(60)).toBe('NAME       PID  UPTIME  REASON');
  expect(shown(50)).toBe('NAME       PID  REASON');
  expect(shown(40)).toBe('NAME      REASON');
});

test('colours change no alignment', () => {
  const paint = paintFor({ colour: true });
  const coloured = formatTable(['A', 'B'], [[{ text: 'x', tone: 'red' }, { text: 'y' }]], {
    paint,
    columns: 80,
  });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a colour is.
  expect(coloured.replaceAll(/\u001b\[\d+m/g, '')).toBe('A  B\nx  y\n');
  expect(coloured).toContain('\u001b[31mx\u001b[0m');
});
