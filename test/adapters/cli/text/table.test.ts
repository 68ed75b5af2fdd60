import { expect, test } from 'vitest';
import { paintFor } from '../../../../adapters/cli/text/paint.ts';
import { formatTable } from '../../../../adapters/cli/text/table.ts';

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

test('a line is cut to the terminal', () => {
  const lines = formatTable(heading, rows, { paint: plain, columns: 25 }).trimEnd().split('\n');
  expect(lines[1]).toBe('web          4711  exite…');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(25);
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
