/**
 * `upkeep/testing`: the suite that every plugin has to pass, for the tests of whoever writes one.
 *
 * @example
 * ```js
 * import { test } from 'node:test';
 * import { openForTest } from 'upkeep/testing';
 *
 * test('health_queue', async (t) => {
 *   const plugin = await openForTest(new URL('./health_queue.ts', import.meta.url), { options: { file: '/tmp/q' } });
 *   for (const { name, run } of plugin.cases) await t.test(name, run);
 *   plugin.close();
 * });
 * ```
 */
import { fileURLToPath } from 'node:url';
import { nodeHost } from '../../core/host/node_host.ts';
import { NOTHING, type Permissions } from '../../core/plugin/permissions.ts';
import { openPlugin } from '../../core/plugin/remote/open.ts';
import { ownRuntime } from '../../core/plugin/remote/runtime.ts';
import type { ContractCase } from './contract_case.ts';
import { lackingNeeds } from './machine.ts';
import { pluginFileCases } from './plugin_file.ts';

export type { ContractCase } from './contract_case.ts';

/** What a plugin is granted and given, as in a service file. */
export interface TestedAs {
  readonly allow?: Partial<Permissions>;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** A plugin that runs in a process of its own, to be tested. */
export interface TestedPlugin {
  readonly kind: string;
  readonly name: string;
  /** The suite; what this machine lacks something for is left out. */
  readonly cases: readonly ContractCase[];
  /** The names of the cases that were left out, each with what is missing. */
  readonly left_out: readonly string[];
  close(): void;
}

/**
 * Opens a plugin as upkeep would, under the permissions that are named.
 *
 * @param file its path, absolute, or its URL.
 * @throws where it cannot be loaded.
 */
export async function openForTest(
  file: string | URL,
  { allow, options = {} }: TestedAs = {},
): Promise<TestedPlugin> {
  const path = typeof file === 'string' ? file : fileURLToPath(file);
  const plugin = await openPlugin(
    path,
    '/',
    { ...NOTHING, ...allow },
    { host: nodeHost(), runtime: ownRuntime() },
  );
  const all = pluginFileCases(plugin, options);
  const lacking = (each: ContractCase): string => lackingNeeds(each).join(', ');
  return {
    kind: plugin.description.kind,
    name: plugin.description.name,
    cases: all.filter((each) => lacking(each) === ''),
    left_out: all
      .filter((each) => lacking(each) !== '')
      .map((each) => `${each.name} (needs ${lacking(each)})`),
    close: () => plugin.close(),
  };
}
