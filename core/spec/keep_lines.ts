/**
 * Carries a change over to a text that is written in a way of its own.
 *
 * A YAML library that writes a document again spells all of it in its own style: blanks in lists, the place of
 * comments, line breaks. What it makes of the unchanged document tells which of its lines stands for which of the
 * original ones, so that only those that the change is about need to be its.
 */
import { matchLines } from './line_match.ts';

/** Lines `[from, to)` of the text as it was written again, in whose place `[begin, end)` of the changed one stand. */
interface Hunk {
  from: number;
  to: number;
  begin: number;
  end: number;
}

/**
 * The original text with the change from `before` to `after`.
 *
 * @param before what the original text came to when it was written again.
 * @param after what it came to with the change.
 *
 * @example
 * ```ts
 * keepLines('a:   1   # one\nb: 2\n', 'a: 1 # one\nb: 2\n', 'a: 1 # one\nb: 3\n'); // 'a:   1   # one\nb: 3\n'
 * ```
 */
export function keepLines(original: string, before: string, after: string): string {
  const [kept, plain, changed] = [original, before, after].map((text) => text.split('\n')) as [
    string[],
    string[],
    string[],
  ];
  const places = matchLines(plain.map(withoutBlanks), kept.map(withoutBlanks));
  const result: string[] = [];
  let at = 0;
  for (const { from, to, begin, end } of hunks(plain, changed, places)) {
    const first = from === 0 ? 0 : (places[from - 1] ?? 0) + 1;
    result.push(...kept.slice(at, first), ...changed.slice(begin, end));
    at = to === plain.length ? kept.length : (places[to] ?? 0);
  }
  result.push(...kept.slice(at));
  return result.join('\n');
}

function withoutBlanks(line: string): string {
  return line.replace(/\s+/g, '');
}

/** Where the two differ, each widened until it stands between lines whose place in the original is known. */
function hunks(plain: readonly string[], changed: readonly string[], places: readonly number[]): Hunk[] {
  const same = matchLines(plain, changed);
  const found: Hunk[] = [];
  const known = (line: number): boolean => (places[line] ?? -1) >= 0 && (same[line] ?? -1) >= 0;
  for (let from = 0, begin = 0; from < plain.length || begin < changed.length; ) {
    if (same[from] === begin && from < plain.length) {
      from++;
      begin++;
      continue;
    }
    let to = from;
    while (to < plain.length && (same[to] ?? -1) < 0) to++;
    const end = to < plain.length ? (same[to] ?? changed.length) : changed.length;
    const hunk = { from, to, begin, end };
    while (hunk.from > 0 && !known(hunk.from - 1)) {
      hunk.from--;
      hunk.begin = hunk.from === 0 ? 0 : earlier(same, hunk.from);
    }
    while (hunk.to < plain.length && !known(hunk.to)) hunk.to++;
    hunk.end = hunk.to < plain.length ? (same[hunk.to] ?? changed.length) : changed.length;
    const last = found.at(-1);
    if (last !== undefined && hunk.from <= last.to) {
      Object.assign(last, { to: Math.max(last.to, hunk.to), end: Math.max(last.end, hunk.end) });
    } else found.push(hunk);
    from = hunk.to;
    begin = hunk.end;
  }
  return found;
}

/** Where in the changed text begins what follows the line before `from`. */
function earlier(same: readonly number[], from: number): number {
  for (let line = from - 1; line >= 0; line--) {
    const place = same[line] ?? -1;
    if (place >= 0) return place + 1;
  }
  return 0;
}
