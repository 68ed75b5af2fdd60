/**
 * The search for what incarnations have left behind, on a machine in memory and real files.
 */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fileKey, type Host } from '../../../core/host/host.ts';
import { StillWorld } from './still_world.ts';

const STRANGER = 300;
const ESCAPEE = 301;

/** Where something can happen in the middle of a walk. */
class World extends StillWorld {
  readonly #environ = this.machine.host.processes.environ;
  /** Called once, in the middle of the next walk over all processes. */
  inNextWalk: (() => void) | null = null;

  override get host(): Host {
    const environ: Host['processes']['environ'] = (pid) => {
      const meanwhile = this.inNextWalk;
      this.inNextWalk = null;
      meanwhile?.();
      return this.#environ(pid);
    };
    return { ...super.host, processes: { ...this.machine.host.processes, environ } };
  }

  /** Starts upkeep. @returns the service's log folder, and what ends it all. */
  async begin(): Promise<{ folder: string; stop(): Promise<void> }> {
    const upkeep = await this.start();
    const [job] = upkeep.service('web').actions;
    return {
      folder: join(this.dir, 'state', 'logs', 'web', 'main', job?.job_id ?? ''),
      stop: () => this.stop(upkeep),
    };
  }
}

it('takes nobody for left behind who writes to what has got the number of a log that is gone', async () => {
  const world = new World();
  const { machine } = world;
  const { folder, stop } = await world.begin();
  await machine.pass(10);
  const first = fileKey(statSync(join(folder, 'current.log'), { bigint: true }));
  writeFileSync(join(folder, 'current.log'), 'first\n');
  world.crash();
  await world.settled(() => world.main === 1001);
  const second = fileKey(statSync(join(folder, 'current.log'), { bigint: true }));
  writeFileSync(join(folder, 'current.log'), 'second\n');

  // The second ends in the middle of the search for what the first has left behind: the next search is for both.
  world.inNextWalk = () => world.crash();
  await machine.pass(510);
  await world.settled(() => world.main === 1002 && existsSync(join(folder, '0.log.gz')));
  expect(existsSync(join(folder, '0.log'))).toBe(false);
  machine.add(
    { pid: STRANGER, start_time: world.now, writes: [first] },
    { pid: ESCAPEE, start_time: world.now, writes: [second] },
  );
  await machine.pass(2_000);
  await world.settled(() => existsSync(join(folder, '1.log.gz')));
  expect(machine.signals).toEqual([`TERM ${ESCAPEE}`]);
  await stop();
});

it.each([
  ['leaves a stranger alone who leads a session with the number of one that has ended', 31_000, []],
  ['finds who is left in a session that was seen in the tree', 0, [`TERM ${ESCAPEE}`]],
])('%s', async (_, between, signals) => {
  const world = new World();
  const { machine } = world;
  const { stop } = await world.begin();
  machine.add({ pid: ESCAPEE, ppid: world.main, start_time: world.now });
  // The look at the tree one second after the start has seen the session.
  await machine.pass(1_100);
  machine.remove(ESCAPEE);
  await machine.pass(between);
  machine.add({ pid: ESCAPEE, start_time: world.now });
  world.crash();
  await machine.pass(2_000);
  expect(machine.signals).toEqual(signals);
  await stop();
});
