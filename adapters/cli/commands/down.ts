/**
 * `upkeep down`
 */
import type { Client } from '../../client/client.ts';
import { BrokenAnswer, ClientError, NoDaemon } from '../../client/errors.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { pause } from '../pause.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';

/** How often the daemon is asked what it still waits for, ms. */
const LOOK_INTERVAL = 100;

/** Ends upkeep and what it runs, and returns when it has ended. */
export async function down(io: Io, options: CommonOptions): Promise<ExitCode> {
  return withDaemon(io, options, async (client) => {
    const { pid } = await client.call('health.get', {});
    let told = '';
    for (let waiting = await shutdown(client); waiting !== null; waiting = await shutdown(client)) {
      const news = waiting.join('\n');
      if (news !== '' && news !== told)
        io.err(`waiting for\n${waiting.map((line) => `  ${line}`).join('\n')}`);
      told = news;
      await pause(LOOK_INTERVAL);
    }
    await io.out(options.json === true ? jsonDocument({ pid }) : `upkeep (pid ${pid}) has ended\n`);
    return EXIT.done;
  });
}

/** Asks for a shutdown, first or again; null where nobody is there any more. */
async function shutdown(client: Client): Promise<readonly string[] | null> {
  try {
    return (await client.call('daemon.shutdown', {})).waiting_for;
  } catch (error) {
    if (error instanceof NoDaemon) return null;
    // It was on its way out when it was asked: the next look tells.
    if (error instanceof BrokenAnswer || (error instanceof ClientError && error.status >= 500)) return [];
    throw error;
  }
}
