/**
 * Tools on services: what is there, how it is, why, and up, down or anew.
 */
import type { InputOf, OutputOf } from '../../../core/operation/table.ts';
import type { ServiceView } from '../../../core/supervisor/control.ts';
import type { NextCall } from '../../../core/supervisor/next_step.ts';
import { defineTool } from '../tool.ts';
import { isWell, noteLines, said, serviceLines, whyLines } from '../words.ts';

/** How long a command waits where the caller does not say, ms: well within what clients wait for an answer. */
const WAIT = 30_000;

/** Where a service's answer holds what programs said. */
const SAID_BY_SERVICE = ['actions[].reason.message', 'actions[].checks[].message', 'actions[].checks[].data'];

/** What is there. */
export const list = defineTool({
  name: 'list',
  operation: 'service.list',
  title: 'List services',
  description:
    'List every service that upkeep keeps on this machine, with its state: up, starting, degraded, retrying, stopping, down or failed. Begin here. A service that is wanted up and not up is ill: call diagnose for it.',
  defaults: { limit: 100 },
  untrusted: SAID_BY_SERVICE.map((path) => `items[].${path}`),
  list: { keep: () => 'first', cursor: (service: ServiceView) => service.name },
  text: ({ items, next_cursor }) => {
    const ill = items.filter((service) => !isWell(service));
    return [
      `${items.length} ${items.length === 1 ? 'service' : 'services'}; ${ill.length === 0 ? 'all are as they are wanted' : `not as wanted: ${ill.map(({ name }) => name).join(', ')}`}.`,
      ...items.map(
        ({ name, state, wanted, actions }) =>
          `${name}: ${state} (wanted ${wanted})${actions
            .filter(({ reason }) => reason !== null && state !== 'up' && state !== 'down')
            .map(({ action, reason }) => `; ${action}: ${reason?.code}`)
            .join('')}`,
      ),
      ...(next_cursor === null
        ? []
        : [`There are more: call list again with cursor: ${JSON.stringify(next_cursor)}.`]),
    ].join('\n');
  },
  next: ({ items }) => {
    const ill = items.find((service) => !isWell(service));
    return ill === undefined ? null : whyCall(ill.name);
  },
});

/** How one service is. */
export const inspect = defineTool({
  name: 'inspect',
  operation: 'service.get',
  title: 'Inspect a service',
  description:
    'Show one service: its state, and for each of its actions the phase, pid, job id, health checks, restart_count and the reason why it is there. Use it to verify that something worked. For causes and evidence call diagnose; for output call read_logs.',
  untrusted: SAID_BY_SERVICE,
  text: (service) => serviceLines(service).join('\n'),
  next: (service) => (isWell(service) ? null : whyCall(service.name)),
});

/** Why it is so. */
export const diagnose = defineTool({
  name: 'diagnose',
  operation: 'service.why',
  title: 'Diagnose a service',
  description:
    'Explain why a service is as it is: the cause as a reason code, the evidence (exit code, signal, who holds a port with its command line), how certain that is, the last log lines, the events that led there, and the safest next step. Call it first for whatever is not up, before changing anything.',
  untrusted: ['actions[].log_tail', 'actions[].message', 'actions[].evidence', 'actions[].events[].message'],
  text: (why) =>
    [
      // Of a single action its own line says it.
      `${why.service} is ${why.state} (wanted ${why.wanted}).${why.actions.length === 1 ? '' : ` ${said(why.summary)}`}`,
      ...noteLines(why.notes),
      ...why.actions.flatMap((action) => whyLines(why.service, action)),
    ].join('\n'),
  calls: ['next', 'notes[].next', 'actions[].next', 'actions[].notes[].next'],
  next: (why) => why.next,
});

/** Up. */
export const start = defineTool({
  name: 'start',
  operation: 'service.start',
  title: 'Start a service',
  description:
    'Want a service up: what of it does not run is started, and kept up from now on. Waits until it is up, 30 seconds where timeout (ms) is not given. Does nothing to what runs already. If it does not come up, call diagnose.',
  defaults: { wait: true, timeout: WAIT },
  waits: true,
  untrusted: SAID_BY_SERVICE.map((path) => `service.${path}`),
  text: outcome,
  next: afterwards,
});

/** Down. */
export const stop = defineTool({
  name: 'stop',
  operation: 'service.stop',
  title: 'Stop a service',
  description:
    'Want a service down: everything of it is stopped, and stays down until it is started again. This interrupts whoever uses it, so it needs confirm: true. To make a broken service work again use restart, not stop.',
  defaults: { wait: true, timeout: WAIT },
  waits: true,
  untrusted: SAID_BY_SERVICE.map((path) => `service.${path}`),
  text: outcome,
  next: afterwards,
});

/** Anew. */
export const restart = defineTool({
  name: 'restart',
  operation: 'service.restart',
  title: 'Restart a service',
  description:
    'Stop each process of a service and start it again. This interrupts whoever uses it, so it needs confirm: true. Waits until it is up again, 30 seconds where timeout (ms) is not given. Diagnose first: a restart does not help against a held port, a missing program or a bad configuration.',
  defaults: { wait: true, timeout: WAIT },
  waits: true,
  untrusted: SAID_BY_SERVICE.map((path) => `service.${path}`),
  text: outcome,
  next: afterwards,
});

function outcome(
  { service, settled }: OutputOf<'service.start'>,
  { timeout = WAIT }: InputOf<'service.start'>,
): string {
  const well = isWell(service);
  return [
    settled === null
      ? `It is recorded that ${service.name} is wanted ${service.wanted}; nobody waited for it.`
      : settled && well
        ? `${service.name} is ${service.state}, as wanted.`
        : `${service.name} is ${service.state} and not ${service.wanted}${settled ? '' : ` after ${timeout} ms; it goes on in the background`}.`,
    ...serviceLines(service),
  ].join('\n');
}

function afterwards({ service, settled }: OutputOf<'service.start'>): NextCall | null {
  if (settled === null) return { operation: 'service.get', input: { name: service.name } };
  return isWell(service) ? null : whyCall(service.name);
}

function whyCall(name: string): NextCall {
  return { operation: 'service.why', input: { name } };
}
