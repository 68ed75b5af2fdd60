/**
 * `upkeep audit`
 */
import type { OutputOf } from '../../../core/operation/table.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';
import { oneLine } from '../text/event_line.ts';
import { paintFor } from '../text/paint.ts';
import { type Cell, formatTable } from '../text/table.ts';

type Entry = OutputOf<'audit.list'>['items'][number];

/** The options of `audit`. */
export interface AuditOptions extends CommonOptions {
  readonly lines?: number;
}

const HEADING = ['TIME', 'OPERATION', 'TARGET', 'ACTOR', 'PRINCIPAL', 'TOOK', 'OUTCOME'];

/** How many are shown where nothing else is asked for. */
const SHOWN = 20;

/** Shows the newest commands, who gave them, and what came of them. */
export async function audit(io: Io, options: AuditOptions): Promise<ExitCode> {
  return withDaemon(io, options, async (client) => {
    const answer = await client.call('audit.list', { limit: options.lines ?? SHOWN });
    const style = { paint: paintFor(io), columns: io.columns, right: ['TOOK'] };
    await io.out(
      options.json === true ? jsonDocument(answer) : formatTable(HEADING, answer.items.map(row), style),
    );
    return EXIT.done;
  });
}

function row(entry: Entry): Cell[] {
  const tones = { done: 'green', refused: 'yellow', failed: 'red' } as const;
  const { outcome, code, duration } = entry;
  return [
    { text: new Date(entry.time).toISOString() },
    { text: entry.operation },
    // It is what somebody sent, whatever that was.
    { text: entry.target === null ? '-' : oneLine(entry.target) },
    { text: oneLine(entry.actor) },
    { text: entry.principal },
    { text: duration === null ? '-' : `${duration.toFixed(1)}ms` },
    { text: code === null ? outcome : `${outcome}: ${code}`, tone: tones[outcome] },
  ];
}
