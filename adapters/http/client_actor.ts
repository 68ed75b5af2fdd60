/**
 * Who calls over HTTP, as the caller says in the header `upkeep-client`. It is believed on a socket of one's own, where
 * there is nobody to deceive.
 */

/** What a client may call itself. */
export type ClientActor = 'cli' | 'http' | `mcp:${string}`;

/** The longest name of an MCP client that is written into events, in characters. */
const NAME_LIMIT = 64;

/**
 * The actor that a request's header names; `http` where it names none that is known.
 *
 * @example
 * ```ts
 * clientActor('mcp:inspector'); // 'mcp:inspector'
 * clientActor('core'); // 'http'
 * ```
 */
export function clientActor(header: string | undefined): ClientActor {
  if (header === 'cli') return 'cli';
  const [, name] = /^mcp:([\w.@/+-]+)$/.exec(header ?? '') ?? [];
  return name !== undefined && name.length <= NAME_LIMIT ? `mcp:${name}` : 'http';
}

/**
 * The actor of an MCP client, by the name that it gives itself: what would not be a plain word is replaced.
 *
 * @example
 * ```ts
 * mcpActor('Claude Code'); // 'mcp:Claude_Code'
 * mcpActor(undefined); // 'mcp:unknown'
 * ```
 */
export function mcpActor(name: string | undefined): `mcp:${string}` {
  const word = (name ?? '').replaceAll(/[^\w.@/+-]+/g, '_').slice(0, NAME_LIMIT);
  return `mcp:${word === '' ? 'unknown' : word}`;
}
