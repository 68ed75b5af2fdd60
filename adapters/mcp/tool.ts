/**
 * A tool: an operation as an agent sees it. Plain data and the words for its answer; what is common to all of them is
 * in `operation_tool.ts`.
 */
import type * as v from 'valibot';
import type { OperationError } from '../../core/operation/error.ts';
import type { CallName, InputOf, OutputOf } from '../../core/operation/table.ts';
import type { NextCall } from '../../core/supervisor/next_step.ts';

/** A tool over the operation `N`. */
export interface Tool<N extends CallName = CallName> {
  readonly name: string;
  readonly operation: N;
  /** A few words for people. */
  readonly title: string;
  /** For an agent that has never seen this machine: what it is for, when, and what comes next. */
  readonly description: string;
  /** Fields of the input that this tool sets itself, and does not offer. */
  readonly preset?: Partial<InputOf<N>>;
  /** Fields of the input where the caller leaves them out. */
  readonly defaults?: Partial<InputOf<N>>;
  /** Fields of the input that are of no use to an agent. */
  readonly hidden?: readonly (keyof InputOf<N> & string)[];
  /** Numbers that are not to be larger here than so; larger ones are taken for it. */
  readonly most?: Readonly<Partial<Record<keyof InputOf<N> & string, number>>>;
  /** What it answers, where that is only a part of what the operation can. */
  readonly output?: v.GenericSchema;
  /** Fields that must be given here although the operation could do without. */
  readonly required?: readonly (keyof InputOf<N> & string)[];
  /** True where the presets make a command one that changes nothing. */
  readonly dry?: boolean;
  /**
   * How the caller says that it means it: a destructive tool takes `confirm: true`, unless the operation itself knows
   * plans.
   */
  readonly confirmed_by?: 'confirm' | 'plan';
  /** Whether it may wait for a service, and tells how that goes meanwhile. */
  readonly waits?: boolean;
  /** Where its answer holds text that programs wrote, as paths such as `items[].message`. */
  readonly untrusted?: readonly string[];
  /** How a list that is too large is cut. */
  readonly list?: ListCut;
  /** Where its answer names calls, as paths such as `actions[].next`: they are made into calls of tools. */
  readonly calls?: readonly string[];
  /** The answer in a few lines. What to call next is said behind it. */
  text(output: OutputOf<N>, input: InputOf<N>): string;
  /** What an agent should call next, once it has this answer; null where nothing has to follow. */
  next?(output: OutputOf<N>, input: InputOf<N>): NextCall | null;
  /** What to call where it has failed; null where the common advice is the best there is. */
  instead?(error: OperationError, input: InputOf<N>): NextCall | null;
}

/** How a list is cut where it is too large. */
export interface ListCut {
  /** Which of its items stay; of the newest nothing is said of how to go on, as nothing follows them. */
  keep(input: object): 'first' | 'last' | 'newest';
  /** The cursor that goes on behind an item, or before it where the last ones stay. */
  cursor(item: never): string;
}

/** Declares a tool; there to infer the operation. */
export function defineTool<N extends CallName>(tool: Tool<N>): Tool<N> {
  return tool;
}
