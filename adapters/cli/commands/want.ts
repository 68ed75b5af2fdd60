/**
 * `upkeep start|stop|restart SERVICE`
 */
import type { ServiceView } from '../../../core/supervisor/control.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { serviceSummary, whileTelling } from '../progress.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';
import { wholeService } from '../target.ts';
import { paintFor, toneOf } from '../text/paint.ts';
import { formatSpan } from '../text/time.ts';
import { whyNot } from '../why_not.ts';

/** How long a command waits where it is not told, ms. */
const DEFAULT_TIMEOUT = 60_000;

/** The options of the three. */
export interface WantOptions extends CommonOptions {
  /** False to return as soon as the wish is recorded. */
  readonly wait: boolean;
  /** Ms. */
  readonly timeout?: number;
}

/** Wants a service up, down, or fresh, and waits until it is so. */
export async function want(
  io: Io,
  verb: 'start' | 'stop' | 'restart',
  target: string,
  options: WantOptions,
): Promise<ExitCode> {
  const { wait, timeout = DEFAULT_TIMEOUT, json = false } = options;
  const name = wholeService(verb, target);
  return withDaemon(io, options, async (client) => {
    const outcome = await whileTelling(io, json || !wait, serviceSummary(client, name), () =>
      client.call(`service.${verb}`, wait ? { name, wait, timeout } : { name }),
    );
    const { service } = outcome;
    if (json) await io.out(jsonDocument(outcome));
    if (wait && !(outcome.settled === true && isAsWanted(service))) {
      throw new CliError(
        EXIT.failed,
        `${name} is ${service.state}${outcome.settled === true ? '' : ` after ${formatSpan(timeout)}`}${await whyNot(client, service)}`,
      );
    }
    if (!json) {
      const state = paintFor(io)(toneOf(service.state), service.state);
      await io.out(
        wait ? `${name} is ${state}\n` : `${name} is wanted ${service.wanted}, and ${state} now\n`,
      );
    }
    return EXIT.done;
  });
}

function isAsWanted({ wanted, state }: ServiceView): boolean {
  return wanted === 'up' ? state === 'up' : state === 'down';
}
