/**
 * The checked service file: what the rest of upkeep works with. Every default is filled in, every path is absolute,
 * durations are ms and sizes are bytes. How each field is written is in `action_schema.ts`.
 */
import type { RestartSettings } from '../job/policy.ts';
import type { ReasonCode } from '../job/reason.ts';
import type { Permissions } from '../plugin/permissions.ts';
import type { PortClaim } from '../reclaim/claim.ts';

/** Whom an action may stop to make room for itself, beside its own earlier incarnations. */
export interface KillOther {
  readonly ports: readonly PortClaim[];
  /** Absolute paths, or `@name`. */
  readonly sockets: readonly string[];
  /** `*` and `?` stand for any characters; must match a whole command line, or equal the executable's path. */
  readonly process_filters: readonly string[];
}

/** Who must hold the claims before a process counts as ready: its own tree, anybody, or nobody needs to. */
export type ReadyClaims = 'own' | 'open' | 'none';

/** A health check of an action. Durations are ms. */
export interface HealthSpec {
  readonly type: string;
  /** `startup` and `readiness` must pass before it is ready; `liveness` does what `on_failure` says. */
  readonly role: 'startup' | 'readiness' | 'liveness';
  readonly interval: number;
  readonly timeout: number;
  /** Failed looks in a row that make it unhealthy. */
  readonly failures: number;
  /** Passed looks in a row that make it healthy. */
  readonly successes: number;
  /** Failed looks do not count for so long after a start, or until the first that passes. */
  readonly start_period: number;
  readonly on_failure: 'restart' | 'report' | 'stop';
  /** What the check itself takes. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** One thing to be done: a process to keep alive, or a oneshot that must exit 0. */
export interface ActionSpec {
  readonly name: string;
  readonly process: boolean;
  /** Text is for `/bin/sh -c`; a list is executed as it is. */
  readonly run: string | readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Read in this order at each start; `env` is above them all. */
  readonly env_file: readonly string[];
  /** Names of actions of the same service. */
  readonly after: readonly string[];
  readonly singleton: boolean;
  /** Null: the default place in the state folder. */
  readonly pid_file: string | null;
  /** Absolute paths, or `@name`. */
  readonly sockets: readonly string[];
  readonly tcp_ports: readonly PortClaim[];
  readonly udp_ports: readonly PortClaim[];
  /** Null: no permission. */
  readonly kill_other: KillOther | null;
  readonly ready: { readonly timeout: number; readonly claims: ReadyClaims };
  readonly health: readonly HealthSpec[];
  readonly restart: RestartSettings;
  readonly stop: { readonly signal: NodeJS.Signals; readonly timeout: number };
  readonly recovery: 'adopt' | 'restart';
  readonly logs: {
    readonly rotate: readonly ({ readonly type: string } & Readonly<Record<string, unknown>>)[];
    readonly keep: number;
    readonly max_total: number;
    /** Null: no segment is too old. */
    readonly max_age: number | null;
    readonly compress: 'gzip' | 'zstd' | 'none';
  };
}

/** A named set of actions that together keep one thing alive. */
export interface ServiceSpec {
  readonly name: string;
  readonly actions: Readonly<Record<string, ActionSpec>>;
}

/** Which probes are asked who holds a claim. */
export interface ProbesSpec {
  /** By name; the others are not asked. */
  readonly order: readonly string[];
  /** How many complete answers are wanted. */
  readonly quorum: 1 | 2;
}

/** A plugin of somebody else's, to run in a process of its own. */
export interface PluginSpec {
  /** As it is written: a path that begins with `/`, `./` or `../`, or the name of an npm package. */
  readonly path: string;
  /** Where a relative path begins, and a package is looked for: the service file's folder, absolute. */
  readonly folder: string;
  /** What it may touch. The paths in `read` are absolute. */
  readonly allow: Permissions;
  /** What a probe takes, unchecked: its own process knows the form. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Whom to tell of what happens, and how. */
export interface NotifySpec {
  readonly type: string;
  /** The reason codes that it tells of. */
  readonly events: readonly ReasonCode[];
  /** Null: all of them, and what is about none. */
  readonly services: readonly string[] | null;
  /** A code about an action is told again no sooner than after so many ms. */
  readonly min_interval: number;
  /** What the notifier itself takes. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** A service file that was found to be right. */
export interface ServiceFile {
  /** Absolute. */
  readonly path: string;
  readonly probes: ProbesSpec;
  readonly plugins: readonly PluginSpec[];
  readonly services: Readonly<Record<string, ServiceSpec>>;
  readonly notify: readonly NotifySpec[];
}
