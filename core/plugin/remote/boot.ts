/**
 * What a plugin's process is told when it is started, and what it answers first. Shared by both sides.
 */

/** The argument of the process, as JSON. Paths are absolute and real. */
export interface Boot {
  /** The plugin's file. */
  readonly file: string;
  /** Where upkeep's own packages begin: the modules to import. */
  readonly valibot: string;
  readonly to_json_schema: string;
  /** What takes the types out of TypeScript; null where Node does it. */
  readonly strip: string | null;
  /** Changes with the plugin's file, so that a changed one is started again. */
  readonly stamp: string;
}

/** What a plugin says of itself, as its process has checked it. */
export interface PluginDescription {
  readonly kind: 'probe' | 'health' | 'rotate' | 'notify';
  readonly name: string;
  readonly api: number;
  readonly summary: string;
  readonly asked: {
    readonly run: readonly string[];
    readonly read: readonly string[];
    readonly net: readonly string[];
  };
  /** The names of its options. */
  readonly options: readonly string[];
}

/** What is wrong with options. */
export interface OptionIssue {
  readonly path: readonly (string | number)[];
  readonly rule: string;
  readonly message: string;
  /** It is the last key of the path that is wrong, not what stands under it. */
  readonly about_key: boolean;
}
