/**
 * A way in, as the agreement test uses it.
 */
import type { Scope } from '../../../core/access/scope.ts';
import type { CallName } from '../../../core/operation/table.ts';
import type { Outcome } from '../outcome.ts';

/** An input as it would be sent: right or wrong. */
export type Input = Readonly<Record<string, unknown>>;

/** A face, as one caller after the other uses it. */
export interface Face {
  readonly name: string;
  /** Whether a caller shows a token; whoever shows none may do everything. */
  readonly tokens: boolean;
  call(operation: CallName, input: Input, as: Scope): Promise<Outcome>;
  close?(): Promise<void> | void;
}
