/**
 * Times as people write and read them.
 */

import { formatDuration, parseDuration } from '../../../core/spec/units.ts';

/**
 * A span in its two largest units, of whole seconds.
 *
 * @param ms the span; below 0 counts as 0.
 *
 * @example
 * ```ts
 * formatSpan(3_723_456); // '1h2m'
 * ```
 */
export function formatSpan(ms: number): string {
  return formatDuration(Math.floor(Math.max(0, ms) / 1000) * 1000);
}

/**
 * Reads a span as a service file writes it (`500ms`, `30s`, `1m30s`); null for anything else.
 *
 * @returns ms
 */
export function parseSpan(text: string): number | null {
  try {
    return parseDuration(text);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/**
 * Reads a moment: a span ago, a date as ISO 8601 writes it, or ms since the epoch; null for anything else.
 *
 * @returns ms since the epoch
 */
export function parseMoment(text: string, now: number): number | null {
  const span = parseSpan(text);
  if (span !== null) return Math.max(0, now - span);
  if (/^\d{10,15}$/.test(text)) return Number(text);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text)) return null;
  const time = Date.parse(text);
  return Number.isNaN(time) || time < 0 ? null : time;
}

/** The time of day here, and the date before it where it is not today's: `03:12:04`, `2026-11-24 03:12:04`. */
export function formatMoment(time: number, now: number): string {
  const [date, clock] = localParts(time);
  const [today] = localParts(now);
  return date === today ? clock : `${date} ${clock}`;
}

function localParts(time: number): [date: string, clock: string] {
  const moment = new Date(time);
  const two = (value: number): string => String(value).padStart(2, '0');
  return [
    `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`,
    `${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}`,
  ];
}
