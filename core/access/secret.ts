/**
 * Tokens as their holders have them, and what is kept of them.
 */
import { createHash, randomBytes } from 'node:crypto';

/** What every token begins with, so that one that got lost is recognised by people and by scanners. */
const PREFIX = 'upk_';

const FORM = /^upk_[\w-]{43}$/;

/** A new token: 256 random bits. */
export function newSecret(): string {
  return PREFIX + randomBytes(32).toString('base64url');
}

/** Whether a text has the form of a token; it need not be one. */
export function isSecret(text: string): boolean {
  return FORM.test(text);
}

/**
 * What is stored of a token. A slow hash makes guesses dear where there are few enough to be tried, as with a
 * password that somebody chose; here there are 2^256, and no speed gets through them. So the hash is the one that costs
 * a request 2 µs.
 */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
