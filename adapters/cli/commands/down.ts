/**
 * `upkeep down`
 */
import type { Client } from '../../client/client.ts';
import { BrokenAnswer, ClientError, NoDaemon } from '../../client/errors.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { pause } from '../pause.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';

/** How often it is looked whether the daemon has gone, ms. */
const LOOK_INTERVAL = 50;

/** The look at which it is first asked what it waits for: that costs it a look at every process. */
const FIRST_QUESTION = 20;

/** How many lines of what it waits for are shown. */
const SHOWN = 5;

/** Ends upkeep and what it runs, and returns when it has ended. */
export async function down(io: Io, options: CommonOptions): Promise<ExitCode> {
  return withDaemon(io, options, async (client) => {
    const { pid } = await client.call('health.get', {});
    await client.call('daemon.shutdown', {});
    let question = FIRST_QUESTION;
    for (let look = 1; await answers(client); look++) {
      if (look === question) {
        tellWaiting(io, await waitingFor(client));
        // The longer it takes, the more seldom.
        question *= 2;
      }
      await pause(LOOK_INTERVAL);
    }
    await io.out(options.json === true ? jsonDocument({ pid }) : `upkeep (pid ${pid}) has ended\n`);
    return EXIT.done;
  });
}

async function answers(client: Client): Promise<boolean> {
  try {
    await client.call('health.get', {});
    return true;
  } catch (error) {
    if (error instanceof NoDaemon) return false;
    if (onItsWayOut(error)) return true;
    throw error;
  }
}

/** Asked again, a shutdown tells what it waits for. */
async function waitingFor(client: Client): Promise<readonly string[]> {
  try {
    return (await client.call('daemon.shutdown', {})).waiting_for;
  } catch (error) {
    if (error instanceof NoDaemon || onItsWayOut(error)) return [];
    throw error;
  }
}

/** Its connections and its store go one after another: the next look tells more. */
function onItsWayOut(error: unknown): boolean {
  return error instanceof BrokenAnswer || (error instanceof ClientError && error.status >= 500);
}

function tellWaiting(io: Io, waiting: readonly string[]): void {
  if (waiting.length === 0) return;
  const more = waiting.length > SHOWN ? [`  … and ${waiting.length - SHOWN} more`] : [];
  io.err(['waiting for', ...waiting.slice(0, SHOWN).map((line) => `  ${line}`), ...more].join('\n'));
}
