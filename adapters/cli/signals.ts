/**
 * The signals that upkeep answers to.
 */
import { formatIssues } from '../../core/spec/issue.ts';
import type { Supervisor } from '../../core/supervisor/supervisor.ts';

/**
 * Lets SIGINT and SIGTERM end upkeep in order, and SIGHUP read the service file again. A second signal to end never
 * ends anything harder: it says what the first one waits for.
 *
 * @param notice tells people something.
 * @returns what stops answering.
 */
export function answerSignals(
  supervisor: Pick<Supervisor, 'shutdown' | 'waitingFor' | 'reload'>,
  file: string,
  notice: (text: string) => void,
): () => void {
  let ending = false;
  const end = (signal: NodeJS.Signals): void => {
    if (ending) {
      const waiting = supervisor.waitingFor().map((line) => `\n  ${line}`);
      notice(`${signal}: upkeep is ending already; it waits for${waiting.join('') || ' nothing any more'}`);
      return;
    }
    ending = true;
    notice(`${signal}: upkeep stops what it runs, in order; the next start goes on with it`);
    // How it went is told by `stopped`, which the daemon waits for.
    supervisor.shutdown('cli').catch(() => {});
  };
  const reload = async (): Promise<void> => {
    const problem = await reloaded(supervisor, file);
    if (problem === null) notice(`SIGHUP: ${file} was read again`);
    else notice(`SIGHUP: ${file} cannot be used, so nothing is changed\n${problem}`);
  };
  process.on('SIGINT', end).on('SIGTERM', end).on('SIGHUP', reload);
  return () => {
    process.off('SIGINT', end).off('SIGTERM', end).off('SIGHUP', reload);
  };
}

/** What keeps the file from being used; one that is gone or unreadable must not end upkeep. */
async function reloaded(supervisor: Pick<Supervisor, 'reload'>, file: string): Promise<string | null> {
  try {
    const issues = await supervisor.reload('cli');
    return issues === null ? null : formatIssues(issues, file);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
