/**
 * Reading a service file together with the plugins that it names: each is started once, asked what it is and whether
 * its options are right, and ended. No supervisor is needed for that.
 */
import * as v from 'valibot';
import type { Host } from '../../host/host.ts';
import { COMMON_HEALTH_FIELDS } from '../../spec/health_field.ts';
import {
  type FoundFault,
  type OpenServiceFile,
  openServiceFile,
  type ParsedServiceFile,
  type PluginSpec,
  type PluginUse,
  type SpecRegistry,
} from '../../spec/mod.ts';
import { COMMON_NOTIFY_FIELDS } from '../../spec/notify_field.ts';
import type { BuiltInPlugins } from '../built_in.ts';
import { descriptionSchema, optionIssuesSchema } from './answer_schemas.ts';
import type { OptionIssue, PluginDescription } from './boot.ts';
import { Link } from './link.ts';
import { type LocatedPlugin, locatePlugin } from './locate.ts';
import { startOnce } from './once.ts';
import { type PluginRuntime, pluginCommand } from './runtime.ts';

/** A plugin that the service file names, and what became of loading it. */
export interface LoadedPlugin {
  readonly spec: PluginSpec;
  /** Its place in the list `plugins`. */
  readonly index: number;
  /** Null where there is nothing to be run. */
  readonly located: LocatedPlugin | null;
  /** Null where it cannot be loaded: then `error` says why. */
  readonly description: PluginDescription | null;
  /** Its options as JSON Schema, where that was asked for. */
  readonly options_schema: unknown;
  readonly error: string | null;
}

/** A service file that was read with its plugins. */
export interface LoadedServiceFile {
  readonly parsed: ParsedServiceFile;
  readonly plugins: readonly LoadedPlugin[];
}

/** What loading needs. */
export interface LoadOptions {
  readonly host: Host;
  readonly runtime: PluginRuntime;
  readonly built_in: BuiltInPlugins;
  /** Whether each plugin is asked for its options as JSON Schema too. */
  readonly with_schemas?: boolean;
  /** Whether a plugin that cannot be loaded makes the file wrong: for whoever only checks it. */
  readonly strict?: boolean;
}

/** Ms that a plugin may keep everything waiting: until it says what it is, and with each answer. */
const DEADLINE = 10_000;

/**
 * Reads a service file and loads its plugins. One that cannot be loaded does not make the file wrong, as services are
 * to start all the same: what names a `type` that nobody knows is taken for its, and left unchecked.
 *
 * @param path of the service file, absolute.
 *
 * @example
 * ```ts
 * const { parsed, plugins } = await loadServiceFile(text, path, { host, runtime: ownRuntime(), built_in });
 * ```
 */
export async function loadServiceFile(
  text: string,
  path: string,
  options: LoadOptions,
): Promise<LoadedServiceFile> {
  const open = openServiceFile(text, path);
  if (open.plugins.length === 0) return { parsed: open.check(options.built_in), plugins: [] };
  const loaded = await Promise.all(open.plugins.map((plugin) => loadOne(plugin, open.uses, options)));
  const plugins = withoutDoubles(loaded, options.built_in);
  const lost = options.strict === true ? plugins.flatMap(loadFault) : [];
  const found = [...lost, ...plugins.flatMap(({ faults }) => faults)];
  return {
    parsed: open.check(registryOf(plugins, options.built_in), found),
    plugins: plugins.map(({ faults: _, ...plugin }) => plugin),
  };
}

function loadFault({ index, error }: LoadedPlugin): FoundFault[] {
  return error === null ? [] : [{ path: ['plugins', index, 'path'], rule: 'plugin', message: error }];
}

type Candidate = LoadedPlugin & { readonly faults: readonly FoundFault[] };

async function loadOne(
  { index, spec }: OpenServiceFile['plugins'][number],
  uses: readonly PluginUse[],
  { host, runtime, with_schemas = false }: LoadOptions,
): Promise<Candidate> {
  let located: LocatedPlugin | null = null;
  try {
    located = locatePlugin(spec.path, spec.folder, host.files);
    return await talkOnce(host, pluginCommand(located, runtime, host.files, true), async (link) => {
      const said = await link.call('describe', [], { deadline: DEADLINE });
      const description = v.parse(descriptionSchema, said);
      refuseCommonNames(description, located?.file ?? spec.path);
      const faults = await optionFaults(link, description, index, spec, uses);
      const options_schema = with_schemas ? await link.call('json_schema', [], { deadline: DEADLINE }) : null;
      return { index, spec, located, description, options_schema, error: null, faults };
    });
  } catch (error) {
    const { message } = error as Error;
    return { index, spec, located, description: null, options_schema: null, error: message, faults: [] };
  }
}

