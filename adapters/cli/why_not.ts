/**
 * Why a service is not where it is wanted, in a few lines.
 */
import type { ActionWhy, ServiceView } from '../../core/supervisor/control.ts';
import type { Client } from '../client/client.ts';
import { oneLine } from './text/event_line.ts';

/** The last lines of a log that are shown of each action. */
const LOG_LINES = 3;

/** The phases in which nothing is wrong with an action. */
const FINE: readonly string[] = ['running', 'succeeded', 'stopped'];

/**
 * The cause, what to do and the last words of each action that is not well, each line indented and with a line break
 * before it.
 */
export async function whyNot(client: Client, service: ServiceView): Promise<string> {
  const ill = service.actions
    .filter(({ phase, health }) => !FINE.includes(phase) || health === 'unhealthy')
    .map(({ action }) => action);
  try {
    const { actions } = await client.call('service.why', { name: service.name });
    return actions
      .filter(({ action }) => ill.includes(action))
      .flatMap(linesOf)
      .map((line) => `\n  ${line}`)
      .join('');
  } catch {
    // Gone meanwhile; what is known is told all the same.
    return service.actions
      .filter(({ action, reason }) => ill.includes(action) && reason !== null)
      .map(({ action, reason }) => `\n  ${action}: ${reason?.code}: ${oneLine(reason?.message ?? '')}`)
      .join('');
  }
}

function linesOf({ action, code, message, log_tail, next_step }: ActionWhy): string[] {
  return [
    `${action}: ${code}: ${oneLine(message)}`,
    ...log_tail.slice(-LOG_LINES).map((line) => `  | ${oneLine(line)}`),
    ...(next_step === '' ? [] : [`  next: ${oneLine(next_step)}`]),
  ];
}
