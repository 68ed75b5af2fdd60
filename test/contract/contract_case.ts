export interface ContractCase {
  readonly name: string /** What the machine must have; the case is skipped by name where it lacks it. */;
  readonly needs?: readonly string[];
  run(): Promise<void> | void;
}
