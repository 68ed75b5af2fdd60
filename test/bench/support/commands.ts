import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Handle, Place } from '../peer.ts';
import { monotonic } from './clock.ts';
import { killAll } from './processes.ts';

/** Null if all of these commands can be found, else which is not. */
export function missing(...commands: string[]): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const found = (command: string): boolean =>
    folders.some((folder) => {
      try {
        accessSync(join(folder, command), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
  const absent = commands.filter((command) => !found(command));
  return absent.length === 0 ? null : `${absent.join(', ')}: not installed`;
}

/**
 * Starts a supervisor that stays. It gets a session of its own, so that Ctrl-C reaches the bench alone and things end
 * in order. @throws Error if it cannot be spawned.
 */
export async function launch(argv: readonly [string, ...string[]], place: Place): Promise<Handle> {
  const [command, ...args] = argv;
  const log = openSync(join(place.dir, 'supervisor.txt'), 'a');
  const startedAt = monotonic();
  const child = spawn(command, args, {
    cwd: place.dir,
    env: place.env,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  await once(child, 'spawn');
  return { startedAt, logs: join(place.dir, 'out'), stop: () => killAll(place.dir, place.worker) };
}

/** Runs a command to its end, and gives its output. @throws Error with that if it does not exit with 0. */
export async function run(argv: readonly [string, ...string[]], place: Place): Promise<string> {
  const [command, ...args] = argv;
  const path = join(place.dir, 'command.txt');
  // Into a file: a daemon that the command leaves behind would keep a pipe open.
  const output = openSync(path, 'w');
  const child = spawn(command, args, { cwd: place.dir, env: place.env, stdio: ['ignore', output, output] });
  closeSync(output);
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('exit', resolve));
  const said = readFileSync(path, 'utf8');
  if (code !== 0) throw new Error(`${argv.join(' ')} exited with ${code}:\n${said}`);
  return said;
}
