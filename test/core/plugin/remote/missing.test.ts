/** Checks of plugins that could not be loaded: unknown, with the reason. */
import { expect, it } from 'vitest';
import { Agenda } from '../../../../core/host/agenda.ts';
import { nodeHost } from '../../../../core/host/node_host.ts';
import { isPluginsFault } from '../../../../core/plugin/remote/adapters.ts';
import { loadServiceFile } from '../../../../core/plugin/remote/load.ts';
import { PluginHost } from '../../../../core/plugin/remote/plugin_host.ts';
import { builtInPlugins } from '../../../../plugins/mod.ts';
import { OWN_RUNTIME } from '../../../support/plugins.ts';
import { aLook } from './driver.ts';

it('cannot look, and says which plugin is to blame', async () => {
  const host = nodeHost();
  const built_in = builtInPlugins;
  const actions = { web: { process: true, run: 'server', health: [{ type: 'lost' }] } };
  const text = JSON.stringify({ plugins: [{ path: './none.ts' }], services: { shop: { actions } } });
  const { parsed, plugins } = await loadServiceFile(text, '/srv/upkeep.json', {
    host,
    built_in,
    runtime: OWN_RUNTIME,
  });
  if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues));
  const nobody = { of: () => null, halting: () => false, note() {}, dispatch() {}, start() {}, stop() {} };
  const agenda = new Agenda(host.clock);
  const plugin_host = new PluginHost({
    host,
    agenda,
    runtime: OWN_RUNTIME,
    built_in,
    jobs: nobody,
    changed() {},
  });
  const { health_checks } = plugin_host;
  expect(plugin_host.adopt(plugins, parsed.file)).toEqual({});
  const check = health_checks.find(({ name }) => name === 'lost');
  const thrown = await check?.look({}, aLook()).catch((error: unknown) => error);
  expect(isPluginsFault(thrown)).toBe(true);
  expect((thrown as Error).message).toBe(
    "no plugin that is loaded has the check 'lost' (./none.ts: there is no /srv/none.ts)",
  );
  // Once no file names it any more it is gone, from the list that somebody has already.
  plugin_host.adopt([], { ...parsed.file, services: {} });
  expect(health_checks.map(({ name }) => name)).not.toContain('lost');
});
