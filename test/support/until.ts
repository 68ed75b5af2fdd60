/** Waiting for what has no event to wait for. */

/**
 * Asks again and again until the answer is true. There is no limit but the test's own: a slow machine is no failure.
 *
 * @example
 * ```ts
 * await until(() => existsSync(path));
 * ```
 */
export async function until(ask: () => boolean | Promise<boolean>, pause = 5): Promise<void> {
  while (!(await ask())) await new Promise((resolve) => setTimeout(resolve, pause));
}
