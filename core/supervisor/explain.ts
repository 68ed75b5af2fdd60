/**
 * Gathers what an explanation is made from.
 */
import type { AccessControl } from '../access/access_control.ts';
import { type ActionFacts, BEFORE_A_START, healState } from '../heal/facts.ts';
import { inTheWay, type Obstruction } from '../heal/in_the_way.ts';
import { presentReason } from '../health/illness.ts';
import type { Host } from '../host/host.ts';
import type { ReasonCode } from '../job/reason.ts';
import type { Logs } from '../log/mod.ts';
import type { Reaper } from '../process/reaper.ts';
import type { EventRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import { causalChain } from './causal_chain.ts';
import type { ActionWhy } from './control.ts';
import type { JobWatch } from './job_watch.ts';
import type { JobRuntime } from './runtime.ts';
import { explainAction, incarnationOf } from './why.ts';

/** What it is gathered from. */
export interface ExplainPorts {
  readonly host: Host;
  readonly store: Pick<Store, 'events'>;
  readonly logs: Logs;
  readonly reaper: Reaper;
  readonly watch: JobWatch;
  readonly access: Pick<AccessControl, 'redact'>;
  /** What is so of an action right now. */
  look(runtime: JobRuntime): Promise<ActionFacts>;
}

/** How many events of a job are looked at, how many causes and log lines are shown. */
const LOOKED_AT = 50;
const CHAIN = 12;
const LINES = 10;

/** Explains one action from what is known now. */
export async function explainJob(runtime: JobRuntime, ports: ExplainPorts): Promise<ActionWhy> {
  const { host, store, logs, reaper, watch, access } = ports;
  const in_the_way = await presentObstructions(runtime, ports);
  // Only now: the look has taken its time.
  const { job } = runtime;
  const checks = watch.checks(job.id);
  const why = presentReason(job, checks);
  const events = store.events({ job_id: job.id, limit: LOOKED_AT });
  const survivors = reaper.survivors(job.id, job.restart_count).map(({ pid }) => ({
    pid,
    command: access.redact((host.processes.argv(pid) ?? []).join(' ')),
  }));
  return explainAction({
    job,
    process: runtime.spec.process,
    events,
    chain: chainOf(events, why.code, store),
    health: watch.health(job.id),
    checks,
    log_tail: lastLines(logs, runtime, incarnationOf(job, why)).map((line) => access.redact(line)),
    survivors,
    in_the_way,
  });
}

/** A log that cannot be read is no reason to say nothing at all. */
function lastLines(logs: Logs, { log }: JobRuntime, incarnation: number): readonly string[] {
  try {
    return logs.tail(log, incarnation, LINES);
  } catch {
    return [];
  }
}

/** What stands in the way of its next start, where it waits for that; else null. */
async function presentObstructions(
  runtime: JobRuntime,
  { look, access }: ExplainPorts,
): Promise<Obstruction[] | null> {
  const waits = (): boolean => runtime.job.wanted === 'up' && BEFORE_A_START.has(healState(runtime.job));
  if (!waits()) return null;
  const facts = await look(runtime);
  // It may have been started while it was looked at: then what was seen is its own.
  if (!waits()) return null;
  return inTheWay(facts).map(({ what, message, holder }) => ({
    what,
    message: access.redact(message),
    holder: holder === null ? null : { ...holder, command: access.redact(String(holder['command'])) },
  }));
}

/** What led to the last change of phase, or to what is told of the job now, whichever is newer. */
function chainOf(
  events: readonly EventRecord[],
  code: ReasonCode,
  store: Pick<Store, 'events'>,
): EventRecord[] {
  const head = events.findLast((event) => event.code === code || event.from !== event.to) ?? events.at(-1);
  if (head === undefined) return [];
  const known = new Map(events.map((event) => [event.seq, event]));
  return causalChain(head, {
    // One query finds the event of that number, or one that follows it where it is not kept any more.
    lookUp: (seq) =>
      known.get(seq) ?? store.events({ after: seq - 1, limit: 1 }).find((event) => event.seq === seq) ?? null,
    before: ({ seq }) => events.findLast((event) => event.seq < seq) ?? null,
    limit: CHAIN,
  });
}
