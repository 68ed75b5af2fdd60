/**
 * `upkeep signal SERVICE[/ACTION] SIGNAL`
 */
import { SENDABLE_SIGNALS, type SendableSignal } from '../../../core/supervisor/signal_job.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';
import { chosenJobs } from '../target.ts';

/** Sends a signal to the main process of an action. */
export async function signal(
  io: Io,
  target: string,
  name: string,
  options: CommonOptions,
): Promise<ExitCode> {
  const wanted = signalNamed(name);
  return withDaemon(io, options, async (client) => {
    const jobs = await chosenJobs(client, target);
    const [job, ...others] = jobs;
    if (job === undefined || others.length > 0) {
      const names = jobs.map(({ action }) => `${target}/${action}`).join(', ');
      throw new CliError(EXIT.usage, `'${target}' has several actions; name one: ${names}`);
    }
    const answer = await client.call('job.signal', { id: job.id, signal: wanted });
    if (options.json === true) await io.out(jsonDocument(answer));
    else await io.out(`${wanted} was sent to ${job.service}/${job.action} (pid ${answer.process.pid})\n`);
    return EXIT.done;
  });
}

/** `HUP`, `hup` and `SIGHUP` are the same. */
function signalNamed(name: string): SendableSignal {
  const full = name.toUpperCase().replace(/^(?!SIG)/, 'SIG');
  const found = SENDABLE_SIGNALS.find((candidate) => candidate === full);
  if (found !== undefined) return found;
  throw new CliError(
    EXIT.usage,
    `the signal must be one of ${SENDABLE_SIGNALS.map((one) => one.slice(3)).join(', ')}: current value is ${name}`,
  );
}
