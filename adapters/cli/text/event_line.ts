/**
 * An event as one line for people.
 */
import type { EventRecord } from '../../../core/store/records.ts';
import { type Paint, toneOf } from './paint.ts';
import { formatMoment } from './time.ts';

/**
 * `03:12:04  shop/web  running → retrying  EXITED  exited with code 3`, and who did it where a person or a program
 * asked for it.
 *
 * @param now ms since the epoch: an event of another day is told with its date.
 */
export function eventLine(event: EventRecord, now: number, paint: Paint): string {
  const who = [event.service, event.action].filter((name) => name !== null).join('/');
  const parts = [paint('dim', formatMoment(event.time, now)), who === '' ? 'upkeep' : who];
  if (event.to !== null) {
    const to = paint(toneOf(event.to), event.to);
    parts.push(event.from === null || event.from === event.to ? to : `${event.from} → ${to}`);
  }
  parts.push(paint('bold', event.code), oneLine(event.message));
  if (event.actor !== 'core') parts.push(paint('dim', `(${event.actor})`));
  return parts.join('  ');
}

/** Without line breaks and control characters: a command line or a path may hold anything. */
export function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}
