/**
 * How the tools reach the operations: in the daemon's own process, or from another one.
 */
import type { OperationError } from '../../core/operation/error.ts';
import { invoke } from '../../core/operation/invoke.ts';
import type { OperationContext, Scope } from '../../core/operation/operation.ts';
import type {
  CallName,
  InputOf,
  OperationName,
  OutputOf,
  SubscriptionName,
} from '../../core/operation/table.ts';
import type { Actor } from '../../core/store/records.ts';
import type { Control } from '../../core/supervisor/control.ts';

/** Who asks, and until when. */
export interface PortContext {
  readonly actor: Actor;
  readonly signal: AbortSignal;
}

/** How far a caller may go. */
export interface Rights {
  /** The widest scope that it has. */
  readonly scope: Scope;
  /** Whether nothing at all may be changed, whatever the scope. */
  readonly read_only: boolean;
}

/** The operations, wherever they are. Whatever fails does so with an {@link OperationError}. */
export interface Port {
  /** How far the caller may go right now. */
  rights(context: PortContext): Promise<Rights>;
  /** @throws {@link OperationError} */
  call<N extends CallName>(name: N, input: unknown, context: PortContext): Promise<OutputOf<N>>;
  /**
   * What the caller's rights do not reach is refused in the same words as through any other face, and remembered.
   *
   * @throws {@link OperationError} always.
   */
  refuse(name: CallName, input: unknown, context: PortContext): Promise<never>;
  /** @throws {@link OperationError} on the first read, and when it breaks. */
  subscribe<N extends SubscriptionName>(
    name: N,
    input: InputOf<N>,
    context: PortContext,
  ): AsyncIterable<OutputOf<N>>;
}

/** The operations of an upkeep in this process, as far as `caller` may use them. */
export function localPort(control: Control, caller: Pick<OperationContext, 'scope' | 'principal'>): Port {
  const invoked = <N extends OperationName>(name: N, input: unknown, context: PortContext) =>
    invoke(control, name, input, { ...context, ...caller });
  return {
    rights: async () => ({ scope: caller.scope, read_only: control.access.read_only }),
    // The table pairs each name with its output; the two kinds of names are told apart by the interface.
    call: async (name, input, context) => (await invoked(name, input, context)) as never,
    refuse: async (name, input, context) => {
      await invoked(name, input, context);
      throw new Error(`Cannot refuse ${name} as invoke must have done so: it was allowed`);
    },
    async *subscribe(name, input, context) {
      yield* (await invoked(name, input, context)) as AsyncIterable<never>;
    },
  };
}
