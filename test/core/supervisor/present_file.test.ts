/**
 * Replacing a file: whole, once, and only the one that was read.
 */
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withFaults } from '../../../core/host/fault.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import { readPresent, replacePresent } from '../../../core/supervisor/present_file.ts';
import { Conflict, Unavailable } from '../../../core/supervisor/refusal.ts';

let dir: string;
let file: string;
const { files } = nodeHost();
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'upkeep-present-')));
  file = join(dir, 'upkeep.yaml');
  writeFileSync(file, 'old');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Puts a link in the file's place. */
function link(): void {
  renameSync(file, `${file}.real`);
  symlinkSync(`${file}.real`, file);
}

/** Puts something else in the file's place. */
function swap(put: (path: string) => void): void {
  rmSync(file);
  put(file);
}

const text = (): string => readFileSync(file, 'utf8');

describe('replacing', () => {
  it('writes all of it to the disk before it gets its name, and the name after', async () => {
    chmodSync(file, 0o604);
    const calls: string[] = [];
    const watched = withFaults(nodeHost(), (call) => calls.push(call)).files;
    await replacePresent(watched, readPresent(watched, file), 'new', 'me');
    expect(text()).toBe('new');
    expect(statSync(file).mode & 0o7777).toBe(0o604);
    expect(readdirSync(dir)).toEqual(['upkeep.yaml']);
    expect(calls.filter((call) => !call.endsWith(':done'))).toEqual([
      'files.promises.open',
      'files.handle.writeFile',
      'files.handle.chmod',
      'files.handle.sync',
      'files.renameSync',
      'files.fsyncSync',
    ]);
  });

  it.each([
    ['was written to', () => writeFileSync(file, 'odl')],
    ['was touched', () => chmodSync(file, 0o600)],
    ['is another one', () => swap((path) => writeFileSync(path, 'old'))],
    ['is gone', () => rmSync(file)],
    ['is a link by now', link],
    ['has another name by now', () => linkSync(file, `${file}.other`)],
  ] as [string, () => void][])('is refused where the file %s since it was read', async (_, meddle) => {
    const present = readPresent(files, file);
    meddle();
    const before = readdirSync(dir);
    await expect(replacePresent(files, present, 'new', 'me')).rejects.toBeInstanceOf(Conflict);
    expect(readdirSync(dir)).toEqual(before);
    for (const name of before) expect(readFileSync(join(dir, name), 'utf8')).not.toBe('new');
  });

  it.each(['files.handle.writeFile', 'files.handle.sync', 'files.renameSync'])(
    'leaves the old file and nothing else where %s fails',
    async (failing) => {
      const faulty = withFaults(nodeHost(), (call) => {
        if (call === failing) throw new Error('ENOSPC: no room');
      }).files;
      const replaced = replacePresent(faulty, readPresent(faulty, file), 'new', 'me');
      await expect(replaced).rejects.toBeInstanceOf(Unavailable);
      expect(text()).toBe('old');
      expect(readdirSync(dir)).toEqual(['upkeep.yaml']);
    },
  );

  it('says why it failed, not that what was begun could not be removed either', async () => {
    const faulty = withFaults(nodeHost(), (call) => {
      if (call === 'files.renameSync') throw new Error('EROFS: read-only file system');
      if (call === 'files.rmSync') throw new Error('EROFS: nor this');
    }).files;
    const replaced = replacePresent(faulty, readPresent(faulty, file), 'new', 'me');
    await expect(replaced).rejects.toThrow(`${file} cannot be replaced: EROFS: read-only file system`);
    await expect(replaced).rejects.toBeInstanceOf(Unavailable);
    await replacePresent(files, readPresent(files, file), 'new', 'me');
    expect(readdirSync(dir)).toEqual(['upkeep.yaml']);
  });

  it('puts up with what a death has left behind, and with nothing else', async () => {
    const left = join(dir, '.upkeep.yaml.me.tmp');
    writeFileSync(left, 'half');
    await replacePresent(files, readPresent(files, file), 'new', 'me');
    expect(readdirSync(dir)).toEqual(['upkeep.yaml']);

    for (const plant of [() => mkdirSync(left), () => symlinkSync('/etc/passwd', left)]) {
      plant();
      const replaced = replacePresent(files, readPresent(files, file), 'newer', 'me');
      await expect(replaced).rejects.toBeInstanceOf(Conflict);
      expect(text()).toBe('new');
      rmSync(left, { recursive: true });
    }
  });
});

describe('reading what is to be replaced', () => {
  it.each([
    ['a link', link],
    ['a folder', () => swap((path) => mkdirSync(path))],
    ['nothing', () => rmSync(file)],
    ['a file with two names', () => linkSync(file, `${file}.other`)],
  ] as [string, () => void][])('refuses %s', (_, prepare) => {
    prepare();
    expect(() => readPresent(files, file)).toThrow(Conflict);
  });
});
