/**
 * What an MCP server offers, as plain data and functions that know nothing of the protocol's library: the server is
 * made of one of these, upkeep's own or a test's.
 */

/** JSON data. */
export type JsonObject = { readonly [key: string]: unknown };

/** How grave a log message is, as the protocol counts it. */
export const LOG_LEVELS = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
] as const;

/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What is shown or embedded: the protocol's content blocks as they are on the wire. */
export type Content =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image' | 'audio'; readonly data: string; readonly mimeType: string }
  | { readonly type: 'resource'; readonly resource: ResourceContents };

/** A tool as it is listed. */
export interface ToolListing {
  readonly name: string;
  readonly title?: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
  readonly outputSchema?: JsonObject;
  readonly annotations?: {
    readonly title?: string;
    readonly readOnlyHint?: boolean;
    readonly destructiveHint?: boolean;
    readonly idempotentHint?: boolean;
    readonly openWorldHint?: boolean;
  };
}

/** What a tool answers. */
export interface ToolAnswer {
  readonly content: readonly Content[];
  readonly structuredContent?: JsonObject;
  readonly isError?: boolean;
  readonly _meta?: JsonObject;
}

/** A resource as it is listed. */
export interface ResourceListing {
  readonly uri: string;
  readonly name: string;
  readonly title?: string;
  readonly description: string;
  readonly mimeType: string;
}

/** A family of resources. */
export interface TemplateListing {
  readonly uriTemplate: string;
  readonly name: string;
  readonly title?: string;
  readonly description: string;
  readonly mimeType: string;
}

/** What is in a resource. */
export type ResourceContents =
  | { readonly uri: string; readonly mimeType: string; readonly text: string }
  | { readonly uri: string; readonly mimeType: string; readonly blob: string };

/** A prompt as it is listed. */
export interface PromptListing {
  readonly name: string;
  readonly title?: string;
  readonly description: string;
  readonly arguments?: readonly {
    readonly name: string;
    readonly description: string;
    readonly required?: boolean;
  }[];
}

/** One message of a prompt. */
export interface PromptMessage {
  readonly role: 'user' | 'assistant';
  readonly content: Content;
}

/** What an argument is completed for. */
export type CompletionTarget =
  | { readonly type: 'ref/prompt'; readonly name: string }
  | { readonly type: 'ref/resource'; readonly uri: string };

/** Who asks, and until when. */
export interface Caller {
  /** The client's name, made safe to be written anywhere. */
  readonly client: string;
  /** Aborts when the answer is no longer wanted. */
  readonly signal: AbortSignal;
}

/** A tool call under way, and what the tool may do with the client meanwhile. */
export interface Call extends Caller {
  /** Tells how far it is; null where the client did not ask to be told. `at` rises each time. */
  readonly progress: ((at: number, message: string, total?: number) => Promise<void>) | null;
  log(level: LogLevel, data: unknown): Promise<void>;
  /** Whether the client can be asked. */
  can(what: 'elicitation' | 'sampling'): boolean;
  /** Asks the client something, and waits for as long as the call lasts. */
  ask(method: string, params: JsonObject): Promise<JsonObject>;
}

/** Something has happened. */
export interface News {
  /** The resources that are not any more what they were. */
  readonly uris: readonly string[];
  /** Whether resources may have come or gone with it. */
  readonly relisted: boolean;
  readonly level: LogLevel;
  readonly data: JsonObject;
}

/** Thrown where the protocol wants an error and not an answer that says so. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  /** The JSON-RPC code. */
  readonly code: number;
  readonly data: JsonObject | undefined;

  constructor(code: number, message: string, data?: JsonObject) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** JSON-RPC: the parameters name something that there is not, or are no parameters. */
export const INVALID_PARAMS = -32602;

/** MCP: there is no such resource. */
export const RESOURCE_NOT_FOUND = -32002;

/** Everything that a server offers. */
export interface Face {
  /** What a model is told about the server as a whole. */
  readonly instructions: string;
  tools(caller: Caller): Promise<readonly ToolListing[]>;
  /** @throws {@link ProtocolError} for a tool that there is not; everything else is an answer. */
  callTool(name: string, args: JsonObject, call: Call): Promise<ToolAnswer>;
  /** All of them; the server cuts pages. */
  resources(caller: Caller): Promise<readonly ResourceListing[]>;
  readonly templates: readonly TemplateListing[];
  /** @throws {@link ProtocolError} */
  readResource(uri: string, caller: Caller): Promise<readonly ResourceContents[]>;
  readonly prompts: readonly PromptListing[];
  /** @throws {@link ProtocolError} */
  getPrompt(
    name: string,
    args: Readonly<Record<string, string>>,
    caller: Caller,
  ): Promise<readonly PromptMessage[]>;
  /** Every value that fits, the most likely first. */
  complete(
    target: CompletionTarget,
    argument: string,
    value: string,
    caller: Caller,
  ): Promise<readonly string[]>;
  /** Follows what happens; may end, and is then begun again. */
  news(caller: Caller): AsyncIterable<News>;
  /** Follows one resource of which the news says nothing; null where the news is enough. */
  changes(uri: string, caller: Caller): AsyncIterable<unknown> | null;
}
