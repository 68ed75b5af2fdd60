/**
 * A plugin's process as a service of upkeep's own: started, restarted and logged by the same machinery as any other.
 */
import * as v from 'valibot';
import { actionSchema } from '../../spec/action_schema.ts';
import type { ServiceSpec, SpecRegistry } from '../../spec/mod.ts';
import { resolveAction } from '../../spec/resolve.ts';

/** No user's service can be called so: a name has no colon. */
const PREFIX = 'plugin:';

/** Whether a service is upkeep's own. */
export function isPluginService(name: string): boolean {
  return name.startsWith(PREFIX);
}

/**
 * The name of a plugin's service: by where its code is, as that is known before the plugin has said anything.
 *
 * @param path as in the service file.
 * @param taken names that others have.
 */
export function pluginServiceName(path: string, taken: ReadonlySet<string>): string {
  const stem = path
    .replace(/\/+(?:mod|index)?(?:\.\w+)?$/, '')
    .replace(/^.*\.{0,2}\/(?=[^/]+$)/, (folders) => (folders.startsWith('@') ? folders : ''))
    .replace(/\.(?:ts|mts|js|mjs)$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 48);
  const name = `${PREFIX}${stem || 'plugin'}`;
  for (let count = 1; ; count++) {
    const candidate = count === 1 ? name : `${name}-${count}`;
    if (!taken.has(candidate)) return candidate;
  }
}

/** The service of a plugin's process. */
export function pluginService(name: string, command: readonly string[], registry: SpecRegistry): ServiceSpec {
  const written = {
    process: true,
    run: [...command],
    cwd: '/',
    // It says by itself what it is, and has nothing to claim.
    ready: { claims: 'none' },
    // It holds nothing that an orderly end would save, and one that hangs hears no other signal.
    stop: { signal: 'SIGKILL' },
    // The channel to it is lost with the upkeep that had it.
    recovery: 'restart',
  };
  const action = resolveAction('main', v.parse(actionSchema(registry), written), '/');
  return { name, actions: { main: action } };
}
