/**
 * What a contract suite is made of: plain cases, which a test runner runs here and upkeep itself runs against a plugin.
 */

/** One thing that a plugin must do. */
export interface ContractCase {
  readonly name: string;
  /** What the machine must have; the case is skipped by name where it lacks it. */
  readonly needs?: readonly string[];
  run(): Promise<void> | void;
}
