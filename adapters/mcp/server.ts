/**
 * An MCP server for one client, made of a face: the low-level server of the SDK, as its high-level one takes no schemas
 * but its own, and knows neither subscriptions nor pages.
 */
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  CallToolRequestSchema,
  type CallToolResult,
  CompleteRequestSchema,
  GetPromptRequestSchema,
  type GetPromptResult,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  type ListToolsResult,
  ReadResourceRequestSchema,
  ResultSchema,
  type ServerNotification,
  type ServerRequest,
  SetLevelRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { Clock } from '../../core/host/host.ts';
import { type Call, type Caller, type Face, INVALID_PARAMS, type JsonObject, ProtocolError } from './face.ts';
import { pageOf } from './list_page.ts';
import { Watcher } from './watcher.ts';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** What a server needs beside the face. */
export interface ServerOptions {
  /** upkeep's own version. */
  readonly version: string;
  readonly clock: Pick<Clock, 'timer'>;
  /** The name of the client where it does not introduce itself: there is no such moment without a session. */
  readonly client?: string;
  /** Whether the client can be told of something that it did not just ask for. */
  readonly lasting: boolean;
  /** Whether the client takes what it is sent. */
  readonly keepsUp?: () => boolean;
  /** Told of each fault of upkeep's own. */
  readonly report: (error: unknown) => void;
  /** Ends the stream of a call that was cancelled, and that nothing is answered to any more. */
  readonly cancelled?: (requestId: string | number) => void;
}

/** How long a person may think about a question, ms. */
const THINKING = 10 * 60_000;

/** The most values that a completion may have by the protocol. */
const COMPLETIONS = 100;

/**
 * A server that is not connected yet.
 *
 * @example
 * ```ts
 * const server = mcpServer(upkeepFace(port), { version: '1.0.0', clock, lasting: true, report });
 * await server.connect(new StdioServerTransport());
 * ```
 */
export function mcpServer(face: Face, options: ServerOptions): Server {
  const { lasting } = options;
  const server = new Server(
    { name: 'upkeep', title: 'upkeep', version: options.version },
    {
      capabilities: {
        // What a client may do is settled before it is connected.
        tools: { listChanged: false },
        resources: lasting ? { subscribe: true, listChanged: true } : {},
        prompts: {},
        completions: {},
        logging: {},
      },
      instructions: face.instructions,
    },
  );
  const client = (): string => server.getClientVersion()?.name ?? options.client ?? 'unknown';
  // A client that has hung up is noticed where it is next read from: what cannot be told to it is not worth a word.
  const told = (telling: Promise<void>): Promise<void> => telling.catch(() => {});
  const watcher = new Watcher(face, options.clock, client, {
    updated: (uri) => void told(server.sendResourceUpdated({ uri })),
    listChanged: () => void told(server.sendResourceListChanged()),
    log: (level, data) =>
      void told(
        server.notification({ method: 'notifications/message', params: { level, logger: 'upkeep', data } }),
      ),
    keepsUp: options.keepsUp ?? (() => true),
  });
  server.onclose = () => watcher.close();

  const caller = (extra: Extra): Caller => ({ client: client(), signal: extra.signal });
  const call = (extra: Extra): Call => callOf(server, extra, caller(extra), watcher);
  /** Only what was meant for the client reaches it. */
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      options.report(error);
      throw new ProtocolError(-32603, "upkeep failed at this; upkeep's own log says why");
    }
  };

  server.setRequestHandler(ListToolsRequestSchema, (_, extra) =>
    // The face's records are the wire's, by structure; the SDK's types say so of looser ones.
    guarded(async () => ({ tools: await face.tools(caller(extra)) }) as unknown as ListToolsResult),
  );
  server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) =>
    guarded(async () => {
      extra.signal.addEventListener('abort', () => options.cancelled?.(extra.requestId));
      const answer = await face.callTool(params.name, params.arguments ?? {}, call(extra));
      return { ...answer } as CallToolResult;
    }),
  );
  server.setRequestHandler(ListResourcesRequestSchema, ({ params }, extra) =>
    guarded(async () => {
      const resources = await face.resources(caller(extra));
      if (lasting) watcher.listed(resources.map(({ uri }) => uri));
      const { items, nextCursor } = pageOf(resources, params?.cursor);
      return { resources: [...items], ...(nextCursor === null ? {} : { nextCursor }) };
    }),
  );
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [...face.templates],
  }));
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }, extra) =>
    guarded(async () => ({ contents: [...(await face.readResource(params.uri, caller(extra)))] })),
  );
  if (lasting) {
    server.setRequestHandler(SubscribeRequestSchema, ({ params }, extra) =>
      guarded(async () => {
        // What is not there cannot change; whoever asks should know.
        await face.readResource(params.uri, caller(extra));
        watcher.subscribe(params.uri);
        return {};
      }),
    );
    server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
      watcher.unsubscribe(params.uri);
      return {};
    });
  }
  server.setRequestHandler(ListPromptsRequestSchema, () => ({
    prompts: face.prompts.map(({ arguments: args, ...prompt }) => ({
      ...prompt,
      ...(args === undefined ? {} : { arguments: [...args] }),
    })),
  }));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }, extra) =>
    guarded(
      async () =>
        ({
          messages: await face.getPrompt(params.name, params.arguments ?? {}, caller(extra)),
        }) as unknown as GetPromptResult,
    ),
  );
  server.setRequestHandler(CompleteRequestSchema, ({ params: { ref, argument } }, extra) =>
    guarded(async () => {
      const values = await face.complete(ref, argument.name, argument.value, caller(extra));
      return {
        completion: {
          values: values.slice(0, COMPLETIONS),
          total: values.length,
          hasMore: values.length > COMPLETIONS,
        },
      };
    }),
  );
  server.setRequestHandler(SetLevelRequestSchema, ({ params }) => {
    // Without a session there is nobody to tell later: it is granted, and means nothing.
    if (lasting) watcher.setLevel(params.level);
    return {};
  });
  return server;
}

/** What a tool may do with its client while it is called. */
function callOf(server: Server, extra: Extra, caller: Caller, watcher: Watcher): Call {
  const progressToken = extra._meta?.progressToken;
  return {
    ...caller,
    progress:
      progressToken === undefined
        ? null
        : (progress, message, total) =>
            extra.sendNotification({
              method: 'notifications/progress',
              params: { progressToken, progress, message, ...(total === undefined ? {} : { total }) },
            }),
    log: async (level, data) => {
      if (!watcher.wants(level)) return;
      await extra.sendNotification({
        method: 'notifications/message',
        params: { level, logger: 'upkeep', data },
      });
    },
    can: (what) => can(server, what),
    ask: async (method, params) => {
      try {
        const request = { method, params } as unknown as ServerRequest;
        return (await extra.sendRequest(request, ResultSchema, {
          timeout: THINKING,
          signal: extra.signal,
        })) as JsonObject;
      } catch (error) {
        throw new ProtocolError(
          INVALID_PARAMS,
          `the client could not be asked: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    },
  };
}

function can(server: Server, what: 'elicitation' | 'sampling'): boolean {
  const capabilities = server.getClientCapabilities();
  if (what === 'sampling') return capabilities?.sampling !== undefined;
  const { elicitation } = capabilities ?? {};
  // One that names no mode can show a form.
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}
