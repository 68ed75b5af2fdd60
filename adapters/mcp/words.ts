/**
 * Answers in words: short, one thing a line, times as ISO 8601 in UTC.
 */
import type { EventRecord } from '../../core/store/records.ts';
import type { ActionView, ActionWhy, HolderView, ServiceView } from '../../core/supervisor/control.ts';
import type { WhyNote } from '../../core/supervisor/notes.ts';
import { clip } from './bounds.ts';
import type { ToolCall } from './next_call.ts';
import { fenced } from './untrusted.ts';

/** How much of what a program may have had a say in stands in a line of ours, in characters. */
const SAID_LIMIT = 300;

/** Without line breaks and control characters, and not too long: it may come from anywhere. */
export function said(text: string): string {
  return clip(text.replaceAll(/\p{Cc}+/gu, ' '), SAID_LIMIT);
}

/** A moment, ms since the epoch, as text. */
export function moment(time: number): string {
  return new Date(time).toISOString();
}

/** `Next: call plan_heal with {"name":"web"}.` */
export function nextLine({ tool, arguments: args }: ToolCall): string {
  return Object.keys(args).length === 0
    ? `Next: call ${tool}.`
    : `Next: call ${tool} with ${JSON.stringify(args)}.`;
}

/** `web: retrying (wanted up)`, and a line for each of its actions. */
export function serviceLines(service: ServiceView): string[] {
  return [`${service.name}: ${service.state} (wanted ${service.wanted})`, ...service.actions.map(actionLine)];
}

function actionLine(action: ActionView): string {
  const parts = [
    `  ${action.action}: ${action.phase}`,
    ...(action.health === 'unknown' ? [] : [action.health]),
    ...(action.pid === null ? [] : [`pid ${action.pid}`]),
    `restart_count ${action.restart_count}`,
    ...(action.attempt > 0 ? [`attempt ${action.attempt}`] : []),
    ...(action.job_id === null ? [] : [`job ${action.job_id}`]),
  ];
  const reason = action.reason === null ? '' : ` (${action.reason.code}: ${said(action.reason.message)})`;
  return `${parts.join(', ')}${reason}`;
}

/** Whether a service is as it should be, in few words. */
export function isWell({ wanted, state }: ServiceView): boolean {
  return wanted === 'up' ? state === 'up' : state === 'down';
}

/** Evidence that is a moment, ms since the epoch. */
const MOMENTS: ReadonlySet<string> = new Set(['since', 'started_at', 'finished_at', 'next_attempt_at']);

/** Why one action is where it is, what led there, and the last lines of its log. */
export function whyLines(service: string, action: ActionWhy): string[] {
  return [
    '',
    `${action.action}: ${action.phase}. ${action.code} (${action.confidence}): ${said(action.message)}`,
    ...Object.entries(action.evidence).flatMap(([key, value]) => evidenceLine(key, value)),
    ...(action.next_step === '' ? [] : [`  next step: ${said(action.next_step)}`]),
    ...noteLines(action.notes),
    ...(action.events.length === 0 ? [] : ['  what led there:', ...action.events.map(chainLine)]),
    ...(action.log_tail.length === 0
      ? []
      : [
          fenced(
            `${service}/${action.action}`,
            action.log_tail.map((line) => clip(line, SAID_LIMIT)),
          ),
        ]),
  ];
}

/** What is not known, and the advice that is given as the next step, is no evidence in words. */
function evidenceLine(key: string, value: unknown): string[] {
  if (value === null || value === undefined || key === 'next') return [];
  const shown = typeof value === 'number' && MOMENTS.has(key) ? moment(value) : JSON.stringify(value);
  return [`  ${key}: ${said(shown)}`];
}

/** Notes, each with what to do about it. */
export function noteLines(notes: readonly WhyNote[]): string[] {
  return notes.map(
    ({ code, message, time, next_step }) =>
      `  note: ${moment(time)} ${code}: ${said(message)} (${said(next_step)})`,
  );
}

function chainLine(event: EventRecord): string {
  return `    ${eventLine(event)}`;
}

/** `#12 2026-11-24T03:12:04.000Z shop/web running → retrying EXITED exited with code 3`. */
export function eventLine(event: EventRecord): string {
  const who = [event.service, event.action].filter((name) => name !== null).join('/');
  const move = [event.from, event.to].filter((phase) => phase !== null);
  return [
    `#${event.seq}`,
    moment(event.time),
    who === '' ? 'upkeep' : who,
    ...(move.length === 0 ? [] : [[...new Set(move)].join(' → ')]),
    event.code,
    said(event.message),
    ...(event.actor === 'core' ? [] : [`(by ${event.actor})`]),
    ...(event.cause === null ? [] : [`(caused by #${event.cause})`]),
  ].join(' ');
}

/** Who holds something, and whether upkeep may do anything about it. */
export function holderLine(holder: HolderView): string {
  const { claim } = holder;
  const what = claim.kind === 'socket' ? claim.path : `${claim.kind} ${holder.address ?? '*'}:${claim.port}`;
  const who = holder.process === null ? 'a process out of sight' : `pid ${holder.process.pid}`;
  const ours = holder.service === null ? '' : `, ${holder.service}/${holder.action ?? ''}`;
  return `${what}: ${who} (${holder.class}${ours}): ${said(holder.command)}`;
}
