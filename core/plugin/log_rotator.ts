/**
 * The log rotator interface: given the facts about an active log, should it be rotated now?
 */
import type { OptionsSchema } from './definition.ts';

/** What is known about an active log when the question is asked. */
export interface LogFacts {
  /** `restart`: the job is about to be started again. `look`: the log was looked at while in use. */
  readonly occasion: 'restart' | 'look';
  /** Bytes in the active file. */
  readonly size: number;
  /** When the active file was begun, ms since the epoch. */
  readonly begun_at: number;
  /** Now, ms since the epoch. */
  readonly now: number;
}

/** The answer. `bytes`: at most this many go into one segment. */
export type RotationDecision =
  | { readonly action: 'keep' }
  | { readonly action: 'rotate'; readonly bytes: number };

/** A rule for when to rotate. Pure: it sees facts and answers. */
export interface LogRotator {
  /** The `type` in the service file. */
  readonly name: string;
  /** One sentence for whoever writes a service file. */
  readonly summary: string;
  readonly options: OptionsSchema;
  /** True where it applies, with its default options, to every action whose service file says nothing of rotation. */
  readonly by_default?: boolean;
  /** @param options Checked against {@link options}, defaults filled in. */
  decide(facts: LogFacts, options: Readonly<Record<string, unknown>>): RotationDecision;
}
