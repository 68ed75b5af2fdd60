/**
 * `upkeep token create|list|revoke`
 */
import type { Scope } from '../../../core/access/scope.ts';
import type { OutputOf } from '../../../core/operation/table.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { everyItem } from '../pages.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';
import { paintFor } from '../text/paint.ts';
import { type Cell, formatTable } from '../text/table.ts';
import { formatSpan } from '../text/time.ts';

type Token = OutputOf<'token.list'>['items'][number];

/** The options of `token create`. */
export interface TokenCreateOptions extends CommonOptions {
  readonly scope: Scope;
  /** Ms. */
  readonly expires?: number;
}

const HEADING = ['NAME', 'SCOPE', 'STATE', 'CREATED', 'EXPIRES', 'LAST USED'];

/** Makes a token, and prints it alone, so that a program can take it from there. */
export async function tokenCreate(io: Io, name: string, options: TokenCreateOptions): Promise<ExitCode> {
  return withDaemon(io, options, async (client) => {
    const { scope, expires } = options;
    const answer = await client.call('token.create', {
      name,
      scope,
      ...(expires === undefined ? {} : { expires_in: expires }),
    });
    await io.out(options.json === true ? jsonDocument(answer) : `${answer.secret}\n`);
    if (options.json !== true) io.err('It is shown this once only. Send it as: Authorization: Bearer TOKEN');
    return EXIT.done;
  });
}

/** Shows every token. */
export async function tokenList(io: Io, options: CommonOptions): Promise<ExitCode> {
  return withDaemon(io, options, async (client) => {
    const items = await everyItem(client, 'token.list', {});
    if (options.json === true) {
      await io.out(jsonDocument({ items, next_cursor: null }));
      return EXIT.done;
    }
    const now = Date.now();
    const rows = items.map((token) => row(token, now));
    await io.out(formatTable(HEADING, rows, { paint: paintFor(io), columns: io.columns }));
    return EXIT.done;
  });
}

/** Takes a token back. */
export async function tokenRevoke(io: Io, name: string, options: CommonOptions): Promise<ExitCode> {
  return withDaemon(io, options, async (client) => {
    const token = await client.call('token.revoke', { name });
    await io.out(
      options.json === true ? jsonDocument(token) : `the token '${name}' opens nothing any more\n`,
    );
    return EXIT.done;
  });
}

function row({ name, scope, state, created_at, expires_at, last_used_at }: Token, now: number): Cell[] {
  const tones = { live: 'green', expired: 'dim', revoked: 'red' } as const;
  const ago = (time: number): string => `${formatSpan(now - time)} ago`;
  return [
    { text: name },
    { text: scope },
    { text: state, tone: tones[state] },
    { text: ago(created_at) },
    {
      text:
        expires_at === null
          ? 'never'
          : expires_at > now
            ? `in ${formatSpan(expires_at - now)}`
            : ago(expires_at),
    },
    { text: last_used_at === null ? 'never' : ago(last_used_at) },
  ];
}
