/**
 * `upkeep plugins`
 */
import type { OutputOf } from '../../../core/operation/table.ts';
import { PERMISSION_KINDS } from '../../../core/plugin/permissions.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';
import { oneLine } from '../text/event_line.ts';
import { paintFor } from '../text/paint.ts';
import { type Cell, formatTable } from '../text/table.ts';

type Plugin = OutputOf<'plugin.list'>['items'][number];

const HEADING = ['KIND', 'NAME', 'SOURCE', 'STATE', 'CALLS', 'FAULTS', 'RESTARTS', 'TOOK', 'REMARK'];

/** Shows every plugin, what it may touch and how it has been doing. */
export async function plugins(io: Io, options: CommonOptions): Promise<ExitCode> {
  return withDaemon(io, options, async (client) => {
    const answer = await client.call('plugin.list', {});
    if (options.json === true) {
      await io.out(jsonDocument(answer));
      return EXIT.done;
    }
    const style = {
      paint: paintFor(io),
      columns: io.columns,
      right: ['CALLS', 'FAULTS', 'RESTARTS', 'TOOK'],
      expendable: ['SOURCE', 'RESTARTS', 'TOOK'],
    };
    await io.out(formatTable(HEADING, answer.items.map(row), style));
    // Said once: it holds for all that do not run in this process.
    const limits = new Set(answer.items.flatMap(({ not_enforced }) => not_enforced));
    for (const limit of limits) await io.out(`\nnot enforced  ${oneLine(limit)}`);
    if (limits.size > 0) await io.out('\n');
    return EXIT.done;
  });
}

function row(plugin: Plugin): Cell[] {
  const tones = {
    built_in: 'dim',
    ready: 'green',
    starting: 'yellow',
    failed: 'red',
    quarantined: 'red',
  } as const;
  return [
    { text: plugin.kind ?? '?' },
    { text: plugin.name ?? '?' },
    { text: plugin.source },
    { text: plugin.state, tone: tones[plugin.state] },
    { text: String(plugin.calls) },
    { text: String(plugin.faults) },
    { text: plugin.service === null ? '-' : String(plugin.restart_count) },
    { text: plugin.last_call_ms === null ? '-' : `${plugin.last_call_ms.toFixed(1)}ms` },
    { text: remark(plugin) },
  ];
}

/** What is wrong with it, or else what it may touch. */
function remark({ state, missing, last_error, granted, summary }: Plugin): string {
  if (missing.length > 0) return `not granted: ${missing.join(', ')}`;
  if (last_error !== null) return oneLine(last_error);
  if (state === 'built_in') return oneLine(summary);
  const grants = PERMISSION_KINDS.flatMap((kind) => granted[kind].map((entry) => `${kind}: ${entry}`));
  return grants.length === 0 ? 'may touch nothing' : `may ${grants.join(', ')}`;
}
