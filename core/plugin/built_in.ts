/**
 * The plugins that come with upkeep and run in its own process.
 */
import type { HealthCheckPlugin, NotifierPlugin } from './definition.ts';
import type { LogRotator } from './log_rotator.ts';
import type { Probe } from './probe.ts';

/** Handed to core, which knows none of them by name. */
export interface BuiltInPlugins {
  /** In order of preference. */
  readonly probes: readonly Probe[];
  readonly rotators: readonly LogRotator[];
  readonly health_checks: readonly HealthCheckPlugin[];
  readonly notifiers: readonly NotifierPlugin[];
}
