import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { editSpecText } from '../../../core/spec/edit.ts';
import { keepLines } from '../../../core/spec/keep_lines.ts';
import { matchLines } from '../../../core/spec/line_match.ts';

const FILE = `# yaml-language-server: $schema=./upkeep.schema.json

# The shop.
services:
    shop:     # asked by everybody
        actions:
            migrate: { run: [npm, run,   migrate] }    # once
            web:
                health:
                  - { type: http, url: "http://127.0.0.1:8080/healthz",
                      interval: 5s }
                process: true        # must live
                run: node server.js

                # where it listens
                tcp_ports: [8080,  "127.0.0.1:9090"]
                env: { PORT: "8080", KEY: 'x' } # variables
    # The other one.
    other:
        actions: {main: {run: "true"}}
`;

type Data = { services: Record<string, { actions: Record<string, Record<string, unknown>> }> } & Record<
  string,
  unknown
>;

function edited(text: string, change: (data: Data) => void): string {
  const wanted = parse(text, { merge: true }) as Data;
  change(wanted);
  const result = editSpecText(text, structuredClone(wanted));
  expect(parse(result, { merge: true })).toEqual(wanted);
  return result;
}

/** What of the lines of a text are not in another one, and the other way round. */
function difference(before: string, after: string): { gone: string[]; come: string[] } {
  const [a, b] = [before.split('\n'), after.split('\n')];
  return { gone: a.filter((line) => !b.includes(line)), come: b.filter((line) => !a.includes(line)) };
}

describe('editing YAML', () => {
  it('gives the same text, byte for byte, where nothing differs', () => {
    expect(edited(FILE, () => {})).toBe(FILE);
  });

  it('changes the line that says otherwise, and leaves every other as it was written', () => {
    const result = edited(FILE, ({ services }) => {
      (services['shop']?.actions['web'] ?? {})['run'] = 'node other.js';
    });
    expect(difference(FILE, result)).toEqual({
      gone: ['                run: node server.js'],
      come: ['                run: node other.js'],
    });
  });

  it('keeps the comment behind a value that changes, and the quotes of text', () => {
    const result = edited(FILE, ({ services }) => {
      Object.assign(services['shop']?.actions['web'] ?? {}, { process: false, env: { PORT: '9', KEY: 'y' } });
    });
    expect(result).toContain('process: false # must live');
    expect(result).toContain(`env: { PORT: "9", KEY: 'y' } # variables`);
  });

  it('adds a service behind the others, indented as they are', () => {
    const result = edited(FILE, ({ services }) => {
      services['new'] = { actions: { main: { process: true, run: ['sleep', '1.10'], tcp_ports: [80] } } };
    });
    expect(result.startsWith(FILE)).toBe(true);
    expect(result.slice(FILE.length)).toBe(
      [
        '    new:',
        '        actions:',
        '            main:',
        '                process: true',
        '                run: [ sleep, "1.10" ]',
        '                tcp_ports: [ 80 ]',
        '',
      ].join('\n'),
    );
  });

  it('takes a service out with the comments about it, and no other', () => {
    const result = edited(FILE, ({ services }) => {
      delete services['other'];
    });
    expect(result).toBe(FILE.slice(0, FILE.indexOf('    # The other one.')));
  });

  it('begins with a file that has no service', () => {
    const result = edited('# mine\nservices: {}   # none yet\n', ({ services }) => {
      services['web'] = { actions: { main: { run: 'true' } } };
    });
    expect(result).toContain('# mine\nservices:');
    expect(result).toContain('# none yet');
    expect(result).toContain('\n  web:\n    actions:\n      main:\n        run: "true"');
  });

  it('leaves lists at the indentation of their key where the file has them there', () => {
    const text =
      'services:\n  a:\n    actions:\n      m:\n        run:\n        - sleep # long\n        - "1"\n';
    const result = edited(text, ({ services }) => {
      (services['a']?.actions['m'] ?? {})['run'] = ['sleep', '1', '2'];
    });
    expect(result).toBe(`${text}        - "2"\n`);
  });

  it('touches only the items of a list that differ', () => {
    const text =
      'services: {}\nnotify:\n  - type: a # first\n    url: x\n  - type: b # second\n  - type: c # third\n';
    const result = edited(text, (data) => {
      (data['notify'] as { type: string }[])[1] = { type: 'B' };
    });
    expect(result).toBe(text.replace('type: b', 'type: B'));
  });
});

