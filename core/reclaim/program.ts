/**
 * Is a process this action's program? Asked of a process that a PID file names and nothing else ties to the action.
 */
import { delimiter, isAbsolute, resolve } from 'node:path';
import type { Files, Processes } from '../host/host.ts';
import type { ActionSpec } from '../spec/mod.ts';

// Nothing in it that a shell would expand, redirect, group or assign: the words are what the program gets.
const PLAIN_COMMAND = /^(?:exec )?[\w./:@%+,-]+(?: +[\w./:=@%+,-]+)*$/;

/**
 * The argument vectors that an action's process can have. A shell replaces itself by a command that is all it was
 * asked to run, so the command form has two.
 */
export function expectedArgvs(run: ActionSpec['run']): readonly (readonly string[])[] {
  if (typeof run !== 'string') return [run];
  const command = run.trim();
  const shell = ['/bin/sh', '-c', run];
  return PLAIN_COMMAND.test(command) ? [shell, command.replace(/^exec /, '').split(/ +/)] : [shell];
}

/**
 * True where the process has the executable and the whole argument vector of the action. A lone word proves nothing:
 * `node` and `sh` are everybody's.
 *
 * A script started by its `#!` line has its interpreter's executable, so it is never recognised here.
 */
export function runsAction(
  pid: number,
  action: ActionSpec,
  searchPath: string,
  host: { readonly files: Files; readonly processes: Processes },
): boolean {
  const argv = host.processes.argv(pid);
  const exe = host.processes.exe(pid);
  if (argv === null || exe === null || argv.length < 2) return false;
  return expectedArgvs(action.run).some((expected) => {
    const [file] = expected;
    if (file === undefined || argv.length !== expected.length) return false;
    // The first word is whatever the parent chose to call it; the executable is a fact.
    if (!argv.every((word, index) => index === 0 || word === expected[index])) return false;
    return executables(file, action.cwd, searchPath, host.files).has(exe);
  });
}

/** The real paths that a program's name can mean: each hit on the PATH, as the first may have been put there since. */
function executables(file: string, cwd: string, searchPath: string, files: Files): Set<string> {
  const folders = searchPath.split(delimiter).map((folder) => resolve(cwd, folder));
  const paths = file.includes('/') ? [resolve(cwd, file)] : folders.map((folder) => resolve(folder, file));
  const real = new Set<string>();
  for (const path of paths) {
    if (!isAbsolute(path)) continue;
    try {
      real.add(files.realpathSync(path));
    } catch {
      // Not in this folder.
    }
  }
  return real;
}
