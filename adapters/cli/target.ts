/**
 * What `SERVICE[/ACTION]` means on a command line.
 */
import type { ActionView } from '../../core/supervisor/control.ts';
import type { Client } from '../client/client.ts';
import { CliError, EXIT } from './exit.ts';

/** A job of the run that a service is in. */
export interface TargetJob {
  readonly service: string;
  readonly action: string;
  readonly id: string;
}

/**
 * The jobs that are meant: that of the action, or those of all of the service's.
 *
 * @throws {@link CliError} where there is no such action, or none was ever started.
 */
export async function chosenJobs(client: Client, target: string): Promise<TargetJob[]> {
  const [name = '', action] = target.split('/', 2);
  const { actions } = await client.call('service.get', { name });
  return jobsAmong(name, action, actions);
}

function jobsAmong(service: string, action: string | undefined, actions: readonly ActionView[]): TargetJob[] {
  const named = action === undefined ? actions : actions.filter((candidate) => candidate.action === action);
  if (named.length === 0) {
    const names = actions.map((candidate) => candidate.action).join(', ');
    throw new CliError(EXIT.not_found, `'${service}' has no action '${action ?? ''}'; it has: ${names}`);
  }
  const jobs = named.flatMap(({ action: of, job_id }) =>
    job_id === null ? [] : [{ service, action: of, id: job_id }],
  );
  if (jobs.length === 0)
    throw new CliError(EXIT.failed, `'${service}' has not been started yet: it has no log`);
  return jobs;
}
