/**
 * From an action to a program that runs: the command line, the environment, and what it means when it will not start.
 */
import { delimiter, join, resolve } from 'node:path';
import type { Files, Program } from '../host/host.ts';
import { type Reason, reason } from '../job/reason.ts';
import { type ActionSpec, parseEnvFile } from '../spec/mod.ts';
import { formatMark, MARKER, type Mark, SPAWNED } from './marker.ts';
import { recordingStatus } from './status_file.ts';

/** What a launch needs beside the action. */
export interface LaunchContext {
  readonly mark: Mark;
  /** See {@link SPAWNED}. */
  readonly spawned_at: number;
  readonly service: string;
  readonly run_id: string;
  /** The environment that every service starts from: upkeep's own. */
  readonly base_env: Readonly<Record<string, string>>;
  /** Where a oneshot leaves its status. */
  readonly status_file: string;
  /** Told of the variables that the action sets for itself. */
  declared?(env: Readonly<Record<string, string>>): void;
}

/** Something in the action keeps it from being launched at all; carries the reason. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
  readonly reason: Reason;
  constructor(why: Reason) {
    super(why.message);
    this.reason = why;
  }
}

/** The argument vector of an action: a string goes to the shell, an array is run as it is. */
export function argvOf(action: ActionSpec): readonly string[] {
  return typeof action.run === 'string' ? ['/bin/sh', '-c', action.run] : action.run;
}

/** Without any `UPKEEP_` variable: an upkeep started by a service of another one must not pass that marker on. */
export function cleanEnv(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !name.startsWith('UPKEEP_')) kept[name] = value;
  }
  return kept;
}

/**
 * The variables that an action sets for itself: those of its files, and its own on top.
 *
 * @throws {@link LaunchError} where an env_file cannot be read.
 */
export function declaredEnv(
  action: Pick<ActionSpec, 'env' | 'env_file'>,
  files: Files,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const path of action.env_file) Object.assign(env, readEnvFile(path, files));
  return Object.assign(env, action.env);
}

/**
 * The program that is spawned for an action.
 *
 * @throws {@link LaunchError} where an env_file cannot be read, or the program of a oneshot cannot be found.
 */
export function programOf(action: ActionSpec, context: LaunchContext, files: Files): Program {
  const declared = declaredEnv(action, files);
  context.declared?.(declared);
  const env: Record<string, string> = Object.assign({ ...context.base_env }, declared, {
    [MARKER]: formatMark(context.mark),
    [SPAWNED]: `${context.spawned_at}`,
    UPKEEP_SERVICE: context.service,
    UPKEEP_ACTION: action.name,
    UPKEEP_RUN: context.run_id,
  });
  let argv = argvOf(action);
  if (!action.process) {
    // Below a shell a missing program would read as exit 127; looked up first, it is told apart for certain.
    const program = argv[0] ?? '';
    if (!findProgram(program, env['PATH'], action.cwd, files))
      throw new LaunchError(commandNotFound(program));
    argv = recordingStatus(argv, context.status_file);
  }
  const [file = '', ...args] = argv;
  return { file, argv: args, cwd: action.cwd, env };
}

function readEnvFile(path: string, files: Files): Readonly<Record<string, string>> {
  try {
    return parseEnvFile(files.readFileSync(path, 'utf8'), path);
  } catch (error) {
    const message = `env_file: ${(error as Error).message}`;
    throw new LaunchError(reason('SPAWN_FAILED', message, { env_file: path }));
  }
}

/** Whether `program` is there to be run, found as execvp does: by itself if it has a slash, else along PATH. */
export function findProgram(program: string, path: string | undefined, cwd: string, files: Files): boolean {
  const places = program.includes('/')
    ? [resolve(cwd, program)]
    : (path ?? '/usr/bin:/bin').split(delimiter).map((folder) => join(resolve(cwd, folder || '.'), program));
  return places.some((place) => files.existsSync(place));
}

function commandNotFound(program: string): Reason {
  return reason('COMMAND_NOT_FOUND', `there is no program '${program}'`, { program, errno: 'ENOENT' });
}

/**
 * Why an action cannot be started as things are: its folder or its program is not there. Null says no more than that
 * both are: a command for a shell is the shell's to look up.
 *
 * @param path the PATH that the program is looked up along.
 */
export function launchObstacle(action: ActionSpec, path: string | undefined, files: Files): Reason | null {
  if (!isDirectory(action.cwd, files)) return folderNotThere(action.cwd);
  const program = argvOf(action)[0] ?? '';
  return findProgram(program, path, action.cwd, files) ? null : commandNotFound(program);
}

function folderNotThere(cwd: string): Reason {
  return reason('SPAWN_FAILED', `the working directory ${cwd} is not there`, { errno: 'ENOENT', cwd });
}

/**
 * Tells apart why a program did not start. Node reports a missing working directory as `spawn X ENOENT`, just as it
 * does a missing program.
 *
 * @param path the PATH that the program was looked up along.
 */
export function spawnFailure(
  error: unknown,
  action: ActionSpec,
  path: string | undefined,
  files: Files,
): Reason {
  if (error instanceof LaunchError) return error.reason;
  const { code, message } = error as NodeJS.ErrnoException;
  const program = argvOf(action)[0] ?? '';
  const evidence = { errno: code ?? null, program, cwd: action.cwd };
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    if (!isDirectory(action.cwd, files)) {
      return reason('SPAWN_FAILED', `the working directory ${action.cwd} is not there`, evidence);
    }
    // A script whose #! names a missing interpreter is ENOENT too, while the script itself is there.
    if (findProgram(program, action.env['PATH'] ?? path, action.cwd, files)) {
      return reason('COMMAND_NOT_FOUND', `the interpreter or loader of '${program}' is missing`, evidence);
    }
    return commandNotFound(program);
  }
  const said: Record<string, string> = {
    EACCES: `'${program}' may not be executed (permission denied)`,
    ENOEXEC: `'${program}' is not a program that this machine can run`,
    EAGAIN: 'no further process may be started now (a limit on processes is reached)',
    ENOMEM: 'there is not enough memory to start a process',
    E2BIG: 'the arguments and the environment are larger than the kernel takes',
    EMFILE: 'upkeep has too many files open',
    ERR_INVALID_ARG_VALUE: 'an argument or a variable holds a NUL byte',
  };
  return reason('SPAWN_FAILED', said[code ?? ''] ?? `could not be started: ${message}`, evidence);
}

function isDirectory(path: string, files: Files): boolean {
  return files.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/**
 * What an exit of the shell form may mean beyond its code: 127 is the shell's word for "no such command". Null where
 * it says nothing more.
 */
export function shellExit(action: ActionSpec, exit_code: number | null): Reason | null {
  if (typeof action.run !== 'string') return null;
  if (exit_code === 127) {
    return reason('COMMAND_NOT_FOUND', 'exited with code 127: the shell found no such command', {
      exit_code,
      run: action.run,
    });
  }
  if (exit_code === 126) {
    return reason('SPAWN_FAILED', 'exited with code 126: the shell may not execute the command', {
      exit_code,
      run: action.run,
    });
  }
  return null;
}
