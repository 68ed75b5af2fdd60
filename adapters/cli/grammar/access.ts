/**
 * Commands about who may do what, and who did.
 */
import { Option } from 'commander';
import { SCOPES } from '../../../core/access/scope.ts';
import type { AuditOptions } from '../commands/audit.ts';
import type { TokenCreateOptions } from '../commands/token.ts';
import type { CommonOptions } from '../session.ts';
import { type Grammar, placed } from './grammar.ts';
import { pageSize, span } from './values.ts';

/** Declares `token` and `audit`. */
export function accessCommands({ program, io, ended }: Grammar): void {
  const token = program.command('token').description('make, list and revoke tokens for access over TCP');
  placed(token, 'create <name>', 'make a token and print it, this once only')
    .addOption(new Option('--scope <scope>', 'what it may do').choices(SCOPES).default('read'))
    .option(
      '--expires <time>',
      'for how long it is good, such as 12h or 30d (default: until it is revoked)',
      span,
    )
    .action(async (name: string, options: TokenCreateOptions) =>
      ended(await (await import('../commands/token.ts')).tokenCreate(io, name, options)),
    );
  placed(token, 'list', 'show every token').action(async (options: CommonOptions) =>
    ended(await (await import('../commands/token.ts')).tokenList(io, options)),
  );
  placed(token, 'revoke <token>', 'take a token back, by its name').action(
    async (name: string, options: CommonOptions) =>
      ended(await (await import('../commands/token.ts')).tokenRevoke(io, name, options)),
  );

  placed(program, 'audit', 'show the commands that were given, by whom, and what came of them')
    .option('-n, --lines <count>', 'how many (default: 20)', pageSize)
    .action(async (options: AuditOptions) =>
      ended(await (await import('../commands/audit.ts')).audit(io, options)),
    );
}