describe('anchors and merged maps', () => {
  const SHARED = `x-base: &base   # shared
  process: true
  run: sleep 1
a: { <<: *base, run: a }
b: *base # the same
c:
  <<: *base # all of it
  cwd: /srv # its own
`;

  it('leaves what uses an anchor as it was where the anchor itself changes', () => {
    const result = edited(SHARED, (data) => {
      data['x-base'] = { process: false, run: 'sleep 1' };
    });
    expect(result).toMatch(/x-base:\s+# shared\s+&base/);
    expect(result).toContain('cwd: /srv # its own');
  });

  it('replaces an alias where only it changes', () => {
    const result = edited(SHARED, (data) => {
      data['b'] = { process: true, run: 'sleep 2' };
    });
    expect(result).toContain('x-base: &base   # shared\n  process: true\n  run: sleep 1');
  });

  it('takes out what is merged in', () => {
    edited(SHARED, (data) => {
      data['c'] = { cwd: '/srv', process: true };
    });
  });

  it('does without an anchor that is gone', () => {
    edited(SHARED, (data) => {
      delete data['x-base'];
    });
  });

  it('does not show what is merged in behind a key that is taken out', () => {
    edited(SHARED, (data) => {
      data['a'] = { process: true };
    });
  });
});

describe('JSON', () => {
  it.each(['  ', '    '])('stays JSON, indented by %j', (indent) => {
    const data = { services: { a: { actions: { main: { run: 'true' } } } } };
    const text = `${JSON.stringify(data, null, indent)}\n`;
    const wanted = { services: { ...data.services, b: { actions: { main: { run: 'no' } } } } };
    expect(editSpecText(text, wanted)).toBe(`${JSON.stringify(wanted, null, indent)}\n`);
  });
});

describe('matchLines', () => {
  it.each([
    [[], [], []],
    [['a'], [], [-1]],
    [
      ['a', 'b', 'c'],
      ['a', 'x', 'c'],
      [0, -1, 2],
    ],
    [
      ['a', 'b', 'a', 'b'],
      ['b', 'a'],
      [-1, 0, 1, -1],
    ],
    [['a', 'a'], ['a'], [0, -1]],
  ])('%j in %j', (a, b, matches) => {
    expect(matchLines(a, b)).toEqual(matches);
  });
});

describe('keepLines', () => {
  it('keeps what the change is not about in its own spelling, whatever it does elsewhere', () => {
    const original = 'a:   1   # one\n\nb: [1,2]\nc: 3\n';
    const again = 'a: 1 # one\n\nb: [ 1, 2 ]\nc: 3\n';
    expect(keepLines(original, again, again)).toBe(original);
    expect(keepLines(original, again, 'a: 1 # one\n\nb: [ 1, 2 ]\nc: 4\n')).toBe(
      'a:   1   # one\n\nb: [1,2]\nc: 4\n',
    );
    expect(keepLines(original, again, 'z: 0\na: 1 # one\n\nc: 3\n')).toBe('z: 0\na:   1   # one\n\nc: 3\n');
  });

  it('takes the new spelling as far as lines have no counterpart', () => {
    expect(
      keepLines('a: {b: 1,\n  c: 2}\nd: 1\n', 'a: { b: 1, c: 2 }\nd: 1\n', 'a: { b: 1, c: 3 }\nd: 1\n'),
    ).toBe('a: { b: 1, c: 3 }\nd: 1\n');
  });
});
