/**
 * Serves the app on a port of the loopback, to whoever has a token.
 */
import type { Hono } from 'hono/tiny';
import type { Tokens } from '../../core/access/tokens.ts';
import { createGuard } from './guard.ts';
import { hostOf, hostsOf, type ListenAddress } from './listen_address.ts';
import { createNodeServer } from './node_server.ts';
import { CannotServe, type ServeOptions } from './serving.ts';

/** A server that listens. */
export interface TcpServer {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  /** See `NodeServer`. */
  close(grace: number): Promise<void>;
}

/**
 * Listens.
 *
 * @throws {@link CannotServe} where the port cannot be had.
 */
export async function serveTcp(
  app: Hono,
  listen: ListenAddress,
  options: ServeOptions & { readonly tokens: Pick<Tokens, 'verify'> },
): Promise<TcpServer> {
  const guard = createGuard({
    hosts: hostsOf(listen),
    tokens: options.tokens,
    clock: options.host.clock,
  });
  const { streams, host, limits } = options;
  const { server, close } = createNodeServer((request, env) => {
    const admission = guard(env.incoming, new URL(request.url).pathname);
    if ('refusal' in admission) return admission.refusal;
    return app.fetch(request, { ...env, caller: admission.caller });
  }, limits);
  const { address, port } = listen;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new CannotServe(`cannot listen at ${hostOf(listen)}: ${error.message}`)),
    );
    server.listen({ host: address, port, exclusive: true }, resolve);
  });
  return { url: `http://${hostOf(listen)}`, close: (grace) => close(streams, host.clock, grace) };
}

/**
 * Says that the port can be had, before anything is started.
 *
 * @throws {@link CannotServe}
 */
export async function checkPort(
  listen: ListenAddress,
  { net }: Pick<ServeOptions['host'], 'net'>,
): Promise<void> {
  const outcome = await net.tryBind('tcp', listen.address, listen.port);
  if (outcome !== 'free') throw new CannotServe(`cannot listen at ${hostOf(listen)}: ${outcome}`);
}
