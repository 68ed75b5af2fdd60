/**
 * The typed client.
 */
import { type Client, ClientError, type ClientTarget, createClient } from '../../../adapters/client/mod.ts';
import type { Scope } from '../../../core/access/scope.ts';
import { failed } from '../outcome.ts';
import type { World } from '../world.ts';
import type { Face } from './face.ts';
import { unsayable, type Way } from './http_face.ts';

/** The client over one of the two listeners. */
export function clientFace(world: World, way: Way): Face {
  const clients = new Map<Scope, Client>();
  const clientOf = (as: Scope): Client => {
    const target: ClientTarget =
      way === 'unix'
        ? { socket: world.socket }
        : { url: `http://127.0.0.1:${world.port}`, token: world.tokens[as] };
    const client = clients.get(as) ?? createClient(target);
    clients.set(as, client);
    return client;
  };
  return {
    name: `client ${way}`,
    tokens: way === 'tcp',
    async call(operation, input, as) {
      // Its types let nothing of that kind through.
      const unsaid = unsayable(operation, input);
      if (unsaid !== null) return { unsaid };
      try {
        return { answer: await clientOf(as).call(operation, input as never) };
      } catch (error) {
        if (error instanceof ClientError) return failed(error.problem);
        throw error;
      }
    },
    close: () => {
      for (const client of clients.values()) client.close();
    },
  };
}
