/**
 * `upkeep up [-f FILE] [-d [--wait [--timeout TIME]]] [--state DIR] [--listen [ADDRESS:]PORT] [--read-only] [--recovery restart]`
 */

import { createClient } from '../../client/client.ts';
import { NoDaemon } from '../../client/errors.ts';
import type { ListenAddress } from '../../http/listen_address.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { serviceFile, socketOf, stateDir } from '../place.ts';
import type { CommonOptions } from '../session.ts';

/** The options of `up`. */
export interface UpOptions extends CommonOptions {
  readonly detach?: boolean;
  /** In the background: true to return when every service is up. */
  readonly wait?: boolean;
  /** Ms that are waited for that. */
  readonly timeout?: number;
  readonly recovery?: 'restart';
  readonly listen?: ListenAddress;
  readonly readOnly?: boolean;
  /** False to leave the printing of events out. */
  readonly events: boolean;
}

/** Starts upkeep, in this process or in the background. */
export async function up(io: Io, options: UpOptions): Promise<ExitCode> {
  if (options.wait === true && options.detach !== true) {
    throw new CliError(
      EXIT.usage,
      '--wait needs -d: in the foreground upkeep tells what it does until it ends',
    );
  }
  const file = serviceFile(options, io);
  const state = stateDir({ ...options, file }, io);
  const pid = await runningPid(state, io);
  if (pid !== null) throw new CliError(EXIT.failed, `upkeep is already running on ${state} (pid ${pid})`);

  // What only one of the two ways needs is loaded by that one: a daemon is small.
  if (options.detach === true) {
    const { startDetached } = await import('../detached.ts');
    return startDetached(io, file, state, options);
  }
  const { startDaemon } = await import('../daemon.ts');
  const daemon = await startDaemon(io, {
    spec_file: file,
    state_dir: state,
    recovery: options.recovery ?? 'as_specified',
    events: options.events ? 'printed' : 'kept',
    format: options.json === true ? 'json' : 'text',
    read_only: options.readOnly === true,
    ...(options.listen === undefined ? {} : { listen: options.listen }),
  });
  await daemon.ended;
  await daemon.printer.flushed();
  return EXIT.done;
}

/** The pid of the upkeep that serves a state folder; null where none does. */
export async function runningPid(state: string, io: Io): Promise<number | null> {
  try {
    const client = createClient(socketOf(state, io.env));
    const { pid } = await client.call('health.get', {});
    client.close();
    return pid;
  } catch (error) {
    if (error instanceof NoDaemon) return null;
    throw error;
  }
}
