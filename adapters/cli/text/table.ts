/**
 * Tables of aligned columns.
 */
import type { Paint, Tone } from './paint.ts';
import { cutTo, displayWidth, padTo } from './width.ts';

/** One field of a table. */
export interface Cell {
  readonly text: string;
  readonly tone?: Tone;
}

/** How a table is laid out. */
export interface TableStyle {
  readonly paint: Paint;
  /** The width that lines are made to fit; null to leave them whole, as a pipe wants them. */
  readonly columns: number | null;
  /** Columns whose fields stand at the right; they are never cut. */
  readonly right?: readonly string[];
  /** Columns that are left out, the first of these first, before the last column gets too short to be read. */
  readonly expendable?: readonly string[];
}

const GAP = '  ';

/** The width below which the last column, where most is said, is not worth reading. */
const READABLE = 28;

/** How far it gives way before others do. */
const SHORTEST = 20;

/** What a column is never made narrower than, unless it has no more to say. */
const NARROWEST = 8;

/**
 * A table with a heading, a line for each row. Where it is wider than the terminal, first the last column gives way, then
 * the widest of the others.
 *
 * @example
 * ```ts
 * formatTable(['NAME', 'PID'], [[{ text: 'web' }, { text: '4711' }]], { paint, columns: 80, right: ['PID'] });
 * ```
 */
export function formatTable(
  heading: readonly string[],
  rows: readonly (readonly Cell[])[],
  style: TableStyle,
): string {
  const { paint, columns, right = [] } = style;
  const lines = [heading.map((text): Cell => ({ text, tone: 'bold' })), ...rows];
  const natural = heading.map((_, column) =>
    Math.max(...lines.map((line) => displayWidth(line[column]?.text ?? ''))),
  );
  const shown =
    columns === null ? heading.map((_, column) => column) : kept(heading, natural, columns, style);
  const widths = columns === null ? natural : fitted(heading, natural, shown, columns, right);
  return lines
    .map((line) => {
      const fields = shown.map((column): string => {
        const { text, tone } = line[column] ?? { text: '' };
        const width = widths[column] ?? 0;
        const cut = cutTo(text, width);
        const side = right.includes(heading[column] ?? '') ? 'start' : 'end';
        const last = column === shown.at(-1) && side === 'end';
        // Painted after it was measured: the codes have no width.
        const padded = last ? cut : padTo(cut, width, side);
        return tone === undefined ? padded : paint(tone, padded);
      });
      return `${fields.join(GAP).trimEnd()}\n`;
    })
    .join('');
}

/** The columns that are shown. */
function kept(
  heading: readonly string[],
  natural: readonly number[],
  columns: number,
  { expendable = [] }: TableStyle,
): number[] {
  let shown = heading.map((_, column) => column);
  const least = Math.min(natural.at(-1) ?? 0, READABLE);
  for (const name of expendable) {
    const before = shown.slice(0, -1);
    const used = sum(before.map((column) => (natural[column] ?? 0) + GAP.length));
    if (used + least <= columns) break;
    shown = shown.filter((column) => heading[column] !== name);
  }
  return shown;
}

/** The widths of all columns, of which the shown ones fit. */
function fitted(
  heading: readonly string[],
  natural: readonly number[],
  shown: readonly number[],
  columns: number,
  right: readonly string[],
): number[] {
  const widths = [...natural];
  const room = columns - GAP.length * (shown.length - 1);
  const excess = (): number => sum(shown.map((column) => widths[column] ?? 0)) - room;
  const least = (column: number): number =>
    Math.min(natural[column] ?? 0, Math.max(NARROWEST, heading[column]?.length ?? 0));
  const last = shown.at(-1) ?? 0;
  const shrink = (column: number, by: number, floor: number): void => {
    widths[column] = Math.max(floor, (widths[column] ?? 0) - Math.max(0, by));
  };
  // As far as that can still be read, the column that says most pays alone.
  if (!right.includes(heading[last] ?? '')) shrink(last, excess(), Math.min(natural[last] ?? 0, SHORTEST));
  const elastic = shown.filter((column) => !right.includes(heading[column] ?? ''));
  while (excess() > 0) {
    const [widest] = elastic
      .filter((column) => (widths[column] ?? 0) > least(column))
      .sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0));
    if (widest === undefined) break;
    shrink(widest, 1, least(widest));
  }
  // A terminal as narrow as that: the last column takes what is there.
  if (!right.includes(heading[last] ?? '')) shrink(last, excess(), 0);
  return widths;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
