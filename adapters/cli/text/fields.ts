/**
 * A record for people: a field a line.
 */
import { oneLine } from './event_line.ts';
import { paintFor, toneOf } from './paint.ts';
import { formatMoment } from './time.ts';

/** The fields whose value is a state of something. */
const STATES = ['phase', 'wanted', 'state', 'status'];

/**
 * Fields under each other, their values aligned: moments (`…_at`) as people write them, nothing as `-`.
 *
 * @param now ms since the epoch.
 *
 * @example
 * ```ts
 * fieldsText({ id: 'r1', finished_at: null }, { colour: false }, Date.now()); // 'id           r1\nfinished_at  -\n'
 * ```
 */
export function fieldsText(
  fields: Readonly<Record<string, unknown>>,
  io: { readonly colour: boolean },
  now: number,
): string {
  const paint = paintFor(io);
  const width = Math.max(...Object.keys(fields).map((name) => name.length));
  return Object.entries(fields)
    .map(([name, value]) => {
      const text = valueText(name, value, now);
      const shown = STATES.includes(name) ? paint(toneOf(text), text) : text;
      return `${paint('bold', name.padEnd(width))}  ${shown}\n`;
    })
    .join('');
}

function valueText(name: string, value: unknown, now: number): string {
  if (value === null) return '-';
  if (typeof value === 'number' && name.endsWith('_at')) return formatMoment(value, now);
  return oneLine(typeof value === 'string' ? value : JSON.stringify(value));
}
