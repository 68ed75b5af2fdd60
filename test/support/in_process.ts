/**
 * A supervisor in the test's own process, on the real host.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FaultPoint, withFaults } from '../../core/host/fault.ts';
import { nodeHost } from '../../core/host/node_host.ts';
import { startSupervisor } from '../../core/supervisor/start.ts';
import type { Supervisor } from '../../core/supervisor/supervisor.ts';
import { builtInPlugins } from '../../plugins/mod.ts';

/** Puts a service file into a folder: its `services` part. */
export function writeServices(dir: string, services: object): void {
  writeFileSync(join(dir, 'upkeep.json'), JSON.stringify({ services }));
}

/**
 * Starts upkeep on `dir/<file>` and the state folder `dir/<state>`.
 *
 * @param at Told of each fault point that is passed.
 */
export function inProcess(
  dir: string,
  state: string,
  at: FaultPoint = () => {},
  file = 'upkeep.json',
): Promise<Supervisor> {
  return startSupervisor({
    host: withFaults(nodeHost(), at),
    state_dir: join(dir, state),
    spec_file: join(dir, file),
    plugins: builtInPlugins,
    recovery: 'as_specified',
    env: process.env,
    pid: process.pid,
    version: 'test',
    at,
  });
}
