import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseEnvFile } from '../../../core/spec/env_file.ts';

describe('parseEnvFile', () => {
  it.each([
    ['', {}],
    ['\n\n  \n', {}],
    ['# only a comment', {}],
    ['A=1', { A: '1' }],
    ['A=1\nB=2\n', { A: '1', B: '2' }],
    ['A=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['\uFEFFA=1', { A: '1' }],
    ['  A  =  b c  ', { A: 'b c' }],
    ['export A=1', { A: '1' }],
    ['export \t A=1', { A: '1' }],
    ['export=1', { export: '1' }],
    ['A=', { A: '' }],
    ['A=\nB=2', { A: '', B: '2' }],
    ['A= # nothing', { A: '' }],
    ['A=1 # one', { A: '1' }],
    ['A=a#b', { A: 'a#b' }],
    ['A=#b', { A: '#b' }],
    ['A=x=y', { A: 'x=y' }],
    ['A=$HOME $(B) `C`', { A: '$HOME $(B) `C`' }],
    ['A=it"s', { A: 'it"s' }],
    ['A="a b"', { A: 'a b' }],
    ['A=" a # b " # c', { A: ' a # b ' }],
    ["A='a\\nb'", { A: 'a\\nb' }],
    ['A=`a"b\'c`', { A: 'a"b\'c' }],
    ['A="a\\nb\\tc\\rd"', { A: 'a\nb\tc\rd' }],
    ['A="say \\"hi\\" \\\\ \\$5 \\x"', { A: 'say "hi" \\ $5 \\x' }],
    ['A="a\\\\n"', { A: 'a\\n' }],
    ['A="one\ntwo"\nB=3', { A: 'one\ntwo', B: '3' }],
    ["A='one\n# two'\nB=3", { A: 'one\n# two', B: '3' }],
    ['A=""', { A: '' }],
    ['A=1\nA=2', { A: '2' }],
  ])('reads %j', (text, variables) => {
    expect(parseEnvFile(text, '.env')).toEqual(variables);
  });

  it.each([
    ['A=1\nnonsense\nB=2', 2, 'must be NAME=value'],
    ['1A=x', 1, 'must be NAME=value'],
    ['A-B=x', 1, 'must be NAME=value'],
    ['=x', 1, 'must be NAME=value'],
    ['\n\nexport A', 3, 'must be NAME=value'],
    ['A="1\n2"\nnonsense', 3, 'must be NAME=value'],
    ['A=1\nB="open\nC=3', 2, 'must have a closing quote'],
    ["B='open", 1, 'must have a closing quote'],
    ['B="a\\"', 1, 'must have a closing quote'],
    ['B="a"b', 1, 'must have a closing quote'],
    ['A=1\r\nUPKEEP_JOB=x', 2, 'must not set UPKEEP_'],
  ])('refuses %j, naming line %i', (text, line, rule) => {
    expect(() => parseEnvFile(text, '/srv/.env')).toThrow(SyntaxError);
    expect(() => parseEnvFile(text, '/srv/.env')).toThrow(`/srv/.env:${line}: ${rule}`);
  });

  it('refuses NUL bytes', () => {
    expect(() => parseEnvFile('A=a\0b', '.env')).toThrow('NUL');
  });

  it.each(['PASSWORD="hunter2', 'PASSWORD="x"hunter2', 'hunter2', 'hunter2: x'])(
    'does not tell what may be a secret: %j',
    (text) => {
      const refusal = expect.objectContaining({ message: expect.not.stringContaining('hunter2') });
      expect(() => parseEnvFile(text, '.env')).toThrow(refusal);
    },
  );

  it('reads a long open quote once only', () => {
    expect(() => parseEnvFile(`A="${'x\n'.repeat(300_000)}`, '.env')).toThrow('closing quote');
  });

  it('agrees with Node where that refuses nothing that it should', () => {
    const text = 'A=1\nB = two words \nC="q # q" # c\nD=\'x y\'\nE=`z`\nF="a\\nb"\nG=\n# c\n\nH="1\n2"\n';
    expect(parseEnvFile(text, '.env')).toEqual({ ...parseEnv(text) });
  });
});
