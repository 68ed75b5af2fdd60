/**
 * `upkeep up --listen`: what is checked before anything is started, the listener itself, and the link to it.
 */
import type { Hono } from 'hono/tiny';
import { readTokenFile, renewTokenFile, TokenFileError, tokenFile } from '../../core/access/token_file.ts';
import type { Tokens } from '../../core/access/tokens.ts';
import type { Host } from '../../core/host/host.ts';
import { openStateFolder, StateFolderError } from '../../core/supervisor/paths.ts';
import { hostOf, type ListenAddress } from '../http/listen_address.ts';
import { checkPort, serveTcp, type TcpServer } from '../http/serve_tcp.ts';
import { CannotServe, type ServeOptions } from '../http/serving.ts';
import { CliError, EXIT } from './exit.ts';
import type { Io } from './io.ts';

/** A listener that has all it needs. */
export interface Listener {
  /** Listens. @throws {@link CannotServe} */
  serve(app: Hono, tokens: Tokens, options: ServeOptions): Promise<TcpServer>;
  /** How to come in, for whoever reads the output. */
  link(io: Pick<Io, 'columns'>): string;
}

/**
 * Makes sure of the port and the token before anything is started.
 *
 * @throws {@link CliError}
 */
export async function prepareListener(
  host: Host,
  stateDir: string,
  listen: ListenAddress,
): Promise<Listener> {
  let secret: string;
  let path: string;
  try {
    path = tokenFile(openStateFolder(stateDir, host).dir);
    secret = readTokenFile(path, host.files);
    await checkPort(listen, host);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new CliError(EXIT.failed, error.message);
  }
  return {
    serve: async (app, tokens, options) => {
      // One that was taken back is of no use to its owner, who is told of the next one.
      if (!tokens.adopt(secret)) {
        secret = renewTokenFile(path, host.files);
        tokens.adopt(secret);
      }
      return serveTcp(app, listen, { ...options, tokens });
    },
    link: (io) => pageLink(listen, secret, path, io),
  };
}

/**
 * The link of the web page. What is after `#` is sent to nobody. It is shown on a terminal only: elsewhere the output is
 * kept, in a journal or a log that others may read.
 */
export function pageLink(
  listen: ListenAddress,
  secret: string,
  path: string,
  { columns }: Pick<Io, 'columns'>,
): string {
  const page = `http://${hostOf(listen)}/`;
  return columns === null ? `${page} (its token is in ${path})` : `${page}#token=${secret}`;
}

function isRefusal(error: unknown): error is Error {
  return error instanceof TokenFileError || error instanceof StateFolderError || error instanceof CannotServe;
}
