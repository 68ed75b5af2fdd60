/**
 * `upkeep __complete -- WORDS…`: what the completion of a shell asks.
 */
import type { Command } from 'commander';
import { createClient } from '../../client/client.ts';
import { candidatesAt } from '../completion/candidates.ts';
import { cursorIn } from '../completion/cursor.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { socketOf, stateDir } from '../place.ts';
import { oneLine } from '../text/event_line.ts';

/** How long upkeep may take to answer whoever waits with a finger on the key, ms. */
const PATIENCE = 1000;

/** Prints the ways to go on, one a line. Where upkeep does not answer, there are fewer. */
export async function complete(io: Io, program: Command, words: readonly string[]): Promise<ExitCode> {
  const cursor = cursorIn(program, words);
  const options = cursor.state === null ? {} : { state: cursor.state };
  const { candidates, place } = await candidatesAt(cursor, async (questions) => {
    try {
      const client = createClient(socketOf(stateDir(options, io), io.env), {
        actor: 'cli',
        timeout: PATIENCE,
      });
      const answer = await questions(client);
      client.close();
      return answer;
    } catch {
      // There is nobody whom that would help.
      return null;
    }
  });
  const lines = candidates.map(({ text, about }) => `${text}\t${oneLine(about)}\n`);
  await io.out(`${lines.join('')}${place === null ? '' : `:${place}\n`}`);
  return EXIT.done;
}
