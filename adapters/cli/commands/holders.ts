/**
 * `upkeep holders :PORT|udp:PORT|PATH`
 */
import { resolve } from 'node:path';
import type { InputOf } from '../../../core/operation/table.ts';
import type { HolderView } from '../../../core/supervisor/control.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';
import { oneLine } from '../text/event_line.ts';
import { paintFor } from '../text/paint.ts';
import { type Cell, formatTable } from '../text/table.ts';

/** Shows who holds a port or a socket. */
export async function holders(io: Io, target: string, options: CommonOptions): Promise<ExitCode> {
  const input = claimInput(target, io.cwd);
  return withDaemon(io, options, async (client) => {
    const answer = await client.call('holder.find', input);
    if (options.json === true) {
      await io.out(jsonDocument(answer));
      return EXIT.done;
    }
    await io.out(
      answer.items.length === 0 ? `nobody is seen to hold ${target}\n` : holderTable(answer.items, io),
    );
    if (!answer.complete) io.err('not every process could be looked into: there may be more');
    return EXIT.done;
  });
}

/**
 * Reads `:8080`, `tcp:8080`, `udp:53`, `@abstract` or the path of a socket.
 *
 * @throws {@link CliError}
 */
export function claimInput(target: string, cwd: string): InputOf<'holder.find'> {
  const [, kind, digits] = /^(tcp:|udp:|:)(\d{1,5})$/.exec(target) ?? [];
  if (kind !== undefined) return { [kind === 'udp:' ? 'udp_port' : 'tcp_port']: Number(digits) };
  if (target.startsWith('@')) return { socket: target };
  if (target.includes('/') || target.endsWith('.sock')) return { socket: resolve(cwd, target) };
  throw new CliError(EXIT.usage, `'${target}' is neither a port (:8080, udp:53) nor the path of a socket`);
}

function holderTable(items: readonly HolderView[], io: Io): string {
  const rows = items.map((holder): Cell[] => [
    { text: holder.process === null ? '-' : String(holder.process.pid) },
    { text: holder.class, tone: holder.class === 'managed' ? 'green' : 'yellow' },
    { text: [holder.service, holder.action].filter((name) => name !== null).join('/') || '-' },
    { text: holder.address ?? '-' },
    { text: oneLine(holder.command) },
  ]);
  return formatTable(['PID', 'CLASS', 'OF', 'ADDRESS', 'COMMAND'], rows, {
    paint: paintFor(io),
    columns: io.columns,
    right: ['PID'],
  });
}
