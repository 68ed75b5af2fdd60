/** Waiting for what has no event to wait for. */

/** The longest pause between two looks, ms. */
const LONGEST_PAUSE = 50;

/**
 * Asks again and again until the answer is true, and less often the longer it takes: what is waited for has the
 * processor more to itself, and is seen a tenth of its time late at most. There is no limit but the test's own: a slow
 * machine is no failure.
 *
 * @param pause the shortest pause between two looks, ms.
 *
 * @example
 * ```ts
 * await until(() => existsSync(path));
 * ```
 */
export async function until(ask: () => boolean | Promise<boolean>, pause = 5): Promise<void> {
  const begun = performance.now();
  while (!(await ask())) {
    const tenth = (performance.now() - begun) / 10;
    await new Promise((resolve) => setTimeout(resolve, Math.max(pause, Math.min(tenth, LONGEST_PAUSE))));
  }
}
