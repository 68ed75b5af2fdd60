/**
 * `upkeep heal SERVICE [--dry-run | --yes]`
 */
import type { HealPlan, HealResult } from '../../../core/heal/heal_control.ts';
import type { Client } from '../../client/client.ts';
import { agreed } from '../confirm.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { serviceSummary, startTelling } from '../progress.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';
import { wholeService } from '../target.ts';
import { eventLine, oneLine } from '../text/event_line.ts';
import { type Paint, paintFor, type Tone } from '../text/paint.ts';

/** How long a service may take to become well where nothing else is said, ms. */
const DEFAULT_TIMEOUT = 60_000;

/** The options of `heal`. */
export interface HealOptions extends CommonOptions {
  /** True to show the plan and do nothing. */
  readonly dryRun?: boolean;
  /** True to do it without asking. */
  readonly yes?: boolean;
  /** Ms. */
  readonly timeout?: number;
}

/**
 * Shows what would make a service well, asks, does it, and tells whether it has helped.
 *
 * @throws {@link CliError} where nobody can be asked, or it has not helped.
 */
export async function heal(io: Io, target: string, options: HealOptions): Promise<ExitCode> {
  const { dryRun = false, yes = false, json = false } = options;
  if (dryRun && yes) throw new CliError(EXIT.usage, '--dry-run and --yes exclude each other');
  const name = wholeService('heal', target);
  return withDaemon(io, options, async (client) => {
    // The operation answers a dry run with a plan, and everything else with a result.
    const plan = (await client.call('service.heal', { name, dry_run: true })) as HealPlan;
    const paint = paintFor(io);
    if (!json) await io.out(planText(plan, paint));
    else if (dryRun) await io.out(jsonDocument(plan));
    if (dryRun) return EXIT.done;
    if (!yes && plan.steps.length > 0 && !(await agreed(io, `Heal ${name}?`, json))) return EXIT.failed;

    const timeout = options.timeout ?? DEFAULT_TIMEOUT;
    const result = await whileTelling(io, client, plan, json, async () => {
      const applied = await client.call('service.heal', { name, plan_id: plan.id, timeout });
      return applied as HealResult;
    });
    if (json) await io.out(jsonDocument(result));
    if (result.outcome === 'not_healed') {
      throw new CliError(EXIT.failed, `${name} is not healed: ${oneLine(result.verification.message)}`);
    }
    if (!json) await io.out(`${paint('green', result.outcome)}: ${oneLine(result.verification.message)}\n`);
    return EXIT.done;
  });
}

/** Prints what happens to the service while `work` goes on. */
async function whileTelling<T>(
  io: Io,
  client: Client,
  { service, steps }: HealPlan,
  json: boolean,
  work: () => Promise<T>,
): Promise<T> {
  if (json || steps.length === 0) return work();
  const { items } = await client.call('event.list', { limit: 1 });
  const ended = new AbortController();
  const last = items.at(-1)?.seq ?? 0;
  // Lines that nobody watches need no more than the events.
  const inPlace = io.live === null ? null : startTelling(io, serviceSummary(client, service));
  const telling = tellEvents(io, client, service, last, ended.signal);
  try {
    return await work();
  } finally {
    inPlace?.end();
    // What has happened before the answer was sent is in the store: it is told before this returns.
    const { items: until } = await client.call('event.list', { service, limit: 1 });
    await telling.caughtUp(until.at(-1)?.seq ?? last);
    ended.abort();
  }
}

function tellEvents(
  io: Io,
  client: Client,
  service: string,
  after: number,
  signal: AbortSignal,
): { caughtUp(seq: number): Promise<void> } {
  let seen = after;
  let wake: () => void = () => {};
  const paint = paintFor(io);
  const done = (async () => {
    for await (const event of client.subscribe('event.stream', { service, after }, { signal })) {
      await io.out(`  ${eventLine(event, Date.now(), paint)}\n`);
      seen = event.seq;
      wake();
    }
  })().catch(() => {
    // What cannot be told is in the answer all the same.
    seen = Number.POSITIVE_INFINITY;
    wake();
  });
  return {
    caughtUp: async (seq) => {
      while (seen < seq) {
        const next = new Promise<void>((resolve) => {
          wake = resolve;
        });
        await Promise.race([next, done]);
      }
    },
  };
}

const RISK_TONES: Readonly<Record<HealPlan['risk'], Tone>> = {
  none: 'dim',
  low: 'green',
  medium: 'yellow',
  high: 'red',
};

function planText({ service, summary, risk, steps, blocked }: HealPlan, paint: Paint): string {
  if (steps.length === 0 && blocked.length === 0) return `${oneLine(summary)}\n`;
  const lines = [`${paint('bold', service)}  risk ${paint(RISK_TONES[risk], risk)}`];
  for (const [index, { action, description, requires }] of steps.entries()) {
    const allowed = requires === null ? '' : paint('dim', ` (allowed by ${requires})`);
    lines.push(`  ${index + 1}. ${action}: ${oneLine(description)}${allowed}`);
  }
  for (const { action, reason, grant, instead } of blocked) {
    lines.push(`  ${paint('red', 'blocked')}  ${action}: ${reason.code}: ${oneLine(reason.message)}`);
    if (grant !== null) lines.push(`    ${paint('cyan', 'would be allowed by')} ${oneLine(grant)}`);
    for (const way of instead) lines.push(`    ${paint('cyan', 'instead')} ${oneLine(way)}`);
  }
  return `${lines.join('\n')}\n`;
}
