/**
 * Where things are: the service file, the state folder, the socket. Worked out alike by the daemon and its clients.
 */
import { realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { instanceName } from '../../core/supervisor/paths.ts';
import { NoDaemon } from '../client/errors.ts';
import { socketPath } from '../http/socket_path.ts';
import { CliError, EXIT } from './exit.ts';
import type { Io } from './io.ts';

/** The names that a service file goes by, in the order in which they are looked for. */
export const SERVICE_FILES = ['upkeep.yaml', 'upkeep.yml', 'upkeep.json'] as const;

/** What the arguments say about the place. */
export interface PlaceOptions {
  readonly file?: string;
  readonly state?: string;
}

type Surroundings = Pick<Io, 'cwd' | 'env'>;

/**
 * The service file that is meant.
 *
 * @returns an absolute path
 * @throws {@link CliError} where there is none.
 */
export function serviceFile(options: PlaceOptions, { cwd }: Surroundings): string {
  const candidates = options.file !== undefined ? [options.file] : SERVICE_FILES;
  const found = candidates.map((name) => resolve(cwd, name)).find(isFile);
  if (found !== undefined) return found;
  throw new CliError(
    EXIT.usage,
    options.file !== undefined
      ? `there is no file ${options.file}`
      : `there is no ${SERVICE_FILES[0]} in ${cwd}; name one with -f FILE`,
  );
}

/** Whether a command that names no file would find one here. */
export function hasServiceFile({ cwd }: Pick<Surroundings, 'cwd'>): boolean {
  return SERVICE_FILES.some((name) => isFile(resolve(cwd, name)));
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/**
 * The state folder that is meant: `--state`, else `UPKEEP_STATE`, else `.upkeep` beside the service file.
 *
 * @returns an absolute path
 */
export function stateDir(options: PlaceOptions, { cwd, env }: Surroundings): string {
  const named = options.state ?? env['UPKEEP_STATE'];
  if (named !== undefined && named !== '') return resolve(cwd, named);
  return join(options.file === undefined ? cwd : dirname(resolve(cwd, options.file)), '.upkeep');
}

/**
 * The socket of the upkeep on a state folder. By its real path, so that it is the same whatever way leads there.
 *
 * @throws {@link NoDaemon} where there is no such folder.
 */
export function socketOf(dir: string, env: Io['env']): string {
  try {
    const real = realpathSync(dir);
    return socketPath(real, instanceName(real), env);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new NoDaemon(dir, { cause: error });
    throw error;
  }
}
