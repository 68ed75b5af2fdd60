import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Files } from '../../../core/host/host.ts';
import { parsePid, readPidFile, removePidFileIfOurs, writePidFile } from '../../../core/reclaim/pid_file.ts';

const files: Files = fs;
let folder = '';
let path = '';

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'upkeep-pid-file-'));
  path = join(folder, 'web.pid');
});

afterEach(() => fs.rmSync(folder, { recursive: true }));

describe('parsePid', () => {
  it.each([
    ['4711', 4711],
    ['4711\n', 4711],
    ['4711\r\n', 4711],
    ['  4711 \nmore\n', 4711],
    ['2', 2],
    ['2147483647', 2147483647],
    ['1', null],
    ['0', null],
    ['-4711', null],
    ['+4711', null],
    ['04711', null],
    ['4711 nginx', null],
    ['4711.5', null],
    ['0x10', null],
    ['1e3', null],
    ['\n4711', null],
    ['2147483648', null],
    ['99999999999', null],
    ['', null],
    ['nginx', null],
  ])('%j: %s', (content, expected) => {
    expect(parsePid(content)).toBe(expected);
  });
});

describe('readPidFile', () => {
  it('reads a pid and when it was written', () => {
    fs.writeFileSync(path, '4711\n');
    fs.utimesSync(path, 1000, 1000);
    expect(readPidFile(files, path)).toMatchObject({ state: 'names', pid: 4711, written_ms: 1_000_000 });
  });

  it('tells an absent file from an invalid one', () => {
    expect(readPidFile(files, path)).toEqual({ state: 'absent' });
    fs.writeFileSync(path, '');
    expect(readPidFile(files, path)).toMatchObject({ state: 'invalid' });
    // The first line is longer than what is read: no part of it may pass for a pid.
    for (const content of [`${' '.repeat(70)}4711\n`, `4711${' '.repeat(70)}nginx\n`]) {
      fs.writeFileSync(path, content);
      expect(readPidFile(files, path)).toMatchObject({ state: 'invalid' });
    }
  });

  it('neither follows a symlink nor waits for a FIFO', () => {
    fs.writeFileSync(join(folder, 'real'), '4711\n');
    fs.symlinkSync(join(folder, 'real'), path);
    expect(readPidFile(files, path)).toEqual({ state: 'not_a_pid_file', found: 'a symlink' });
    execFileSync('mkfifo', [join(folder, 'fifo')]);
    expect(readPidFile(files, join(folder, 'fifo'))).toMatchObject({ state: 'not_a_pid_file' });
    expect(readPidFile(files, folder)).toMatchObject({ state: 'not_a_pid_file' });
    expect(readPidFile(files, '/dev/zero')).toMatchObject({ state: 'not_a_pid_file' });
  });

  it('leaves no descriptor open', () => {
    fs.writeFileSync(path, '4711\n');
    const before = fs.readdirSync('/proc/self/fd').length;
    for (let round = 0; round < 20; round++) readPidFile(files, path);
    readPidFile(files, folder);
    expect(fs.readdirSync('/proc/self/fd').length).toBe(before);
  });
});

describe('writePidFile', () => {
  it('writes in one piece and leaves nothing else', () => {
    fs.writeFileSync(path, '1234567\n');
    const old = fs.openSync(path, 'r');
    writePidFile(files, path, 89);
    expect(fs.readFileSync(path, 'utf8')).toBe('89\n');
    // A reader that had it open sees the whole old content.
    expect(fs.readFileSync(old, 'utf8')).toBe('1234567\n');
    fs.closeSync(old);
    expect(fs.readdirSync(folder)).toEqual(['web.pid']);
    expect(fs.statSync(path).mode & 0o022).toBe(0);
  });

  it('gets over the draft that a crash has left', () => {
    fs.writeFileSync(`${path}.89.new`, 'half');
    writePidFile(files, path, 89);
    expect(fs.readdirSync(folder)).toEqual(['web.pid']);
    expect(fs.readFileSync(path, 'utf8')).toBe('89\n');
  });

  it('neither writes through nor replaces what is no regular file', () => {
    const real = join(folder, 'real');
    fs.writeFileSync(real, 'precious');
    fs.symlinkSync(real, path);
    expect(() => writePidFile(files, path, 89)).toThrow(expect.objectContaining({ code: 'EEXIST' }));
    expect(fs.readFileSync(real, 'utf8')).toBe('precious');
    expect(fs.readlinkSync(path)).toBe(real);
  });

  it('does not write through a symlink in the place of its draft', () => {
    const real = join(folder, 'real');
    fs.writeFileSync(real, 'precious');
    fs.symlinkSync(real, `${path}.89.new`);
    writePidFile(files, path, 89);
    expect(fs.readFileSync(real, 'utf8')).toBe('precious');
    expect(fs.lstatSync(path).isFile()).toBe(true);
  });

  it('says so where there is no folder', () => {
    expect(() => writePidFile(files, join(folder, 'none', 'web.pid'), 89)).toThrow(/ENOENT/);
  });
});

describe('removePidFileIfOurs', () => {
  it('removes only a file that names the pid', () => {
    writePidFile(files, path, 89);
    expect(removePidFileIfOurs(files, path, 90)).toBe(false);
    expect(fs.existsSync(path)).toBe(true);
    expect(removePidFileIfOurs(files, path, 89)).toBe(true);
    expect(fs.existsSync(path)).toBe(false);
    expect(removePidFileIfOurs(files, path, 89)).toBe(false);
  });

  it('leaves the file that came in between', () => {
    writePidFile(files, path, 89);
    // The program writes its own pid file anew between the read and the removal.
    const racing: Files = {
      ...files,
      closeSync: (fd) => {
        fs.closeSync(fd);
        fs.rmSync(path);
        fs.writeFileSync(path, '90\n');
      },
    };
    expect(removePidFileIfOurs(racing, path, 89)).toBe(false);
    expect(fs.readFileSync(path, 'utf8')).toBe('90\n');
  });
});
