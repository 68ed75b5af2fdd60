import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { nodeHost } from '../../../../core/host/node_host.ts';
import { type LocatedPlugin, locatePlugin } from '../../../../core/plugin/remote/locate.ts';

const { files } = nodeHost();
let dir: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'upkeep-locate-')));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function put(path: string, text: string | object = ''): string {
  const file = join(dir, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof text === 'string' ? text : JSON.stringify(text));
  return file;
}

const locate = (path: string, from = dir): LocatedPlugin => locatePlugin(path, from, files);

it('finds a file alone, where it really lies', () => {
  const file = put('a.ts');
  symlinkSync(file, join(dir, 'link.ts'));
  expect(locate('./link.ts')).toMatchObject({ file, folder: null });
  expect(locate(file)).toMatchObject({ file, folder: null });
  expect(locate('../a.ts', join(dir, 'sub'))).toMatchObject({ file });
});

it('tells a changed file by its stamp', () => {
  const file = put('a.ts');
  const { stamp } = locate('./a.ts');
  expect(locate('./a.ts').stamp).toBe(stamp);
  utimesSync(file, 1, 1);
  expect(locate('./a.ts').stamp).not.toBe(stamp);
});

it.each([
  ['mod.ts', null],
  ['index.js', null],
  ['src/a.js', { main: 'src/a.js' }],
  ['src/a.js', { exports: './src/a.js', main: 'other.js' }],
  ['src/a.js', { exports: { '.': './src/a.js' } }],
  ['src/a.js', { exports: { types: './a.d.ts', require: './no.cjs', import: './src/a.js' } }],
  ['src/a.js', { exports: { '.': { node: { import: './src/a.js' } } } }],
  ['src/a.js', { exports: { '.': { browser: './no.js', default: './src/a.js' }, './other': './no.js' } }],
])('finds %s in a folder with %j', (entry, about) => {
  const file = put(`folder/${entry}`);
  if (about !== null) put('folder/package.json', about);
  expect(locate('./folder')).toMatchObject({ file, folder: join(dir, 'folder') });
});

it('looks for a package upwards', () => {
  const file = put('node_modules/@scope/p/index.js');
  put('node_modules/@scope/p/package.json', {});
  expect(locate('@scope/p', join(dir, 'a', 'b'))).toMatchObject({ file, folder: dirname(file) });
});

it.each([
  ['./none.ts', 'there is no'],
  ['none', "there is no package 'none' in any node_modules from"],
  ['./empty', 'there is no mod.ts, mod.js, index.ts, index.js in'],
  ['./broken', 'is no JSON'],
  ['./lost', 'there is no gone.js in'],
  ['./a.json', 'must end in .ts, .mts, .js or .mjs'],
  ['./a*.ts', 'must have no * and no comma in it'],
])('does not find %s: %s', (path, message) => {
  put('empty/readme');
  put('broken/package.json', '{');
  put('lost/package.json', { main: 'gone.js' });
  put('a.json');
  put('a*.ts');
  expect(() => locate(path)).toThrow(message);
});
