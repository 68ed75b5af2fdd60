/**
 * Tables of aligned columns.
 */
import type { Paint, Tone } from './paint.ts';

/** One field of a table. */
export interface Cell {
  readonly text: string;
  readonly tone?: Tone;
}

/** How a table is laid out. */
export interface TableStyle {
  readonly paint: Paint;
  /** The width that lines are cut to; null to leave them whole. */
  readonly columns: number | null;
  /** Columns whose fields stand at the right. */
  readonly right?: readonly string[];
}

const GAP = '  ';

/**
 * A table with a heading, a line for each row.
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
  const lines = [heading.map((text): Cell => ({ text, tone: 'bold' })), ...rows];
  const widths = heading.map((_, column) => Math.max(...lines.map((line) => line[column]?.text.length ?? 0)));
  return lines.map((line) => `${formatLine(line, heading, widths, style)}\n`).join('');
}

function formatLine(
  line: readonly Cell[],
  heading: readonly string[],
  widths: readonly number[],
  { paint, columns, right = [] }: TableStyle,
): string {
  let used = 0;
  const fields: string[] = [];
  for (const [column, { text, tone }] of line.entries()) {
    const width = widths[column] ?? 0;
    const last = column === line.length - 1;
    const atRight = right.includes(heading[column] ?? '');
    const padded = atRight ? text.padStart(width) : last ? text : text.padEnd(width);
    const room = columns === null ? padded.length : Math.max(0, columns - used);
    const shown = padded.length > room ? `${padded.slice(0, Math.max(0, room - 1))}…` : padded;
    // Painted after it was measured: the codes have no width.
    fields.push(tone === undefined ? shown : paint(tone, shown));
    used += width + GAP.length;
  }
  return fields.join(GAP).trimEnd();
}
