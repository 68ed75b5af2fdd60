/**
 * Whether what a plugin's file exports is a plugin.
 */
import type * as valibot from 'valibot';
import { PLUGIN_API, PLUGIN_KINDS, type Plugin } from '../../definition.ts';

const NAME = /^[a-z][a-z0-9_]{0,62}$/;

/** The function that makes a plugin what it is, by its kind. */
const WORK = { probe: 'holders', health: 'check', rotate: 'decide', notify: 'notify' } as const;

/**
 * The plugin among the exports of its file.
 *
 * @throws what it would have to be.
 */
export function checkedPlugin(
  exports: { readonly default?: unknown },
  file: string,
  v: typeof valibot,
): Plugin {
  const fault = (what: string, must: string, value: unknown): Error =>
    new TypeError(`Cannot load ${file} as ${what} must be ${must}: current value is ${shown(value)}`);

  const plugin = exports.default as Partial<Plugin> | null | undefined;
  if (typeof plugin !== 'object' || plugin === null || plugin.kind === undefined) {
    const made = 'made by defineProbe, defineHealthCheck, defineLogRotator or defineNotifier';
    throw fault('its default export', made, plugin);
  }
  const { kind, api } = plugin as Readonly<Record<string, unknown>>;
  // The version first: what else is wrong may come of it.
  if (api !== PLUGIN_API) throw fault('its api', String(PLUGIN_API), api);
  if (!PLUGIN_KINDS.some((known) => known === kind)) {
    throw fault('its kind', `one of ${PLUGIN_KINDS.join(', ')}`, kind);
  }
  const shape = v.looseObject({
    name: v.pipe(v.string('text'), v.regex(NAME, 'lower-case letters, digits and _, 63 at most')),
    summary: v.pipe(v.string('text'), v.minLength(1, 'one sentence'), v.maxLength(500, 'one sentence')),
    options: v.looseObject(
      {
        type: v.literal('strict_object', 'a v.strictObject({…})'),
        entries: v.record(v.string(), v.unknown(), 'a v.strictObject({…})'),
      },
      'a v.strictObject({…})',
    ),
    permissions: v.optional(
      v.strictObject({ run: list(v), read: list(v), net: list(v) }, 'a map of run, read and net'),
    ),
    [WORK[plugin.kind]]: v.function('a function'),
    ...(kind === 'probe' ? { available: v.function('a function') } : {}),
  }) as valibot.GenericSchema;
  const [issue] = v.safeParse(shape, plugin).issues ?? [];
  if (issue === undefined) return plugin as Plugin;
  const path = v.getDotPath(issue) ?? 'default export';
  throw fault(`its ${path}`, issue.message, issue.input);
}

function list(v: typeof valibot): valibot.GenericSchema {
  return v.optional(v.array(v.string('text'), 'a list of text'));
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 100));
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'a map';
  return typeof value === 'function' ? 'a function' : String(value);
}
