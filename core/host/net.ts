/**
 * The network: finding out what is free by trying, and asking services how they are.
 *
 * Both looks at what is free take about a tenth of a millisecond. A socket's descriptor is closed before the answer is given, so what
 * was tried can be bound by a program that is spawned right after.
 */
import { createSocket } from 'node:dgram';
import { connect, createServer, isIPv6 } from 'node:net';
import { openConnection } from './connection.ts';
import type { BindOutcome, Net } from './host.ts';
import { requestHttp } from './http_request.ts';
import { unusablePath } from './unix_path.ts';

/** The real network. */
export function nodeNet(): Net {
  return {
    async tryBind(protocol, address, port) {
      const bind = protocol === 'tcp' ? bindTcp : bindUdp;
      if (address !== null) return await bind(address, port);
      // One socket for both families, as most servers open it; it conflicts with holders in either.
      const outcome = await bind('::', port);
      const noIpv6 = outcome === 'EAFNOSUPPORT' || outcome === 'EADDRNOTAVAIL';
      return noIpv6 ? await bind('0.0.0.0', port) : outcome;
    },
    connectUnix,
    connect: openConnection,
    request: requestHttp,
  };
}

function bindTcp(host: string, port: number): Promise<BindOutcome> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(outcomeOf(error)));
    // The kernel tells a listening holder only at listen(), so binding alone would not do.
    server.listen({ host, port, exclusive: true }, () => {
      server.close();
      resolve('free');
    });
  });
}

function bindUdp(address: string, port: number): Promise<BindOutcome> {
  return new Promise((resolve) => {
    const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', reuseAddr: false });
    const finish = (outcome: BindOutcome): void => {
      socket.close();
      resolve(outcome);
    };
    socket.once('error', (error: NodeJS.ErrnoException) => finish(outcomeOf(error)));
    socket.bind({ address, port, exclusive: true }, () => finish('free'));
  });
}

function connectUnix(path: string): Promise<'connected' | (string & {})> {
  const unusable = unusablePath(path);
  if (unusable !== null) return Promise.resolve(unusable);
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(outcomeOf(error)));
    socket.once('connect', () => {
      socket.destroy();
      resolve('connected');
    });
  });
}

function outcomeOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message;
}
