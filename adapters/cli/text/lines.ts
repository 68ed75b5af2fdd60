/**
 * Bytes as lines.
 */

/**
 * Each line without its end; what is no UTF-8 becomes U+FFFD. The last one may be unfinished.
 *
 * @example
 * ```ts
 * for await (const line of wholeLines(chunks)) console.log(line);
 * ```
 */
export async function* wholeLines(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}
