/**
 * What `SERVICE[/ACTION]` means on a command line.
 */
import { nearest } from '../../core/spec/nearest.ts';
import type { ActionView, ServiceView } from '../../core/supervisor/control.ts';
import type { Client } from '../client/client.ts';
import { ClientError } from '../client/errors.ts';
import { CliError, EXIT } from './exit.ts';

/** A job whose log can be read. */
export interface TargetJob {
  readonly service: string;
  readonly action: string;
  readonly id: string;
}

/** A service, and an action where one is named. */
export interface Target {
  readonly service: string;
  readonly action: string | null;
}

/**
 * Reads `SERVICE[/ACTION]`.
 *
 * @example
 * ```ts
 * parseTarget('shop/web'); // { service: 'shop', action: 'web' }
 * ```
 */
export function parseTarget(target: string): Target {
  const at = target.indexOf('/');
  return at < 0
    ? { service: target, action: null }
    : { service: target.slice(0, at), action: target.slice(at + 1) };
}

/**
 * The name of a service, for what can be done with a whole one only.
 *
 * @param verb what is to be done: `restart`.
 * @throws {@link CliError} where an action is named.
 */
export function wholeService(verb: string, target: string): string {
  const { service, action } = parseTarget(target);
  if (action === null) return service;
  throw new CliError(
    EXIT.usage,
    `a service can be told to ${verb} only as a whole: upkeep ${verb} ${service} (an action's process alone: upkeep signal ${target} TERM)`,
  );
}

/**
 * The actions that are meant: the one that is named, or all.
 *
 * @throws {@link CliError} where there is no such action, with the one that was probably meant.
 */
export function chosenActions<T extends { readonly action: string }>(
  { service, action }: Target,
  actions: readonly T[],
): readonly T[] {
  if (action === null) return actions;
  const named = actions.filter((candidate) => candidate.action === action);
  if (named.length > 0) return named;
  const names = actions.map((candidate) => candidate.action);
  const near = nearest(action, names);
  throw new CliError(
    EXIT.not_found,
    `'${service}' has no action '${action}'; ${near === null ? `it has: ${names.join(', ')}` : `did you mean '${near}'?`}`,
  );
}

/** A service as far as it is meant. @throws as {@link chosenActions}, and for a service that is not there. */
export async function chosenService(client: Client, target: string): Promise<ServiceView> {
  const parsed = parseTarget(target);
  const service = await client.call('service.get', { name: parsed.service });
  return { ...service, actions: chosenActions(parsed, service.actions) };
}

/**
 * The jobs that are meant: that of the action, those of all of the service's, or one by its id, of an earlier run too.
 *
 * @throws {@link CliError} where there is no such action, or none was ever started.
 */
export async function chosenJobs(client: Client, target: string): Promise<TargetJob[]> {
  try {
    const { name, actions } = await chosenService(client, target);
    return startedJobs(name, actions);
  } catch (error) {
    const job = await jobById(client, target, error);
    return [{ service: job.service, action: job.action, id: job.id }];
  }
}

/** The job of an id, where what was looked for is no service. @throws `error` where it is no job either. */
async function jobById(client: Client, id: string, error: unknown): Promise<TargetJob> {
  if (!isNotFound(error) || id.includes('/')) throw error;
  try {
    return await client.call('job.get', { id });
  } catch (second) {
    throw isNotFound(second) ? error : second;
  }
}

/** Whether upkeep knows nothing of that name. */
export function isNotFound(error: unknown): boolean {
  return error instanceof ClientError && error.problem.code === 'not_found';
}

function startedJobs(service: string, actions: readonly ActionView[]): TargetJob[] {
  const jobs = actions.flatMap(({ action, job_id }) =>
    job_id === null ? [] : [{ service, action, id: job_id }],
  );
  if (jobs.length === 0) {
    throw new CliError(EXIT.failed, `'${service}' has not been started yet: it has no log`);
  }
  return jobs;
}
