import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readStatusFile, recordingStatus, statusFromShell } from '../../../core/process/status_file.ts';

const dir = mkdtempSync(join(tmpdir(), 'upkeep-status-'));
const path = join(dir, "it's a status");
afterAll(() => rmSync(dir, { recursive: true }));

function runRecorded(argv: readonly string[], signalGroup?: NodeJS.Signals): Promise<number | null> {
  const [file = '', ...args] = recordingStatus(argv, path);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  if (signalGroup !== undefined) {
    const { pid } = child;
    if (pid === undefined) throw new Error('it did not start');
    child.stdout?.once('data', () => process.kill(-pid, signalGroup));
  }
  return new Promise((resolve) => child.on('exit', resolve));
}

describe('the status file of a oneshot', () => {
  it.each([0, 1, 3, 127])('holds exit code %i', async (code) => {
    expect(await runRecorded(['/bin/sh', '-c', `exit ${code}`])).toBe(code);
    expect(readStatusFile({ ...fs }, path)).toEqual({ exit_code: code, exit_signal: null });
  });

  it('hands arguments on as they are', async () => {
    await runRecorded(['/bin/sh', '-c', 'test "$1" = "a b\'c" && test "$#" = 2', 'sh', "a b'c", '']);
    expect(readStatusFile({ ...fs }, path)).toEqual({ exit_code: 0, exit_signal: null });
  });

  it('is written even though the whole group gets SIGTERM, and says so', async () => {
    await runRecorded(['/bin/sh', '-c', 'echo up; exec sleep 100'], 'SIGTERM');
    expect(readStatusFile({ ...fs }, path)).toEqual({ exit_code: null, exit_signal: 'SIGTERM' });
  });

  it('lets the program handle SIGTERM by itself', async () => {
    await runRecorded(
      ['/bin/sh', '-c', 'trap "exit 5" TERM; echo up; while :; do sleep 0.05; done'],
      'SIGTERM',
    );
    expect(readStatusFile({ ...fs }, path)).toEqual({ exit_code: 5, exit_signal: null });
  });

  it.each(['', '0', 'x\n', '1234\n', '0\n0\n'])('is not believed when it holds %j', (text) => {
    writeFileSync(path, text);
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(readStatusFile({ ...fs }, path)).toBeNull();
  });

  it('is null where there is none', () => expect(readStatusFile({ ...fs }, join(dir, 'none'))).toBeNull());

  it('reads what a shell says of signals', () => {
    expect(statusFromShell(137)).toEqual({ exit_code: null, exit_signal: 'SIGKILL' });
    expect(statusFromShell(255)).toEqual({ exit_code: 255, exit_signal: null });
    expect(statusFromShell(128)).toEqual({ exit_code: 128, exit_signal: null });
  });
});
