/**
 * "Did you mean …?"
 */

/**
 * The candidate that is most like `name`, where one is like enough: at most one slip for every three characters of the
 * longer of the two. A slip is a character too many, too few, wrong, or changed about with its neighbour; case does not
 * count.
 *
 * @returns the first of the nearest; null where nothing is near.
 *
 * @example
 * ```ts
 * nearest('tcp_prots', ['sockets', 'tcp_ports']); // 'tcp_ports'
 * nearest('colour', ['sockets', 'tcp_ports']); // null
 * ```
 */
export function nearest(name: string, candidates: Iterable<string>): string | null {
  const wanted = name.toLowerCase();
  let best: string | null = null;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const most = Math.min(fewest - 1, Math.floor(Math.max(wanted.length, candidate.length) / 3));
    // The difference in length is a lower bound, and spares most of the work.
    if (Math.abs(candidate.length - wanted.length) > most) continue;
    const slips = distance(wanted, candidate.toLowerCase());
    if (slips > most) continue;
    fewest = slips;
    best = candidate;
  }
  return best;
}

/** Optimal string alignment distance: three rows of the table are all that is ever looked at. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const wrong = a[row - 1] === b[column - 1] ? 0 : 1;
      const options = [
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + wrong,
        ...(swapped(a, b, row, column) ? [at(beforeLast, column - 2) + 1] : []),
      ];
      current.push(Math.min(...options));
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function swapped(a: string, b: string, row: number, column: number): boolean {
  return row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
