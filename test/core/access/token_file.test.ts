import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isSecret, newSecret } from '../../../core/access/secret.ts';
import { readTokenFile, renewTokenFile, TokenFileError, tokenFile } from '../../../core/access/token_file.ts';

let dir: string;
let path: string;

beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), 'upkeep-token-'));
  path = tokenFile(dir);
});

afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

function plant(text: string, mode = 0o600): void {
  fs.writeFileSync(path, text);
  fs.chmodSync(path, mode);
}

describe('the token file', () => {
  test('is made for its owner alone, whatever the umask, and read again', () => {
    const mask = process.umask(0);
    try {
      const secret = readTokenFile(path, fs);
      expect(isSecret(secret)).toBe(true);
      expect(fs.statSync(path).mode & 0o777).toBe(0o600);
      expect(readTokenFile(path, fs)).toBe(secret);
    } finally {
      process.umask(mask);
    }
  });

  test('that an upkeep died at is written to its end', () => {
    plant('');
    const secret = readTokenFile(path, fs);
    expect(readTokenFile(path, fs)).toBe(secret);
  });

  test('is made anew where its token was taken back', () => {
    const secret = readTokenFile(path, fs);
    const next = renewTokenFile(path, fs);
    expect(next).not.toBe(secret);
    expect(readTokenFile(path, fs)).toBe(next);
    expect(fs.statSync(path).mode & 0o777).toBe(0o600);
  });

  test('keeps no descriptor open, refused or not', () => {
    const open = () => fs.readdirSync('/proc/self/fd').length;
    readTokenFile(path, fs);
    const before = open();
    readTokenFile(path, fs);
    fs.chmodSync(path, 0o644);
    expect(() => readTokenFile(path, fs)).toThrow(TokenFileError);
    expect(open()).toBe(before);
  });

  const cases: [string, () => void, RegExp][] = [
    ['readable by the group', () => plant(newSecret(), 0o640), /chmod 600.*current value is 0640/],
    ['writable by others', () => plant(newSecret(), 0o602), /current value is 0602/],
    ['that holds something else', () => plant('root:x:0:0:'), /hold a token/],
    ['that holds much', () => plant(`${newSecret()}${'x'.repeat(1e6)}`), /hold a token/],
    ['that is a folder', () => fs.mkdirSync(path), /be a plain file/],
    ['that is a FIFO', () => execFileSync('mkfifo', ['-m', '600', path]), /be a plain file/],
    ['that is a link to a token', () => link(), /be a plain file.*a link/],
    ['that is a link to nowhere', () => fs.symlinkSync(join(dir, 'victim'), path), /a link/],
    [
      'that has another name',
      () => {
        plant(newSecret());
        fs.linkSync(path, join(dir, 'other'));
      },
      /one name only.*2 names/,
    ],
  ];

  function link(): void {
    fs.writeFileSync(join(dir, 'real'), newSecret(), { mode: 0o600 });
    fs.symlinkSync(join(dir, 'real'), path);
  }

  test.each(cases)('%s is refused and left alone', (_, prepare, why) => {
    prepare();
    const names = fs.readdirSync(dir);
    const before = fs.lstatSync(path);
    expect(() => readTokenFile(path, fs)).toThrow(TokenFileError);
    expect(() => readTokenFile(path, fs)).toThrow(why);
    expect(() => renewTokenFile(path, fs)).toThrow(TokenFileError);
    expect(fs.readdirSync(dir)).toEqual(names);
    const after = fs.lstatSync(path);
    expect([after.ino, after.size, after.mode]).toEqual([before.ino, before.size, before.mode]);
  });

  test.skipIf(process.getuid?.() !== 0)('of another user is refused (needs root)', () => {
    plant(newSecret());
    fs.chownSync(path, 65_534, 65_534);
    expect(() => readTokenFile(path, fs)).toThrow(/belong to uid 0.*uid 65534/);
  });

  test('does not tell what it holds', () => {
    plant('hunter2');
    expect(() => readTokenFile(path, fs)).not.toThrow(/hunter2/);
  });
});
