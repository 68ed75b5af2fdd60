/**
 * A oneshot leaves its exit status in a file. Only the parent of a process can read how it ended; if upkeep is
 * killed while a migration runs, nobody is left who could, and running it again might do harm.
 *
 * So a oneshot runs below a shell that outlives it by one line of text. The shell reports a death by signal as
 * 128 + its number; a program that itself exits with such a code reads the same, as it does in every shell.
 */
import { constants } from 'node:os';
import type { ExitStatus, Files } from '../host/host.ts';

// The shell must live through the TERM that the whole group gets, so as to write down how its child took it; a trap
// with a handler (and not '') is reset in the child, which therefore sees the signal's usual meaning.
const RECORDER = [
  'trap : TERM INT HUP QUIT USR1 USR2',
  '"$@"',
  'status=$?',
  'printf "%s\\n" "$status" >"$0.new" && mv -f "$0.new" "$0"',
  'exit "$status"',
].join('\n');

/** The argument vector that runs `argv` and writes its status to `path`. */
export function recordingStatus(argv: readonly string[], path: string): readonly string[] {
  return ['/bin/sh', '-c', RECORDER, path, ...argv];
}

const SIGNAL_NAMES = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name as NodeJS.Signals]),
);

/** A shell's `$?` as an exit: 143 reads as "killed by SIGTERM". */
export function statusFromShell(code: number): ExitStatus {
  const signal = code > 128 ? SIGNAL_NAMES.get(code - 128) : undefined;
  return signal === undefined
    ? { exit_code: code, exit_signal: null }
    : { exit_code: null, exit_signal: signal };
}

/** What the file says; null where there is none, or nothing that such a file holds. */
export function readStatusFile(files: Files, path: string): ExitStatus | null {
  let text: string;
  try {
    text = files.readFileSync(path, 'utf8');
  } catch {
    return null;
  }
  return /^\d{1,3}\n$/.test(text) ? statusFromShell(Number(text)) : null;
}
