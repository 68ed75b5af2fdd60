/**
 * Which lines of two texts are the same ones.
 */

/** Above so many pairs to compare, what stands between the common head and the common tail is taken as different. */
const MAX_PAIRS = 4_000_000;

/**
 * A longest common subsequence of two lists of lines.
 *
 * @returns for each line of `a` the index of its counterpart in `b`, rising; -1 where it has none.
 *
 * @example
 * ```ts
 * matchLines(['a', 'b', 'c'], ['a', 'x', 'c']); // [0, -1, 2]
 * ```
 */
export function matchLines(a: readonly string[], b: readonly string[]): number[] {
  const matches = new Array<number>(a.length).fill(-1);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) {
    matches[head] = head;
    head++;
  }
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) {
    tail++;
    matches[a.length - tail] = b.length - tail;
  }
  matchMiddle(a, b, { head, endA: a.length - tail, endB: b.length - tail }, matches);
  return matches;
}

interface Middle {
  readonly head: number;
  readonly endA: number;
  readonly endB: number;
}

function matchMiddle(
  a: readonly string[],
  b: readonly string[],
  { head, endA, endB }: Middle,
  matches: number[],
): void {
  const [rows, columns] = [endA - head, endB - head];
  if (rows === 0 || columns === 0 || rows * columns > MAX_PAIRS) return;
  // lengths[i][j]: how long it is from a's line i and b's line j on.
  const width = columns + 1;
  const lengths = new Uint32Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      const at = i * width + j;
      lengths[at] =
        a[head + i] === b[head + j]
          ? (lengths[at + width + 1] ?? 0) + 1
          : Math.max(lengths[at + width] ?? 0, lengths[at + 1] ?? 0);
    }
  }
  for (let i = 0, j = 0; i < rows && j < columns; ) {
    const at = i * width + j;
    if (a[head + i] === b[head + j]) matches[head + i++] = head + j++;
    else if ((lengths[at + width] ?? 0) >= (lengths[at + 1] ?? 0)) i++;
    else j++;
  }
}
