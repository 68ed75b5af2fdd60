/** Checks for every instant at which upkeep may die. */

/** So many fault points the real program may be off what was counted. */
const SLACK = 2;
/** So many upkeeps are killed at a time. */
const LANES = 4;

/** Checks every fault point from `begin` to `end`, a few at a time. Returns what each came to, in order. */
export async function atEachPoint<T>(
  { begin, end }: { readonly begin: number; readonly end: number },
  check: (point: number) => Promise<T>,
): Promise<T[]> {
  const found: T[] = [];
  for (let point = Math.max(1, begin - SLACK); point <= end + SLACK; point += LANES) {
    const points = Array.from({ length: LANES }, (_, lane) => point + lane);
    found.push(...(await Promise.all(points.map(check))));
  }
  return found;
}
