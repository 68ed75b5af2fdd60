/**
 * Asking before something is done.
 */
import { CliError, EXIT } from './exit.ts';
import type { Io } from './io.ts';

/**
 * Asks, and says so where the answer is no.
 *
 * @throws {@link CliError} where there is no terminal to ask at.
 */
export async function agreed(io: Io, question: string, json: boolean): Promise<boolean> {
  const answer = json ? null : await io.ask(`${question} [y/N] `);
  if (answer === null) {
    throw new CliError(
      EXIT.usage,
      'nobody can be asked here: give --yes to do it, or --dry-run to look only',
    );
  }
  if (/^y(es)?$/i.test(answer.trim())) return true;
  io.err('nothing was done');
  return false;
}
