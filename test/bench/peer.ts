/**
 * What is measured: a supervisor, seen only through what all of them can do.
 */

/** Something to keep alive. */
export interface Service {
  readonly name: string;
  readonly argv: readonly string[];
  /** The loopback TCP port that it holds; null: none. */
  readonly port: number | null;
  /** The Unix socket that it holds; null: none. */
  readonly socket: string | null;
  /** Where its output goes, for those that are told a file. */
  readonly output: string;
}

/** Where one start of a peer may put its files, and the environment that marks its processes. */
export interface Place {
  readonly dir: string;
  readonly worker: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A peer that was started. */
export interface Handle {
  /** Monotonic nanoseconds, taken right before the supervisor's first process was spawned. */
  readonly startedAt: number;
  /** The folder below which the output of the services ends up. */
  readonly logs: string;
  /** What upkeep says of its services, in JSON; the others are not asked. */
  readonly status?: () => Promise<string>;
  /** What the program `callers/list_caller.ts` is told to ask it for its services; not there: it cannot be asked. */
  readonly lister?: readonly [kind: string, ...where: string[]];
  /** Kills the supervisor alone and starts it again over its living services, where it is able to adopt them. */
  readonly takeOver?: () => Promise<void>;
  /** Ends the supervisor and its services; resolves when all are gone. */
  stop(): Promise<void>;
}

/** A supervisor. */
export interface Peer {
  readonly name: string;
  /** Null if it can be measured here, else why not. */
  available(): Promise<string | null>;
  /** Resolves once the supervisor was told to start `services`, not when they are up. */
  start(services: readonly Service[], place: Place): Promise<Handle>;
}

/** The figures that the others are compared with. */
export const FLOOR = 'bare node';
