import { expect, it } from 'vitest';
import type { Host } from '../../../../core/host/host.ts';
import { nodeHost } from '../../../../core/host/node_host.ts';
import { remoteProbe } from '../../../../core/plugin/remote/adapters.ts';
import type { PluginDescription } from '../../../../core/plugin/remote/boot.ts';
import type { RemotePlugin } from '../../../../core/plugin/remote/remote_plugin.ts';
import { AskedProbe } from '../../../../core/reclaim/asked_probe.ts';
import { FakeClock } from '../../../support/fake_clock.ts';

it('is asked again whether it can work once it has failed, and once that is some time ago', async () => {
  const clock = new FakeClock();
  const host: Host = { ...nodeHost(), clock };
  const calls: string[] = [];
  let works = true;
  const plugin = {
    state: 'ready',
    call: async (hook: string) => {
      calls.push(hook);
      if (hook === 'available') return works;
      if (!works) throw new Error('its program is gone');
      return { holders: [], complete: true };
    },
  } as unknown as RemotePlugin;
  const asked = new AskedProbe(
    remoteProbe(plugin, { name: 'eyes' } as PluginDescription, () => ({})),
    host,
    () => {},
  );
  const ask = async (): Promise<string[]> => {
    calls.length = 0;
    await asked.ask({ claims: [], suspects: [], exhaustive: false });
    return [...calls];
  };

  expect(await ask()).toEqual(['available', 'holders']);
  clock.advance(59_000);
  expect(await ask()).toEqual(['holders']);
  works = false;
  expect(await ask()).toEqual(['holders']);
  expect(await ask()).toEqual(['available']);
  clock.advance(999);
  expect(await ask()).toEqual([]);
  works = true;
  clock.advance(1);
  expect(await ask()).toEqual(['available', 'holders']);
});
