/**
 * `upkeep why SERVICE[/ACTION]`
 */
import type { Identity } from '../../../core/process/identity.ts';
import type { ActionWhy, CheckView, Why } from '../../../core/supervisor/control.ts';
import type { WhyNote } from '../../../core/supervisor/notes.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';
import { chosenActions, parseTarget } from '../target.ts';
import { eventLine, oneLine } from '../text/event_line.ts';
import { type Paint, paintFor, toneOf } from '../text/paint.ts';
import { formatMoment } from '../text/time.ts';
import { wrapTo } from '../text/width.ts';

/** Explains why a service is as it is. */
export async function why(io: Io, target: string, options: CommonOptions): Promise<ExitCode> {
  return withDaemon(io, options, async (client) => {
    const meant = parseTarget(target);
    const whole = await client.call('service.why', { name: meant.service });
    const answer = { ...whole, actions: chosenActions(meant, whole.actions) };
    await io.out(options.json === true ? jsonDocument(answer) : explanation(answer, io, Date.now()));
    return EXIT.done;
  });
}

function explanation(answer: Why, io: Io, now: number): string {
  const paint = paintFor(io);
  const state = paint(toneOf(answer.state), answer.state);
  const head = [
    `${paint('bold', answer.service)} is ${state}, wanted ${answer.wanted}`,
    // Of an only action it says what the action does.
    ...(answer.actions.length > 1 ? [oneLine(answer.summary)] : []),
  ];
  const actions = answer.actions.flatMap((action) => actionLines(action, paint, now));
  const notes = noteLines(answer.notes, '', paint, now);
  const lines = [...head, ...actions, ...(notes.length > 0 ? ['', ...notes] : [])];
  return lines.map((line) => `${wrapTo(line, io.columns)}\n`).join('');
}

function noteLines(notes: readonly WhyNote[], indent: string, paint: Paint, now: number): string[] {
  return notes.flatMap(({ code, message, time, next_step }) => [
    `${indent}${paint('bold', 'note')}  ${paint('dim', formatMoment(time, now))}  ${code}  ${oneLine(message)}`,
    `${indent}  ${paint('cyan', 'next')}: ${oneLine(next_step)}`,
  ]);
}

function actionLines(action: ActionWhy, paint: Paint, now: number): string[] {
  const lines = [
    '',
    `${paint('bold', action.action)}  ${paint(toneOf(action.phase), action.phase)}`,
    `  ${paint('bold', action.code)} (${action.confidence}): ${oneLine(action.message)}`,
  ];
  const evidence = evidenceLines(action.evidence, now);
  if (evidence.length > 0) lines.push('  evidence', ...evidence.map((line) => `    ${line}`));
  if (action.log_tail.length > 0) {
    lines.push(
      '  last lines of its log',
      ...action.log_tail.map((line) => `    ${paint('dim', '|')} ${oneLine(line)}`),
    );
  }
  if (action.events.length > 0) {
    lines.push(
      '  what led to it, the oldest first',
      ...action.events.map((event) => `    ${eventLine(event, now, paint)}`),
    );
  }
  lines.push(...noteLines(action.notes, '  ', paint, now));
  if (action.next_step !== '') lines.push(`  ${paint('cyan', 'next')}: ${oneLine(action.next_step)}`);
  return lines;
}

/** The facts there are, times and processes as people write them; all of them, as they are, are in the JSON. */
function evidenceLines(evidence: ActionWhy['evidence'], now: number): string[] {
  return Object.entries(evidence).flatMap(([key, value]) => {
    if (value === null || value === undefined) return [];
    if (key === 'checks') return (value as CheckView[]).map(checkText);
    return [`${key}: ${factText(key, value, now)}`];
  });
}

function factText(key: string, value: unknown, now: number): string {
  if (typeof value === 'number' && (key === 'since' || key.endsWith('_at'))) return formatMoment(value, now);
  if (key === 'identity') return `pid ${(value as Identity).pid}`;
  return typeof value === 'string' ? oneLine(value) : JSON.stringify(value);
}

function checkText({ type, role, health, message }: CheckView): string {
  return `check ${type} (${role}): ${health}${message === null ? '' : `, ${oneLine(message)}`}`;
}
