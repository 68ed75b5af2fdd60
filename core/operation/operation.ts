/**
 * What an operation is: plain data and one function, with no word of how it is called. Every face is made from the
 * table of these.
 */
import type * as v from 'valibot';
import type { Scope } from '../access/scope.ts';
import type { Actor } from '../store/records.ts';
import type { Control } from '../supervisor/control.ts';
import type { OperationErrorCode } from './error.ts';

export { SCOPES, type Scope } from '../access/scope.ts';

/** Who calls, what they may do, and when they have gone. */
export interface OperationContext {
  readonly actor: Actor;
  /** The widest scope that the caller has. */
  readonly scope: Scope;
  /** By what right: the name of a token, or `unix` for whoever may open the socket. */
  readonly principal: string;
  /** Aborts when the caller no longer listens; ends a subscription. */
  readonly signal: AbortSignal;
}

interface Declaration<I extends v.GenericSchema, O extends v.GenericSchema> {
  /** `noun.verb`. */
  readonly name: string;
  /** One sentence for people and agents. */
  readonly summary: string;
  /** Every field of it and of the output says what it is by `v.description`: documents are made from that. */
  readonly input: I;
  /** The answer; of a subscription, each item. */
  readonly output: O;
  /** What it can fail with beside `invalid_input`, `forbidden` and `internal`. */
  readonly errors: readonly OperationErrorCode[];
  /** Calling it twice leaves things as calling it once. */
  readonly idempotent: boolean;
  /** It may interrupt something that works. */
  readonly destructive: boolean;
  /** What the caller's scope must include. */
  readonly scope: Scope;
  /** A call as documentation shows it, and its answer; of a subscription, one item. */
  readonly example: { readonly input: v.InferInput<I>; readonly output: v.InferOutput<O> };
}

/** An operation with one answer. A query changes nothing; a command does. */
export interface CallOperation<
  I extends v.GenericSchema = v.GenericSchema,
  O extends v.GenericSchema = v.GenericSchema,
> extends Declaration<I, O> {
  readonly kind: 'query' | 'command';
  /**
   * Of a command that with `dry_run: true` only says what it would do, and changes nothing: what the caller's scope must
   * include for that, in place of `scope`. It is answered where nothing may be changed, too, and the audit does not have
   * it.
   */
  readonly rehearsal?: Scope;
  /** The answer holds what is told once only: no face keeps it, not even to give it again. */
  readonly secret_output?: true;
  run(
    control: Control,
    input: v.InferOutput<I>,
    context: OperationContext,
  ): v.InferOutput<O> | Promise<v.InferOutput<O>>;
}

/**
 * An operation that answers for as long as it is listened to. `run` throws at once for what is not there; what it
 * returns holds nothing before it is read from. Items that are there together are given together, and none of these
 * batches is empty.
 */
export interface SubscriptionOperation<
  I extends v.GenericSchema = v.GenericSchema,
  O extends v.GenericSchema = v.GenericSchema,
> extends Declaration<I, O> {
  readonly kind: 'subscription';
  run(
    control: Control,
    input: v.InferOutput<I>,
    context: OperationContext,
  ): AsyncIterable<readonly v.InferOutput<O>[]>;
}

/** Any operation. */
export type Operation = CallOperation | SubscriptionOperation;

/**
 * What the caller's scope must include for a call that only says what would be done; null where `input` asks for more
 * than that, or the operation knows no such call.
 *
 * @param input as it came; nothing is known of it.
 *
 * @example
 * ```ts
 * rehearsalScope(OPERATIONS['service.heal'], { name: 'web', dry_run: true }); // 'read'
 * rehearsalScope(OPERATIONS['service.heal'], { name: 'web', confirm: true }); // null
 * ```
 */
export function rehearsalScope(operation: Operation, input: unknown): Scope | null {
  if (operation.kind === 'subscription' || operation.rehearsal === undefined) return null;
  const dry =
    typeof input === 'object' && input !== null && (input as { dry_run?: unknown }).dry_run === true;
  return dry ? operation.rehearsal : null;
}

/** Whether the answer is told once only: see `secret_output`. */
export function hasSecretOutput(operation: Operation): boolean {
  return operation.kind !== 'subscription' && operation.secret_output === true;
}

/**
 * Declares a query or a command; there to infer the types of `run` from the schemas.
 *
 * @example
 * ```ts
 * const healthGet = defineCall({
 *   name: 'health.get',
 *   kind: 'query',
 *   summary: 'How upkeep itself is.',
 *   input: v.strictObject({}),
 *   output: healthSchema,
 *   errors: [],
 *   idempotent: true,
 *   destructive: false,
 *   scope: 'read',
 *   example: { input: {}, output: exampleHealth },
 *   run: (control) => control.health(),
 * });
 * ```
 */
export function defineCall<I extends v.GenericSchema, O extends v.GenericSchema>(
  operation: CallOperation<I, O>,
): CallOperation<I, O> {
  return operation;
}

/** Declares a subscription, as {@link defineCall} does the others. */
export function defineSubscription<I extends v.GenericSchema, O extends v.GenericSchema>(
  operation: SubscriptionOperation<I, O>,
): SubscriptionOperation<I, O> {
  return operation;
}
