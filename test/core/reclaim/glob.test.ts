import { describe, expect, it } from 'vitest';
import { matchesGlob } from '../../../core/reclaim/glob.ts';

describe('matchesGlob', () => {
  it.each([
    ['node server.js', 'node server.js', true],
    ['node server.js', 'node server.js --port 1', false],
    ['node server.js', 'xnode server.js', false],
    ['node *', 'node /srv/shop/server.js --port 8080', true],
    ['*server.js*', 'node /srv/shop/server.js --port 8080', true],
    ['*server.js', 'node server.js server.js', true],
    ['node ?erver.js', 'node server.js', true],
    ['node ?', 'node ', false],
    ['*', '', true],
    ['**', 'x', true],
    ['', '', true],
    ['', 'x', false],
    ['?', '', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-b-b-', false],
    // Everything else stands for itself.
    ['[n]ode', 'node', false],
    ['a.b', 'axb', false],
    ['a\nb*', 'a\nb c', true],
  ])('%j against %j: %s', (pattern, text, expected) => {
    expect(matchesGlob(pattern, text)).toBe(expected);
  });

  it('answers at once on what makes a regular expression take forever', () => {
    expect(matchesGlob(`${'*a'.repeat(30)}*b`, 'a'.repeat(5_000))).toBe(false);
  });
});
