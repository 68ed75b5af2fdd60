/**
 * What of the plugins a service file is checked against.
 */
import type { OptionsSchema } from '../plugin/definition.ts';
import type { LogRotator } from '../plugin/log_rotator.ts';

/** A plugin that a service file can name by its `type`. */
export interface NamedPlugin {
  readonly name: string;
  readonly summary: string;
  readonly options: OptionsSchema;
  /** True where its own process checks its options: any field may stand beside `type`. */
  readonly open_options?: boolean;
}

/** The plugins that a service file may name. */
export interface SpecRegistry {
  /** True where some plugin could not be loaded: a `type` that is not known may be its. */
  readonly incomplete?: boolean;
  readonly rotators: readonly (NamedPlugin & Pick<LogRotator, 'by_default'>)[];
  readonly health_checks: readonly NamedPlugin[];
  readonly notifiers: readonly NamedPlugin[];
  /** In order of preference. */
  readonly probes: readonly Pick<NamedPlugin, 'name'>[];
}
