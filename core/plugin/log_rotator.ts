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
  /**
   * When the first byte of it was written, ms since the epoch: as finely as looks can tell, and never later than it
   * was. It lies in the future where the clock was set back since.
   */
  readonly begun_at: number;
  /** Now, ms since the epoch. */
  readonly now: number;
}

/** The answer. */
export type RotationDecision =
  /**
   * Leave it. `next_at`: when to ask again at the latest, ms since the epoch. A log in use is looked at every two
   * seconds, and sooner while it grows: a rule that goes by the clock says so to be asked on time.
   */
  | { readonly action: 'keep'; readonly next_at?: number }
  /** Set it aside, at most `bytes` in one segment. As many as `size` take all that is there, however little it is. */
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
