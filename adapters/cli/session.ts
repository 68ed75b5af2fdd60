/**
 * A command's conversation with the daemon.
 */
import { type Client, createClient } from '../client/client.ts';
import { NoDaemon } from '../client/errors.ts';
import { CliError, EXIT } from './exit.ts';
import type { Io } from './io.ts';
import { hasServiceFile, type PlaceOptions, socketOf, stateDir } from './place.ts';

/** The options that every command has. */
export interface CommonOptions extends PlaceOptions {
  readonly json?: boolean;
}

/**
 * Connects to the daemon that the options mean, for as long as `talk` takes.
 *
 * @throws {@link CliError} where none runs.
 */
export async function withDaemon<T>(
  io: Io,
  options: PlaceOptions,
  talk: (client: Client) => Promise<T>,
): Promise<T> {
  const dir = stateDir(options, io);
  let client: Client | null = null;
  try {
    client = createClient(socketOf(dir, io.env), { actor: 'cli' });
    return await talk(client);
  } catch (error) {
    if (!(error instanceof NoDaemon)) throw error;
    throw new CliError(EXIT.no_daemon, `no upkeep runs on ${dir}; ${wayOut(io, options)}`);
  } finally {
    client?.close();
  }
}

/** What to do where none runs: most often a command was given in another folder. */
function wayOut(io: Io, options: PlaceOptions): string {
  const named = options.state ?? io.env['UPKEEP_STATE'] ?? '';
  return named !== '' || hasServiceFile(io)
    ? 'start it with: upkeep up'
    : 'there is no service file here either: go to the folder of one, or name a state folder with --state';
}

/** One JSON document, for `--json`. */
export function jsonDocument(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