const TAKEN_NAMES: Readonly<Record<PluginDescription['kind'], readonly string[]>> = {
  probe: [],
  health: COMMON_HEALTH_FIELDS,
  rotate: ['type'],
  notify: COMMON_NOTIFY_FIELDS,
};

/** An option that is called as what stands beside it anyway could never be given. */
function refuseCommonNames({ kind, options }: PluginDescription, file: string): void {
  const taken = TAKEN_NAMES[kind];
  const wrong = options.find((name) => taken.includes(name));
  if (wrong === undefined) return;
  throw new Error(
    `Cannot load ${file} as none of its options must be called ${taken.join(', ')}: current value is ${wrong}`,
  );
}

/** Starts a plugin's process for one conversation. */
async function talkOnce<T>(
  host: Host,
  command: readonly string[],
  talk: (link: Link) => Promise<T>,
): Promise<T> {
  const { channel, end } = await startOnce(host, command);
  const link = new Link(channel, host.clock, () => {});
  try {
    return await talk(link);
  } finally {
    link.close(new Error('it is not needed any more'));
    end();
  }
}

async function optionFaults(
  link: Link,
  { kind, name }: PluginDescription,
  index: number,
  { options }: PluginSpec,
  uses: readonly PluginUse[],
): Promise<FoundFault[]> {
  const own = { kind, type: name, path: ['plugins', index, 'options'], options };
  const asked = kind === 'probe' ? [own] : uses.filter((use) => use.kind === kind && use.type === name);
  const misplaced: FoundFault[] = [];
  if (kind !== 'probe' && Object.keys(options).length > 0) {
    const message = `must be left out: those of ${kind} plugins stand where they are used`;
    misplaced.push({ path: own.path, rule: 'probe_only', message });
  }
  const found = await Promise.all(
    asked.map(async (use) => {
      const said = await link.call('check_options', [use.options], { deadline: DEADLINE });
      return v.parse(optionIssuesSchema, said).map((issue) => faultOf(issue, use));
    }),
  );
  return [...misplaced, ...found.flat()];
}

function faultOf({ path, rule, message, about_key }: OptionIssue, use: Pick<PluginUse, 'path'>): FoundFault {
  return { path: [...use.path, ...path], rule, message, about_key };
}

/** Of two plugins of the same kind and name only the first counts, and a built-in one before any other. */
function withoutDoubles(loaded: readonly Candidate[], builtIn: BuiltInPlugins): Candidate[] {
  const taken = new Map(builtInNames(builtIn).map((key) => [key, 'a built-in one']));
  return loaded.map((plugin) => {
    const { description, spec } = plugin;
    if (description === null) return plugin;
    const key = `${description.kind} ${description.name}`;
    const by = taken.get(key);
    taken.set(key, by ?? spec.path);
    if (by === undefined) return plugin;
    const error = `Cannot load ${spec.path} as its name must be its own: '${description.name}' is that of ${by}`;
    // It is not to be run either.
    return { ...plugin, located: null, description: null, error, faults: [] };
  });
}

function builtInNames({ probes, health_checks, rotators, notifiers }: BuiltInPlugins): string[] {
  return [
    ...probes.map(({ name }) => `probe ${name}`),
    ...health_checks.map(({ name }) => `health ${name}`),
    ...rotators.map(({ name }) => `rotate ${name}`),
    ...notifiers.map(({ name }) => `notify ${name}`),
  ];
}

/** The built-in plugins and those that were loaded. */
export function registryOf(plugins: readonly LoadedPlugin[], builtIn: BuiltInPlugins): SpecRegistry {
  const named = (kind: PluginDescription['kind']) =>
    plugins.flatMap(({ description }) => {
      if (description?.kind !== kind) return [];
      const { name, summary } = description;
      return [{ name, summary, options: v.strictObject({}), open_options: true }];
    });
  return {
    probes: [...builtIn.probes, ...named('probe')],
    health_checks: [...builtIn.health_checks, ...named('health')],
    rotators: [...builtIn.rotators, ...named('rotate')],
    notifiers: [...builtIn.notifiers, ...named('notify')],
    incomplete: plugins.some(({ error }) => error !== null),
  };
}
