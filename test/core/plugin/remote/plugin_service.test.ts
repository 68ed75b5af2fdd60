import { expect, it } from 'vitest';
import {
  isPluginService,
  pluginService,
  pluginServiceName,
} from '../../../../core/plugin/remote/plugin_service.ts';
import { jobPolicy } from '../../../../core/spec/mod.ts';
import { builtInPlugins } from '../../../../plugins/mod.ts';

it.each([
  ['./probe_x.ts', 'plugin:probe_x'],
  ['/srv/upkeep/probe_x.js', 'plugin:probe_x'],
  ['../plugins/Probe X.mts', 'plugin:probe-x'],
  ['./probe_x', 'plugin:probe_x'],
  ['./probe_x/', 'plugin:probe_x'],
  ['./probe_x/mod.ts', 'plugin:probe_x'],
  ['upkeep-probe-x', 'plugin:upkeep-probe-x'],
  ['@scope/probe', 'plugin:scope-probe'],
  ['./..ts', 'plugin:plugin'],
  ['.', 'plugin:plugin'],
])('%s is the service %s', (path, name) => {
  expect(pluginServiceName(path, new Set())).toBe(name);
  expect(isPluginService(name)).toBe(true);
});

it('gives each plugin a service of its own', () => {
  const taken = new Set(['plugin:a', 'plugin:a-2']);
  expect(pluginServiceName('./b/a.ts', taken)).toBe('plugin:a-3');
});

it('is never adopted, never given up by the loop, and killed at once', () => {
  const { actions } = pluginService('plugin:a', ['node', 'x'], builtInPlugins);
  const action = actions['main'];
  if (action === undefined) throw new Error('it has no action');
  expect(jobPolicy(action)).toMatchObject({
    process: true,
    awaits_ready: false,
    recovery: 'restart',
    restart: { policy: 'always', max_attempts: 0 },
  });
  expect(action).toMatchObject({ run: ['node', 'x'], cwd: '/', stop: { signal: 'SIGKILL' } });
});
