/**
 * Serves the app on a Unix socket that only its owner can open, from the first instant on.
 */

import type { Server } from 'node:http';
import { dirname } from 'node:path';
import type { Hono } from 'hono/tiny';
import type { Host } from '../../core/host/host.ts';
import { OWNER } from './caller.ts';
import { createNodeServer } from './node_server.ts';
import { CannotServe, type ServeOptions } from './serving.ts';

/** A server that listens. */
export interface UnixServer {
  readonly path: string;
  /** See `closeServer`; the socket is gone then. */
  close(grace: number): Promise<void>;
}

/**
 * Listens at `path`. The caller holds the state folder's lock, so that nobody else serves it.
 *
 * @throws {@link CannotServe} where the folder is not ours alone to write, where something other than a stale
 *   socket is at the path, or where binding fails.
 */
export async function serveUnix(app: Hono, path: string, options: ServeOptions): Promise<UnixServer> {
  const { host, streams, limits } = options;
  checkPlace(path, host.files);
  await removeStale(path, host);

  const { server, close } = createNodeServer(
    (request, env) => app.fetch(request, { ...env, caller: OWNER }),
    limits,
  );
  await listen(server, path);
  host.files.chmodSync(path, 0o600);

  // This also unlinks the socket.
  return { path, close: (grace) => close(streams, host.clock, grace) };
}

/**
 * Refuses a path at which the socket could not be made, so that it is known before anything is started. Nobody else
 * may be able to put something in its place: the folder is made ours alone, or has to be.
 *
 * @throws {@link CannotServe}
 */
export function checkPlace(path: string, files: Host['files']): void {
  const folder = dirname(path);
  files.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = files.statSync(folder);
  if (uid !== process.getuid?.()) throw new CannotServe(`${folder} belongs to another user`);
  if ((mode & 0o022) !== 0) {
    throw new CannotServe(`others may write to ${folder}; chmod 700 it and start again`);
  }
  // lstat and not stat: a link that was planted here is not followed anywhere.
  if (files.lstatSync(path, { throwIfNoEntry: false })?.isSocket() === false) {
    throw new CannotServe(`${path} is no socket; it is left alone`);
  }
}

/** Removes what a daemon that was killed left behind: a socket, and one that nobody answers. */
async function removeStale(path: string, host: Pick<Host, 'files' | 'net'>): Promise<void> {
  const look = () => host.files.lstatSync(path, { throwIfNoEntry: false, bigint: true });
  const before = look();
  if (before === undefined) return;
  const outcome = await host.net.connectUnix(path);
  if (outcome !== 'ECONNREFUSED') throw new CannotServe(`${path} is in use (${outcome})`);
  const after = look();
  if (after === undefined) return;
  if (after.dev !== before.dev || after.ino !== before.ino || after.ctimeNs !== before.ctimeNs) {
    throw new CannotServe(`${path} changed while it was looked at`);
  }
  host.files.unlinkSync(path);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new CannotServe(`cannot listen at ${path}: ${error.message}`)));
    // bind() gives the socket 0777 less the umask. It happens within this call, so that no other code of this
    // process sees the mask, and no other user an open socket, whatever the folder allows.
    const mask = process.umask(0o077);
    try {
      server.listen(path, resolve);
    } finally {
      process.umask(mask);
    }
  });
}
