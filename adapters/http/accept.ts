/**
 * Content negotiation, as far as there is something to choose.
 */

/**
 * Whether an `Accept` takes at least one of the media types; anything does where there is none.
 *
 * @example
 * ```ts
 * accepts('text/html, *\/*;q=0.1', ['application/json']); // true
 * accepts('application/json;q=0', ['application/json']); // false
 * ```
 */
export function accepts(accept: string | undefined, offered: readonly string[]): boolean {
  if (accept === undefined || accept.trim() === '') return true;
  const ranges = accept.split(',').map(parseRange);
  return offered.some((type) => {
    const [group] = type.split('/');
    // The most exact range decides, so that one type can be taken out of a wide one.
    for (const wanted of [type, `${group}/*`, '*/*']) {
      const range = ranges.find(({ name }) => name === wanted);
      if (range !== undefined) return range.quality > 0;
    }
    return false;
  });
}

function parseRange(text: string): { readonly name: string; readonly quality: number } {
  const [name = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith('q='));
  return { name, quality: quality === undefined ? 1 : Number(quality.slice(2)) };
}
