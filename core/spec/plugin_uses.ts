/**
 * Where a service file uses plugins: what their own processes have to check.
 */
import type { PluginKind } from '../plugin/definition.ts';
import { COMMON_HEALTH_FIELDS } from './health_field.ts';
import type { Path } from './issue.ts';
import { COMMON_NOTIFY_FIELDS } from './notify_field.ts';
import { kindOf } from './schema_kit.ts';

/** A place where a plugin is named by its `type`. */
export interface PluginUse {
  readonly kind: PluginKind;
  readonly type: string;
  readonly path: Path;
  /** The fields that are the plugin's own, as they are written. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The uses in a file, whatever else may be wrong with it. @param data as it is written. */
export function pluginUses(data: unknown): PluginUse[] {
  const notify = kindOf(data) === 'map' ? (data as Fields)['notify'] : undefined;
  const inServices = entries(data, 'services').flatMap(([service, { actions }]) =>
    entries({ actions }, 'actions').flatMap(([action, fields]) => {
      const path = ['services', service, 'actions', action];
      const logs = kindOf(fields['logs']) === 'map' ? (fields['logs'] as Fields) : {};
      return [
        ...listed('health', fields['health'], [...path, 'health'], COMMON_HEALTH_FIELDS),
        ...listed('rotate', logs['rotate'], [...path, 'logs', 'rotate'], ['type']),
      ];
    }),
  );
  return [...inServices, ...listed('notify', notify, ['notify'], COMMON_NOTIFY_FIELDS)];
}

type Fields = Readonly<Record<string, unknown>>;

function entries(holder: unknown, key: string): [string, Fields][] {
  if (kindOf(holder) !== 'map') return [];
  const map = (holder as Fields)[key];
  if (kindOf(map) !== 'map') return [];
  return Object.entries(map as Fields).filter(
    (entry): entry is [string, Fields] => kindOf(entry[1]) === 'map',
  );
}

function listed(kind: PluginKind, list: unknown, path: Path, common: readonly string[]): PluginUse[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown, index): PluginUse[] => {
    if (kindOf(item) !== 'map') return [];
    const { type } = item as Fields;
    if (typeof type !== 'string') return [];
    const own = Object.entries(item as Fields).filter(([name]) => !common.includes(name));
    return [{ kind, type, path: [...path, index], options: Object.fromEntries(own) }];
  });
}
