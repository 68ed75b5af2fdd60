/**
 * The operations of an upkeep in another process, over its socket.
 */
import { OperationError } from '../../core/operation/error.ts';
import { checkedInput, refusedReadOnly } from '../../core/operation/invoke.ts';
import type { Client } from '../client/client.ts';
import { BrokenAnswer, ClientError, NoDaemon } from '../client/errors.ts';
import type { ClientActor } from '../http/client_actor.ts';
import type { ProblemCode } from '../http/problem.ts';
import type { Port, PortContext } from './port.ts';

/** Where the upkeep is. */
export interface RemoteOptions {
  /** A client for what `actor` asks. @throws {@link NoDaemon} */
  readonly connect: (actor: ClientActor) => Client;
  /** True to ask for nothing that changes anything, though whoever may open the socket may do everything. */
  readonly read_only: boolean;
  /** What to do where no upkeep runs: one sentence. */
  readonly advice: string;
}

/** The port, and what lets go of its connections. */
export interface RemotePort extends Port {
  close(): void;
}

/**
 * A port that connects with each first need: upkeep may be started after it, end and come back.
 *
 * @example
 * ```ts
 * const port = remotePort({ connect: (actor) => createClient(socket, { actor }), read_only: false, advice: '…' });
 * await port.call('service.list', {}, { actor: 'mcp:inspector', signal });
 * ```
 */
export function remotePort({ connect, read_only, advice }: RemoteOptions): RemotePort {
  const clients = new Map<string, Client>();
  const clientFor = ({ actor }: PortContext): Client => {
    const known = clients.get(actor);
    if (known !== undefined) return known;
    // Ports are used by MCP servers only: who else is there is none of theirs to name.
    const client = connect(actor as ClientActor);
    clients.set(actor, client);
    return client;
  };
  return {
    rights: async (context) => ({
      scope: 'admin',
      read_only: read_only || (await refusesCommands(() => clientFor(context), context.signal)),
    }),
    async call(name, input, context) {
      // Here and not only there: on the way a number in a path becomes text, and would be let through.
      const checked = checkedInput(name, input);
      try {
        return await clientFor(context).call(name, checked as never, { signal: context.signal });
      } catch (error) {
        throw operationError(error, advice);
      }
    },
    // Whoever may open the socket may do everything, but where nothing may be changed at all.
    refuse: async (name) => {
      throw read_only
        ? new OperationError(
            'forbidden',
            `${name} changes something, and this server was started with --read-only`,
          )
        : refusedReadOnly(name);
    },
    async *subscribe(name, input, context) {
      try {
        yield* clientFor(context).subscribe(name, input, { signal: context.signal });
      } catch (error) {
        throw operationError(error, advice);
      }
    },
    close: () => {
      for (const client of clients.values()) client.close();
      clients.clear();
    },
  };
}

/** Whether the upkeep was started with `--read-only`. Where none answers, a call will tell what is the matter. */
async function refusesCommands(connected: () => Client, signal: AbortSignal): Promise<boolean> {
  try {
    return (await connected().call('health.get', {}, { signal })).read_only;
  } catch {
    return false;
  }
}

const CODES: Partial<Record<ProblemCode, OperationError['code']>> = {
  invalid_input: 'invalid_input',
  not_found: 'not_found',
  forbidden: 'forbidden',
  conflict: 'conflict',
  unavailable: 'unavailable',
};

function operationError(error: unknown, advice: string): OperationError {
  if (error instanceof OperationError) return error;
  if (error instanceof NoDaemon) return new OperationError('unavailable', `${error.message}. ${advice}`);
  if (error instanceof BrokenAnswer) return new OperationError('unavailable', error.message);
  if (!(error instanceof ClientError)) {
    return new OperationError('internal', error instanceof Error ? error.message : String(error));
  }
  const { code, detail, issues, suggestion } = error.problem;
  return new OperationError(CODES[code] ?? 'internal', detail, {
    ...(issues !== undefined ? { issues } : {}),
    ...(suggestion !== undefined ? { suggestion } : {}),
  });
}
