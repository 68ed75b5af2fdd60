/**
 * What a contract suite is made of: plain cases, so that `upkeep plugins check` can run them where there is no vitest.
 */

/** One thing that every plugin of a kind must do. */
export interface ContractCase {
  readonly name: string;
  /** What the machine must have; the case is skipped by name where it lacks it. */
  readonly needs?: readonly string[];
  run(): Promise<void> | void;
}
