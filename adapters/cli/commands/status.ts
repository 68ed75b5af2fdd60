/**
 * `upkeep status [SERVICE[/ACTION]]`
 */
import type { ActionView, CheckView, ServiceView } from '../../../core/supervisor/control.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { everyItem } from '../pages.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';
import { chosenService } from '../target.ts';
import { oneLine } from '../text/event_line.ts';
import { paintFor, toneOf } from '../text/paint.ts';
import { type Cell, formatTable } from '../text/table.ts';
import { formatSpan } from '../text/time.ts';

const HEADING = ['SERVICE/ACTION', 'STATE', 'PID', 'UPTIME', 'RESTARTS', 'ATTEMPT', 'REASON'];

/** Shows what every service is at, or one. */
export async function status(io: Io, target: string | undefined, options: CommonOptions): Promise<ExitCode> {
  return withDaemon(io, options, async (client) => {
    if (target !== undefined) {
      const service = await chosenService(client, target);
      await io.out(
        options.json === true ? jsonDocument(service) : statusTable([service], io) + checksTable(service, io),
      );
      return EXIT.done;
    }
    const items = await everyItem(client, 'service.list', {});
    await io.out(options.json === true ? jsonDocument({ items, next_cursor: null }) : statusTable(items, io));
    if (items.length === 0 && options.json !== true) io.err('there are no services');
    const { store } = await client.call('health.get', {});
    if (store !== null) io.err(`upkeep: ${store.code}: ${oneLine(store.message)}`);
    return EXIT.done;
  });
}

function statusTable(services: readonly ServiceView[], io: Io): string {
  const now = Date.now();
  const rows = services.flatMap((service) => service.actions.map((action) => row(service, action, now)));
  return formatTable(HEADING, rows, {
    paint: paintFor(io),
    columns: io.columns,
    right: ['PID', 'UPTIME', 'RESTARTS', 'ATTEMPT'],
    expendable: ['ATTEMPT', 'UPTIME'],
  });
}

const CHECKS_HEADING = ['ACTION', 'CHECK', 'ROLE', 'HEALTH', 'LAST LOOK', 'TOOK', 'SAID'];

/** The health checks of one service, below an empty line; nothing where it has none. */
function checksTable({ actions }: ServiceView, io: Io): string {
  const now = Date.now();
  const rows = actions.flatMap(({ action, checks }) => checks.map((check) => checkRow(action, check, now)));
  if (rows.length === 0) return '';
  const style = { paint: paintFor(io), columns: io.columns, right: ['LAST LOOK', 'TOOK'] };
  return `\n${formatTable(CHECKS_HEADING, rows, style)}`;
}

function checkRow(action: string, check: CheckView, now: number): Cell[] {
  const looked = check.looked_at === null ? '-' : `${formatSpan(now - check.looked_at)} ago`;
  const tone = { healthy: 'green', unhealthy: 'red', unknown: 'dim' } as const;
  return [
    { text: action },
    { text: check.type },
    { text: check.role },
    { text: check.health, tone: tone[check.health] },
    { text: looked },
    { text: check.duration === null ? '-' : `${Math.round(check.duration)}ms` },
    { text: check.status === null ? '' : `${check.status}: ${oneLine(check.message ?? '')}` },
  ];
}

function row(service: ServiceView, action: ActionView, now: number): Cell[] {
  const running = action.pid !== null && action.started_at !== null;
  const wait =
    action.next_attempt_at === null ? '' : ` (again in ${formatSpan(action.next_attempt_at - now)})`;
  return [
    { text: `${service.name}/${action.action}` },
    action.health === 'unhealthy'
      ? { text: `${action.phase}, unhealthy`, tone: 'red' }
      : { text: action.phase, tone: toneOf(action.phase) },
    { text: action.pid === null ? '-' : String(action.pid) },
    { text: running ? formatSpan(now - (action.started_at ?? now)) : '-' },
    { text: String(action.restart_count) },
    { text: String(action.attempt) },
    {
      text:
        action.reason === null
          ? ''
          : `${about(action)}${action.reason.code}${wait}: ${oneLine(action.reason.message)}`,
    },
  ];
}

/** What runs was started for a reason that is over. */
function about({ phase, reason, restart_count }: ActionView): string {
  const started = phase === 'running' || phase === 'starting';
  const itself = reason?.code === 'REQUESTED' || reason?.code === 'ADOPTED';
  return started && restart_count > 0 && !itself ? 'restarted after ' : '';
}
