import { describe, expect, it } from 'vitest';
import { readDocument } from '../../../core/spec/document.ts';
import { plainJson } from '../../../core/spec/plain_json.ts';

function problems(text: string): string[] {
  const { data, faults, positionAt } = readDocument(text);
  expect(data).toBeUndefined();
  return faults.map(({ rule, message, offset }) => {
    const place = offset === undefined ? null : positionAt(offset);
    return `${place?.line}:${place?.column} ${rule} ${message}`;
  });
}

describe('readDocument', () => {
  it.each([
    ['a: 1\nb: [x, "y"]\n', { a: 1, b: ['x', 'y'] }],
    ['{"a": 1, "b": ["x"]}', { a: 1, b: ['x'] }],
    ['{\n\t"a": 1\n}', { a: 1 }],
    ['\uFEFFa: 1', { a: 1 }],
    ['', null],
    ['# nothing\n', null],
    ['base: &b { x: 1, y: 2 }\nuse: *b\n', { base: { x: 1, y: 2 }, use: { x: 1, y: 2 } }],
    ['base: &b { x: 1, y: 2 }\nuse: { <<: *b, y: 3 }\n', { base: { x: 1, y: 2 }, use: { x: 1, y: 3 } }],
    [
      'a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b]}',
      { a: { x: 1 }, b: { x: 2, y: 2 }, c: { x: 1, y: 2 } },
    ],
    ['1: one\ntrue: yes\nnull: no', { 1: 'one', true: 'yes', null: 'no' }],
    ['%YAML 1.1\n---\na: yes\nb: 1:30\nc: 0777\n', { a: 'yes', b: '1:30', c: 777 }],
  ])('reads %j', (text, data) => {
    const document = readDocument(text);
    expect(document.faults).toEqual([]);
    expect(document.data).toEqual(data);
  });

  it.each([
    ['a: [1, 2\nb: 3', '2:1'],
    ['a: "open', '1:9'],
    ['a: 1\n b: 2', '1:4'],
    ['a: *nowhere', '1:4'],
    ['a: 1\nb: { <<: 5 }', '2:10'],
    ['a: &x 1\nb: { <<: [*x] }', '2:10'],
    ['a: !secret x', '1:4'],
    ['a: 1\n---\nb: 2\n', '2:1'],
    ['[a]: 1', '1:1'],
    ['{"a": 1,, "b": 2}', '1:9'],
  ])('refuses %j at %s', (text, place) => {
    const found = problems(text);
    expect(found.length).toBeGreaterThan(0);
    expect(found[0]).toMatch(new RegExp(`^${place} yaml must be valid YAML: `));
  });

  it('tells every error, and quotes nothing of the text', () => {
    const found = problems('a: "hunter2 \\q"\nb: "hunter2 \\z"\n');
    expect(found).toHaveLength(2);
    expect(found.join()).not.toContain('hunter2');
  });

  it('bounds what aliases can grow to', () => {
    const lines = ['l0: &l0 [x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 9; level++) {
      lines.push(
        `l${level}: &l${level} [${Array(9)
          .fill(`*l${level - 1}`)
          .join(', ')}]`,
      );
    }
    expect(problems(lines.join('\n'))).toEqual([expect.stringContaining('too many aliases')]);
  });

  it('lets a thousand services share one map', () => {
    const uses = Array.from({ length: 1000 }, (_, index) => `u${index}: { <<: *b, e: *b }`);
    expect(readDocument(`b: &b { x: 1 }\n${uses.join('\n')}`).faults).toEqual([]);
  });

  it.each(['a: &a [*a]', 'a: &a { <<: *a }', 'a: &a { b: *a }', '['.repeat(20_000)])(
    'does not fall for a text without end: %.20s',
    (text) => {
      const { data, faults } = readDocument(text);
      if (data === undefined) expect(faults[0]?.rule).toBe('yaml');
    },
  );

  it('tells keys that stand twice, each with its path and its place', () => {
    const { faults, positionAt } = readDocument('a:\n  b: 1\n  c: 2\n  b: 3\na: 4\nl:\n  - { x: 1, x: 2 }\n');
    const told = faults.map(({ path, rule, offset = 0 }) => [path, rule, positionAt(offset)]);
    expect(told).toEqual([
      [['a', 'b'], 'unique_key', { line: 4, column: 3 }],
      [['a'], 'unique_key', { line: 5, column: 1 }],
      [['l', 0, 'x'], 'unique_key', { line: 7, column: 13 }],
    ]);
  });

  it.each([
    'a: { constructor: 1 }',
    '{"a": {"__proto__": 1}}',
    'a: { prototype: 1 }',
    '{"a":{"toString":1}}',
  ])('tells a key that every object has: %s', (text) => {
    expect(readDocument(text).faults).toMatchObject([{ rule: 'reserved_key' }]);
  });

  const YAML = [
    'base: &base', //               1
    '  port: 80', //                2
    'list:', //                     3
    '  - x', //                     4
    '  - { y: 1 }', //              5
    'use:', //                      6
    '  <<: *base', //               7
    '  own: 1.10', //               8
    'same: *base', //               9
    'none:', //                    10
  ].join('\n');

  it.each([
    [['base'], 'key', 1, 1],
    [['base', 'port'], 'key', 2, 3],
    [['base', 'port'], 'value', 2, 9],
    [['list', 1, 'y'], 'value', 5, 10],
    [['use', 'own'], 'value', 8, 8],
    [['use', 'port'], 'value', 2, 9],
    [['same', 'port'], 'value', 2, 9],
    // What is not there is told where it would be.
    [['list', 7], 'value', 3, 1],
    [['use', 'missing', 'more'], 'value', 6, 1],
    [[], 'value', 1, 1],
  ] as const)('finds %j (%s)', (path, at, line, column) => {
    expect(readDocument(YAML).positionOf(path, at)).toEqual({ line, column });
  });

  it('finds places in JSON too', () => {
    const document = readDocument('{\n  "a": {\n    "b": [1, 2]\n  }\n}');
    expect(document.positionOf(['a', 'b', 1], 'value')).toEqual({ line: 3, column: 14 });
    expect(document.positionOf(['a', 'b'], 'key')).toEqual({ line: 3, column: 5 });
  });

  it('has no place in an empty text', () => {
    expect(readDocument('').positionOf([], 'value')).toBeNull();
  });

  it.each([
    ['a: 1.10', true],
    ['a: 0x1F', true],
    ['a: 1_000', false],
    ['a: 1e3', true],
    ['a: 12345678901234567890', true],
    ['a: True', true],
    ['a: +5', true],
    ['a: .inf', true],
    ['a: 8080', false],
    ['a: 1.5', false],
    ['a: true', false],
    ['a: "1.10"', false],
    ['a: yes', false],
    ['b: &b 1.10\na: *b', true],
    ['b: &b { a: 1.10 }\n<<: *b', true],
    ['{"a": 1.10}', true],
    ['{"a": 1.1}', false],
    ['{"a": 1e400}', true],
  ])('%s is respelt: %s', (text, respelt) => {
    expect(readDocument(text).isRespelt(['a'])).toBe(respelt);
  });
});

describe('plainJson', () => {
  it.each(['{}', ' \n{ "a" : [ 1, 2.5, true, null, "x y" ] }\n', '{"a":"say \\"hi\\" \\\\ \\n"}'])(
    'takes %j',
    (text) => {
      expect(plainJson(text)).toEqual(JSON.parse(text));
    },
  );

  it.each([
    ['YAML', 'a: 1'],
    ['YAML that begins as JSON does', '{a: 1}'],
    ['JSON that breaks off', '{"a": 1'],
    ['a list', '[1]'],
    ['a key that stands twice', '{"a": 1, "b": 2, "a": 1}'],
    ['a key that stands twice, spelt differently', '{"a": 1, "\\u0061": 1}'],
    ['a key that stands twice within', '{"a": [{"b": 1, "b": 1}]}'],
    ['a number with a spelling of its own', '{"a": 1.10}'],
    ['a number that is too large', '{"a": 12345678901234567890}'],
  ])('leaves %s to the YAML parser', (_, text) => {
    expect(plainJson(text)).toBeUndefined();
  });
});
