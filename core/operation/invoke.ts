/**
 * The one way in: whatever face a call comes through, it is checked, allowed, run and its failure named here. Every
 * command leaves a record of who gave it and what came of it; to be told what a command would do is none.
 */
import * as v from 'valibot';
import { auditTarget } from '../access/audited.ts';
import { didYouMean } from '../spec/schema_kit.ts';
import { type Control, NotFound } from '../supervisor/control.ts';
import { Conflict, InvalidSpec, Unavailable } from '../supervisor/refusal.ts';
import { OperationError } from './error.ts';
import { inputIssues } from './input_issue.ts';
import { meantKey } from './meant_key.ts';
import { type Operation, type OperationContext, rehearsalScope, SCOPES } from './operation.ts';
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
 * await invoke(control, 'service.restart', { name: 'web', wait: true }, context);
 * ```
 */
export async function invoke<N extends OperationName>(
  control: Control,
  name: N,
  raw: unknown,
  context: OperationContext,
): Promise<ResultOf<N>> {
  const operation: Operation = OPERATIONS[name];
  if (operation.kind === 'subscription') {
    const batches = await invokeBatches(control, name as SubscriptionName, raw, context);
    // As below: the table knows that it is a subscription's name, and so its items.
    return eachOf<unknown>(batches) as unknown as ResultOf<N>;
  }
  if (operation.kind === 'query' || rehearsalScope(operation, raw) !== null) {
    return run<ResultOf<N>>(control, name, operation, raw, context);
  }
  const { actor, principal } = context;
  const { audit, redact } = control.access;
  const target = auditTarget(raw);
  // A secret may have been pasted into the wrong field.
  const shown = target === null ? null : redact(target);
  const ended = audit.begin({ operation: name, target: shown, actor, principal });
  try {
    const result = await run<ResultOf<N>>(control, name, operation, raw, context);
    ended('done', null);
    return result;
  } catch (error) {
    // `run` throws nothing else.
    const { code } = error as OperationError;
    ended(code === 'forbidden' || code === 'invalid_input' ? 'refused' : 'failed', code);
    throw error;
  }
}

/**
 * Calls a subscription as {@link invoke} does, and gives what is there together in one: for a face that passes it on so.
 *
 * @throws {@link OperationError}, and nothing else; so does reading it.
 *
 * @example
 * ```ts
 * for await (const events of await invokeBatches(control, 'event.stream', {}, context)) write(events);
 * ```
 */
export async function invokeBatches<N extends SubscriptionName>(
  control: Control,
  name: N,
  raw: unknown,
  context: OperationContext,
): Promise<AsyncIterable<readonly OutputOf<N>[]>> {
  const operation: Operation = OPERATIONS[name];
  return run(control, name, operation, raw, context);
}

/** What an operation gives; of a subscription, its batches. The caller knows which it is. */
async function run<R>(
  control: Control,
  name: OperationName,
  operation: Operation,
  raw: unknown,
  context: OperationContext,
): Promise<R> {
  const needed = rehearsalScope(operation, raw) ?? operation.scope;
  if (SCOPES.indexOf(context.scope) < SCOPES.indexOf(needed)) {
    throw new OperationError('forbidden', `${name} needs the scope '${needed}'`);
  }
  if (control.access.read_only && operation.kind === 'command' && !allowedReadOnly(operation, raw, context)) {
    throw refusedReadOnly(name);
  }
  const input = checkedInput(name, raw);
  try {
    const result =
      operation.kind === 'subscription'
        ? namingFailures(operation.run(control, input, context))
        : await operation.run(control, input, context);
    // The table pairs each name with its output; the lookup by a generic name loses that.
    return result as R;
  } catch (error) {
    throw operationError(error);
  }
}

/** Says that nothing may be changed. */
export function refusedReadOnly(name: OperationName): OperationError {
  return new OperationError(
    'forbidden',
    `${name} changes something, and upkeep was started with --read-only; start it without to allow commands`,
  );
}

/**
 * What may be asked for all the same: what a command would do, and the end of upkeep by whoever owns it, who could end
 * it by a signal as well.
 */
function allowedReadOnly(
  operation: Operation,
  raw: unknown,
  { actor, principal }: OperationContext,
): boolean {
  if (rehearsalScope(operation, raw) !== null) return true;
  return operation.name === 'daemon.shutdown' && actor === 'cli' && principal === 'unix';
}

/**
 * The input of an operation, checked: for a face that has to know before it calls.
 *
 * @param names what the caller may give, where the face has others than the operation: one of these may be meant by a key
 *   that is not known.
 * @throws {@link OperationError} `invalid_input` with all that is wrong.
 */
export function checkedInput<N extends OperationName>(
  name: N,
  raw: unknown,
  names?: readonly string[],
): v.InferOutput<(typeof OPERATIONS)[N]['input']> {
  const operation: Operation = OPERATIONS[name];
  const input = v.safeParse(operation.input, raw);
  if (input.success) return input.output as v.InferOutput<(typeof OPERATIONS)[N]['input']>;
  const found = inputIssues(input.issues);
  const issues = found.map((issue) => {
    if (issue.rule !== 'unknown_key') return issue;
    const meant = meantKey(issue.path, operation.input, raw, found, names);
    return { ...issue, message: `${issue.message}${didYouMean(meant)}` };
  });
  const faults = issues.map(({ path, message }) =>
    path === '' ? `the input ${message}` : `${path} ${message}`,
  );
  throw new OperationError('invalid_input', `${name}: ${faults.join('; ')}`, { issues });
}

async function* eachOf<T>(batches: AsyncIterable<readonly T[]>): AsyncGenerator<T, void, undefined> {
  for await (const batch of batches) yield* batch;
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
