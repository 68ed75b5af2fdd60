import { describe, expect, it } from 'vitest';
import { parsePerfdata, parsePluginOutput } from '../../../core/plugin/perfdata.ts';

/** A figure as a stock plugin would write it again. */
function written(text: string): string[] {
  return parsePerfdata(text).map(({ label, value, unit, warn, crit, min, max }) =>
    [`${label}=${value}${unit}`, warn ?? '-', crit ?? '-', min ?? '-', max ?? '-'].join(' '),
  );
}

describe('parsePerfdata', () => {
  it('reads every part', () => {
    expect(parsePerfdata('time=0.25s;1;2;0;10')).toEqual([
      { label: 'time', value: 0.25, unit: 's', warn: '1', crit: '2', min: 0, max: 10 },
    ]);
  });

  it.each<[string, string[]]>([
    ['', []],
    ['   \t ', []],
    ['a=1', ['a=1 - - - -']],
    ['a=1;', ['a=1 - - - -']],
    ['a=1;;;;', ['a=1 - - - -']],
    ['a=1;2', ['a=1 2 - - -']],
    ['a=1;;3', ['a=1 - 3 - -']],
    ['a=1;;;4', ['a=1 - - 4 -']],
    ['a=1;;;;5', ['a=1 - - - 5']],
    ['a=1;2;3;4;5;6;7', ['a=1 2 3 4 5']],
    ['a=1 b=2\tc=3\nd=4', ['a=1 - - - -', 'b=2 - - - -', 'c=3 - - - -', 'd=4 - - - -']],
    ['a=1 a=2', ['a=1 - - - -', 'a=2 - - - -']],
    ['__proto__=1', ['__proto__=1 - - - -']],
  ])('reads %j', (text, expected) => {
    expect(written(text)).toEqual(expected);
  });

  it.each<[string, number | null, string]>([
    ['0', 0, ''],
    ['-0.5', -0.5, ''],
    ['+3', 3, ''],
    ['.5', 0.5, ''],
    ['5.', 5, ''],
    ['1e3', 1000, ''],
    ['1.5e-05s', 1.5e-5, 's'],
    ['12%', 12, '%'],
    ['12ms', 12, 'ms'],
    ['12us', 12, 'us'],
    ['12c', 12, 'c'],
    ['24493686784B', 24_493_686_784, 'B'],
    ['7KB', 7, 'KB'],
    ['21°C', 21, '°C'],
    ['5E', 5, 'E'],
    ['U', null, ''],
    ['1e999', null, ''],
  ])('takes the value %s', (value, number, unit) => {
    expect(parsePerfdata(`a=${value}`)).toMatchObject([{ value: number, unit }]);
  });

  it.each(['', ';1;2', 'x', '1,5', '1.2.3', '--1', 'NaN', '1s2', "1'", '1=2', 'Infinity'])(
    'passes over a figure whose value is %j, and goes on',
    (value) => {
      expect(written(`a=${value} b=2`)).toEqual(['b=2 - - - -']);
    },
  );

  it.each([['10'], ['10:'], ['~:10'], ['10:20'], ['@10:20'], ['-5:5']])(
    'keeps the range %s as it is',
    (range) => {
      expect(parsePerfdata(`a=1;${range};${range}`)).toMatchObject([{ warn: range, crit: range }]);
    },
  );

  it.each<[string, number | null]>([
    ['0', 0],
    ['-1.5', -1.5],
    ['0.000000', 0],
    ['10s', 10],
    ['x', null],
    ['~', null],
  ])('reads the bound %s', (bound, number) => {
    expect(parsePerfdata(`a=1;;;${bound};${bound}`)).toMatchObject([{ min: number, max: number }]);
  });

  it.each<[string, string]>([
    ["'free space'=1", 'free space'],
    ["'it''s'=1", "it's"],
    ["''''=1", "'"],
    ["'a=b'=1", 'a=b'],
    ["'a;b|c'=1", 'a;b|c'],
    ["'a\nb'=1", 'a\nb'],
    ['/=1', '/'],
    ['/var/lib=1', '/var/lib'],
    ['C:\\=1', 'C:\\'],
    ['größe=1', 'größe'],
    ["a'b=1", "a'b"],
  ])('reads the label of %s', (text, label) => {
    expect(parsePerfdata(text)).toMatchObject([{ label, value: 1 }]);
  });

  it.each(['=1', "''=1", "'open=1", 'word', 'a =1', '|||', "'", '= = =', "'a''=1"])(
    'finds nothing in %j, and goes on',
    (text) => {
      expect(parsePerfdata(`${text} b=2`).filter(({ label }) => label !== 'b')).toEqual([]);
      expect(parsePerfdata(`b=2 ${text}`)).toMatchObject([{ label: 'b', value: 2 }]);
    },
  );

  it.each(["'", "' ", "''' ", "a'", 'a', '=', 'a=', "'a=1 "])('gets through 64 KiB of %j', (part) => {
    expect(parsePerfdata(part.repeat(65_536 / part.length))).toEqual([]);
  });
});

describe('parsePluginOutput', () => {
  it.each<[string, string, string, string[]]>([
    ['', '', '', []],
    ['OK', 'OK', '', []],
    ['OK\n', 'OK', '', []],
    ['OK\r\n', 'OK', '', []],
    ['  OK - fine  |  a=1 \n', 'OK - fine', '', ['a']],
    ['OK|a=1', 'OK', '', ['a']],
    ['|a=1', '', '', ['a']],
    ['OK|', 'OK', '', []],
    ['OK|a=1|b=2', 'OK', '', []],
    ['OK|a=1\nmore\nlines', 'OK', 'more\nlines', ['a']],
    ['OK|a=1\nmore\nlast|b=2\nc=3\nd=4', 'OK', 'more\nlast', ['a', 'b', 'c', 'd']],
    ['OK\nmore|b=2', 'OK', 'more', ['b']],
    ['OK\n\n\n', 'OK', '', []],
  ])('takes %j apart', (stdout, message, details, labels) => {
    const parsed = parsePluginOutput(stdout);
    expect(parsed).toMatchObject({ message, details });
    expect(parsed.perfdata.map(({ label }) => label)).toEqual(labels);
  });

  it('reads what stock plugins print', () => {
    const disk = parsePluginOutput(
      'DISK OK - free space: / 80538MiB (77% inode=97%);| /=24493686784B;267847005634;267847005634;0;270552530944\n',
    );
    expect(disk.message).toBe('DISK OK - free space: / 80538MiB (77% inode=97%);');
    expect(disk.perfdata).toEqual([
      {
        label: '/',
        value: 24_493_686_784,
        unit: 'B',
        warn: '267847005634',
        crit: '267847005634',
        min: 0,
        max: 270_552_530_944,
      },
    ]);
    const load = parsePluginOutput(
      'LOAD OK - total load average: 1.79, 1.40, 1.25|load1=1.790;100.000;200.000;0; load5=1.400;100.000;200.000;0; load15=1.250;100.000;200.000;0; \n',
    );
    expect(load.perfdata.map(({ label, value }) => [label, value])).toEqual([
      ['load1', 1.79],
      ['load5', 1.4],
      ['load15', 1.25],
    ]);
  });
});
