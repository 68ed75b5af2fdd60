/**
 * Matching command lines against the filters of `kill_other`.
 */

/**
 * True where `pattern` matches the whole of `text`: `*` stands for any run of characters (spaces and slashes too),
 * `?` for one, everything else for itself.
 *
 * Not a regular expression: a command line is somebody else's input, and `*a*a*a*b` must not take forever on it.
 *
 * @example
 * ```ts
 * matchesGlob('node *server.js*', 'node /srv/shop/server.js --port 8080'); // true
 * ```
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  // Where the last star stood, and how far the text was then: a mismatch goes back there and lets it take one more.
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
