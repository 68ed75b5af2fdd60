/**
 * Processes that are forked ahead of time.
 *
 * A fork copies the page tables of all that upkeep has in memory, and the pages that both write to afterwards; next to
 * the rest of a restart that is long, and the event loop stands still meanwhile. So it is done while the service is
 * well: a shell waits, in the session, the folder and the environment of the program that it is to become, for the line
 * that says where the output goes. What is left of a start is an exec.
 *
 * Nothing is taken over from the shell but the process. It ends with upkeep, whose end of the pipe closes. A line that
 * was sent when upkeep died starts nothing either, as the log is opened through a descriptor of upkeep's: no program is
 * ever begun behind the back of the upkeep that comes next.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Writable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import type { Program, SpawnRequest, Standby } from './host.ts';

const SHELL = '/bin/sh';
/** The program is not on the command line while it waits: who looks for a service by name would find it twice. */
const ARGS = ['-c', 'read -r upkeep_line && eval "$upkeep_line"', 'upkeep-standby'];
/** Variables that dash gives a meaning to, or a value, of its own. */
const OF_THE_SHELL = new Set(['IFS', 'LINENO', 'OPTIND', 'PPID', 'PS1', 'PS2', 'PS4', 'upkeep_line']);
/** The shell reads its line byte by byte, with a system call for each. */
const MAX_LINE = 4096;

/** A child that has a pid. */
export type StartedProcess = ChildProcess & { readonly pid: number };

/** False where it could not be started, which an event will tell. */
export function isStarted(child: ChildProcess): child is StartedProcess {
  return child.pid !== undefined;
}

/** See the top of this file. */
export class StandbyShells {
  readonly #waiting = new Map<Standby, Waiting>();
  #able: boolean | null = null;

  /** Forks one; null where it cannot become just that program. */
  fork(program: Program, late: readonly string[]): Standby | null {
    this.#able ??= isAble();
    if (!this.#able || !isPlain(program)) return null;
    const early = without(late, program);
    const { cwd, env } = early;
    let child: ChildProcess;
    let folder: string;
    try {
      folder = folderAt(cwd);
      child = spawn(SHELL, ARGS, { cwd, env, detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    } catch {
      // The program will be started in the usual way, and it is told then what keeps it from that.
      return null;
    }
    // Nothing waits for one that waits.
    child.once('error', () => {});
    child.unref();
    const { stdin } = child;
    if (!isStarted(child) || stdin === null) return null;
    // That the other end has closed is told by its exit.
    stdin.on('error', () => {});
    (stdin as Writable & { unref?(): void }).unref?.();
    const waiting = this.#waiting;
    const standby: Standby = {
      get waiting() {
        return waiting.has(standby);
      },
      discard() {
        if (waiting.delete(standby)) stdin.destroy();
      },
    };
    waiting.set(standby, { program: early, folder, late, child, stdin });
    child.once('exit', () => standby.discard());
    return standby;
  }

  /** Lets a standby become its program; null where there is none for it. */
  start(request: SpawnRequest): StartedProcess | null {
    const { standby } = request;
    if (standby === undefined) return null;
    const found = this.#waiting.get(standby);
    if (found === undefined || !isSame(request, found)) {
      standby.discard();
      return null;
    }
    this.#waiting.delete(standby);
    const { child, stdin, late } = found;
    child.ref();
    stdin.end(lineFor(request, late));
    return child;
  }
}

interface Waiting {
  /** But for what comes late. */
  readonly program: Program;
  /** The folder that it is in: another one may be at the path by now. */
  readonly folder: string;
  readonly late: readonly string[];
  readonly child: StartedProcess;
  readonly stdin: Writable;
}

/**
 * Known is how dash treats what it is given. Other shells add variables, and other systems have no /proc. Where this
 * program has capabilities that a shell would not get (`setcap` on node), the kernel lets none open its descriptors.
 */
function isAble(): boolean {
  try {
    if (process.platform !== 'linux' || basename(realpathSync(SHELL)) !== 'dash') return false;
    return process.geteuid?.() === 0 || /^CapPrm:\s*0+$/m.test(readFileSync('/proc/self/status', 'latin1'));
  } catch {
    return false;
  }
}

/** The shell hands all of it on as it is. A variable with another kind of name it would drop. */
function isPlain({ file, argv, env }: Program): boolean {
  if (file === '' || file.startsWith('-')) return false;
  if (!file.includes('/') && env['PATH'] === undefined) return false;
  const words = [file, ...argv, env['PWD'] ?? ''];
  if (words.some((word) => /[\n\0]/.test(word)) || words.join().length > MAX_LINE) return false;
  return Object.keys(env).every((name) => /^[A-Za-z_]\w*$/.test(name) && !OF_THE_SHELL.has(name));
}

/** What the shell does: it takes the log, what came late, and the PWD that it has set itself; then it is the program. */
function lineFor({ file, argv, env, output_fd }: SpawnRequest, late: readonly string[]): string {
  const { PWD } = env;
  return `${[
    `exec </dev/null >>/proc/${process.pid}/fd/${output_fd} 2>&1`,
    ...late.map((name) => `export ${name}=${quoted(env[name] ?? '')}`),
    PWD === undefined ? 'unset PWD' : `PWD=${quoted(PWD)}`,
    `exec ${[file, ...argv].map(quoted).join(' ')}`,
  ].join('; ')}\n`;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** It was forked for this very program, but for what comes late. */
function isSame({ file, argv, cwd, env }: SpawnRequest, { program, folder, late }: Waiting): boolean {
  if (!isDeepStrictEqual(without(late, { file, argv, cwd, env }), program)) return false;
  try {
    return folderAt(cwd) === folder;
  } catch {
    return false;
  }
}

function without(late: readonly string[], program: Program): Program {
  const early = Object.entries(program.env).filter(([name]) => !late.includes(name));
  return { ...program, env: Object.fromEntries(early) };
}

function folderAt(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true });
  return `${dev}:${ino}`;
}
