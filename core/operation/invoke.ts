/**
 * The one way in: whatever face a call comes through, it is checked, allowed, run and its failure named here.
 */
import * as v from 'valibot';
import { type Control, NotFound } from '../supervisor/control.ts';
import { Conflict, InvalidSpec, Unavailable } from '../supervisor/refusal.ts';
import { OperationError } from './error.ts';
import { inputIssues } from './input_issue.ts';
import { type Operation, type OperationContext, SCOPES } from './operation.ts';
import { OPERATIONS, type OperationName, type OutputOf, type SubscriptionName } from './table.ts';

/** What `invoke` gives: the answer, or the items of a subscription. */
export type ResultOf<N extends OperationName> = N extends SubscriptionName
  ? AsyncIterable<OutputOf<N>>
  : OutputOf<N>;

/**
 * Calls an operation.
 *
 * @param raw the input as it came; nothing is known of it.
 * @returns the answer, or for a subscription its items, which begin when they are read.
 * @throws {@link OperationError}, and nothing else; so does reading a subscription.
 *
 * @example
 * ```ts
 * await invoke(control, 'service.restart', { name: 'web', wait: true }, { actor: 'cli', scope: 'operate', signal });
 * ```
 */
export async function invoke<N extends OperationName>(
  control: Control,
  name: N,
  raw: unknown,
  context: OperationContext,
): Promise<ResultOf<N>> {
  const operation: Operation = OPERATIONS[name];
  if (SCOPES.indexOf(context.scope) < SCOPES.indexOf(operation.scope)) {
    throw new OperationError('forbidden', `${name} needs the scope '${operation.scope}'`);
  }
  const input = v.safeParse(operation.input, raw);
  if (!input.success) {
    const issues = inputIssues(input.issues);
    const faults = issues.map(({ path, message }) =>
      path === '' ? `the input ${message}` : `${path} ${message}`,
    );
    throw new OperationError('invalid_input', `${name}: ${faults.join('; ')}`, { issues });
  }
  try {
    const result =
      operation.kind === 'subscription'
        ? namingFailures(operation.run(control, input.output, context))
        : await operation.run(control, input.output, context);
    // The table pairs each name with its output; the lookup by a generic name loses that.
    return result as ResultOf<N>;
  } catch (error) {
    throw operationError(error);
  }
}

async function* namingFailures<T>(items: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  try {
    yield* items;
  } catch (error) {
    throw operationError(error);
  }
}

function operationError(error: unknown): OperationError {
  if (error instanceof OperationError) return error;
  if (error instanceof NotFound) return new OperationError('not_found', error.message, { cause: error });
  if (error instanceof Conflict) return new OperationError('conflict', error.message, { cause: error });
  if (error instanceof Unavailable) return new OperationError('unavailable', error.message, { cause: error });
  if (error instanceof InvalidSpec) {
    return new OperationError('invalid_input', error.message, { issues: error.issues, cause: error });
  }
  // What went wrong inside may tell more than the caller should see: it goes into the log only.
  return new OperationError('internal', "upkeep failed at this; upkeep's own log says why", { cause: error });
}
