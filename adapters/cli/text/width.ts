/**
 * How wide text is on a terminal, and text cut to a width.
 */

/** East Asian wide and fullwidth characters, and emoji that stand by themselves: two columns each. */
const WIDE =
  /[\u1100-\u115f\u231a\u231b\u2329\u232a\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2ff}\u{1f004}\u{1f0cf}\u{1f18e}\u{1f191}-\u{1f19a}\u{1f1e6}-\u{1f1ff}\u{1f200}-\u{1f265}\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6fc}\u{1f7e0}-\u{1f7eb}\u{1f90c}-\u{1f9ff}\u{1fa70}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** What adds nothing to the width of what it stands with: marks, joiners, variation selectors. */
const NARROW = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]/u;

/** A text presentation that is made an emoji. */
const EMOJI_PRESENTATION = '\ufe0f';

let segmenter: Intl.Segmenter | null = null;

/** What a reader takes for one character, each. Made where it is wanted: it is large, and a daemon is small. */
function graphemes(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return segmenter.segment(text);
}

/**
 * The columns that text takes on a terminal.
 *
 * @example
 * ```ts
 * displayWidth('日本'); // 4
 * ```
 */
export function displayWidth(text: string): number {
  if (isPlain(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes(text)) width += graphemeWidth(segment);
  return width;
}

/** Text of at most `width` columns: where it is longer, its last column is `…`. */
export function cutTo(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width <= 0) return '';
  if (isPlain(text)) return `${text.slice(0, width - 1)}…`;
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes(text)) {
    used += graphemeWidth(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** Text filled up with spaces to `width` columns, at its end or at its begin. */
export function padTo(text: string, width: number, side: 'end' | 'start' = 'end'): string {
  const fill = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return side === 'end' ? text + fill : fill + text;
}

/** Colours: they take no room. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a colour is.
const COLOURS = /\u001b\[[\d;]*m/g;

/**
 * A line broken at spaces where it is longer than `width`; what follows stands two columns further in than its begin. A
 * word that is longer stays whole.
 *
 * @param width null to leave it whole.
 *
 * @example
 * ```ts
 * wrapTo('  next: stop the holder', 14); // '  next: stop\n    the holder'
 * ```
 */
export function wrapTo(line: string, width: number | null): string {
  if (width === null || displayWidth(line.replace(COLOURS, '')) <= width) return line;
  const begin = /^ */.exec(line)?.[0] ?? '';
  const lines: string[] = [];
  let current = begin;
  let used = begin.length;
  let fresh = true;
  for (const word of line.slice(begin.length).split(' ')) {
    const room = displayWidth(word.replace(COLOURS, ''));
    if (!fresh && used + 1 + room > width) {
      lines.push(current);
      current = `${begin}  `;
      used = current.length;
      fresh = true;
    }
    current += fresh ? word : ` ${word}`;
    used += fresh ? room : room + 1;
    fresh = false;
  }
  return [...lines, current].join('\n');
}

/** Nearly all of what is ever shown: one column a character. */
function isPlain(text: string): boolean {
  return /^[\u0020-\u007e\u00a1-\u00ac\u00ae-\u02ff\u2013-\u2026\u2190-\u21ff]*$/.test(text);
}

function graphemeWidth(grapheme: string): number {
  if (NARROW.test(grapheme)) return 0;
  return WIDE.test(grapheme) || grapheme.includes(EMOJI_PRESENTATION) ? 2 : 1;
}
