/**
 * Values of options, read while the line is: what is wrong with one is told as wrong use.
 */
import { InvalidArgumentError } from 'commander';
import { type ListenAddress, parseListen } from '../../http/listen_address.ts';
import { parseMoment, parseSpan } from '../text/time.ts';

/** A whole number from 0. */
export function count(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0.');
  return Number(text);
}

/** As many as a page of a list can have. */
export function pageSize(text: string): number {
  const size = count(text);
  if (size > 1000) throw new InvalidArgumentError('It must be 1000 or less.');
  return size;
}

/** Where to listen on TCP. */
export function listenAddress(text: string): ListenAddress {
  try {
    return parseListen(text);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

/** A span of time. @returns ms */
export function span(text: string): number {
  const ms = parseSpan(text);
  if (ms === null) throw new InvalidArgumentError('It must be a time such as 500ms, 30s or 2m.');
  return ms;
}

/** A moment. @returns ms since the epoch */
export function moment(text: string): number {
  const time = parseMoment(text, Date.now());
  if (time === null) {
    throw new InvalidArgumentError('It must be a time such as 10m or 2026-11-24T03:12, or ms since 1970.');
  }
  return time;
}
