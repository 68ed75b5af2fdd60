/**
 * Plugins in processes of their own, as the ports of core that the built-in ones fill too.
 */
import * as v from 'valibot';
import type { Clock, Host } from '../../host/host.ts';
import { claimKey } from '../../reclaim/claim.ts';
import type { HealthCheck } from '../health_check.ts';
import type { LogFacts, LogRotator, RotationDecision } from '../log_rotator.ts';
import type { Notifier } from '../notifier.ts';
import type { Probe } from '../probe.ts';
import { provenAnswer } from '../probe_port.ts';
import {
  availableSchema,
  healthResultSchema,
  holdersSchema,
  nothingSchema,
  rotationSchema,
} from './answer_schemas.ts';
import type { PluginDescription } from './boot.ts';
import { PluginFault } from './link.ts';
import { PluginUnavailable, type RemotePlugin } from './remote_plugin.ts';

/** What the service file is checked against: its own process checks the rest. */
const OPEN = { options: v.strictObject({}), open_options: true } as const;

/** Ms that a probe may take. Less than those who ask wait for it, so that it is known to be at fault. */
const PROBE_DEADLINE = 4_000;
const DECIDE_DEADLINE = 2_000;

/** A probe. One that is on its way or at fault is not available: reclaim falls back at once. */
export function remoteProbe(
  plugin: RemotePlugin,
  { name }: PluginDescription,
  options: () => Readonly<Record<string, unknown>>,
): Probe {
  return {
    name,
    // Whoever asks remembers the answer.
    async available() {
      if (plugin.state !== 'ready') return false;
      return plugin.call('available', [], availableSchema, { deadline: PROBE_DEADLINE });
    },
    async holders(query, host) {
      const begun = host.clock.wall();
      const asked = new Map(query.claims.map((claim) => [claimKey(claim), claim]));
      const found = await plugin.call('holders', [query, options()], holdersSchema, {
        deadline: PROBE_DEADLINE,
      });
      // What was not asked about is not believed.
      const holders = found.holders.flatMap((holder) => {
        const claim = asked.get(claimKey(holder.claim));
        return claim === undefined ? [] : [{ ...holder, claim }];
      });
      return provenAnswer({ holders, complete: found.complete }, begun, host);
    },
  };
}

/** A health check. Whatever is wrong with the plugin throws, so that the result is unknown and never a failed look. */
export function remoteHealthCheck(
  plugin: RemotePlugin,
  { name, summary }: PluginDescription,
): HealthCheck & typeof OPEN {
  return {
    name,
    summary,
    ...OPEN,
    look: (options, { job, readLog, signal }) =>
      plugin.call('check', [options, job], healthResultSchema, { readLog, signal }),
  };
}

/**
 * What stands for a check that the service file names and no plugin has that could be loaded: it never can look.
 *
 * @param why the plugins that could not be loaded.
 */
export function missingHealthCheck(name: string, why: () => string): HealthCheck & typeof OPEN {
  return {
    name,
    summary: 'Of a plugin that could not be loaded.',
    ...OPEN,
    look: () =>
      Promise.reject(new PluginUnavailable(`no plugin that is loaded has the check '${name}' (${why()})`)),
  };
}

/** A notifier. */
export function remoteNotifier(
  plugin: RemotePlugin,
  { name, summary }: PluginDescription,
): Notifier & typeof OPEN {
  return {
    name,
    summary,
    ...OPEN,
    async notify(event, options, signal) {
      await plugin.call('notify', [event, options], nothingSchema, { signal });
    },
  };
}

/** Bytes that a segment has at least, whatever a plugin says: a log is not to be cut into crumbs. */
const SMALLEST_SEGMENT = 4_096;
const KEEP: RotationDecision = { action: 'keep' };

/** What a rotator said, and of how large a log. */
interface Answer {
  readonly decision: RotationDecision;
  readonly size: number;
}

/** Logs whose answers are kept. */
const MOST_ANSWERS = 4_096;

/**
 * A rotator. It is asked on the restart path, which waits for nobody: the answer is what the plugin said at the last
 * look at the same log, and it is asked anew in the background. A log that was never looked at is kept as it is.
 */
export function remoteRotator(
  plugin: RemotePlugin,
  { name, summary }: PluginDescription,
  clock: Clock,
): LogRotator & typeof OPEN {
  const answers = new Map<string, Answer>();
  const asking = new Set<string>();

  const ask = (facts: LogFacts, options: Readonly<Record<string, unknown>>): void => {
    const key = keyOf(facts, options);
    if (plugin.unavailable !== null || asking.has(key)) return;
    asking.add(key);
    plugin
      .call('decide', [facts, options], rotationSchema, { deadline: DECIDE_DEADLINE })
      .then((decision) => {
        // The oldest goes first, as a map keeps the order in which its keys came.
        const [oldest] = answers.keys();
        if (answers.size >= MOST_ANSWERS && oldest !== undefined) answers.delete(oldest);
        answers.set(key, { decision, size: facts.size });
      })
      // It is counted where it happened, and a log that nobody decides on is kept.
      .catch(() => {})
      .finally(() => asking.delete(key));
  };

  return {
    name,
    summary,
    ...OPEN,
    decide(facts, written) {
      const { type: _, ...options } = written;
      const key = keyOf(facts, options);
      const known = answers.get(key);
      // It was about a log of that size, which only grows until it is cut.
      const answer = known !== undefined && facts.size >= known.size ? known.decision : KEEP;
      if (facts.occasion === 'look') {
        ask(facts, options);
        // What it would say if the job were started again now: then there is no time to ask.
        if (!isEndless(facts)) ask({ ...facts, occasion: 'restart', now: clock.wall() }, options);
      }
      if (answer.action === 'keep') return answer;
      return { action: 'rotate', bytes: Math.max(answer.bytes, SMALLEST_SEGMENT) };
    },
  };
}

/** Of logs of one job each begins at another time; an endless one stands for none. */
function keyOf(facts: LogFacts, options: Readonly<Record<string, unknown>>): string {
  const log = isEndless(facts) ? 'endless' : facts.begun_at;
  return `${facts.occasion} ${log} ${JSON.stringify(options)}`;
}

/** How upkeep asks what size segments would have. */
function isEndless({ size }: LogFacts): boolean {
  return size === Number.MAX_SAFE_INTEGER;
}

/** Why a call could not be answered is the plugin's fault, and not a fact about what it was asked. */
export function isPluginsFault(error: unknown): boolean {
  return error instanceof PluginFault || error instanceof PluginUnavailable;
}

/** A plugin as one of the ports, by its kind. */
export type Entry =
  | { readonly kind: 'probe'; readonly port: Probe }
  | { readonly kind: 'health'; readonly port: HealthCheck }
  | { readonly kind: 'rotate'; readonly port: LogRotator }
  | { readonly kind: 'notify'; readonly port: Notifier };

/**
 * The port of a plugin.
 *
 * @param options what a probe is asked with; they may change.
 */
export function entryOf(
  plugin: RemotePlugin,
  description: PluginDescription,
  options: () => Readonly<Record<string, unknown>>,
  { clock }: Pick<Host, 'clock'>,
): Entry {
  switch (description.kind) {
    case 'probe':
      return { kind: 'probe', port: remoteProbe(plugin, description, options) };
    case 'health':
      return { kind: 'health', port: remoteHealthCheck(plugin, description) };
    case 'rotate':
      return { kind: 'rotate', port: remoteRotator(plugin, description, clock) };
    case 'notify':
      return { kind: 'notify', port: remoteNotifier(plugin, description) };
  }
}
