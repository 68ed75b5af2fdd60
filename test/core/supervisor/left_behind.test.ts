/**
 * The search for what incarnations have left behind, on a machine in memory and real files.
 */
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { fileKey, type Host } from '../../../core/host/host.ts';
import { startSupervisor } from '../../../core/supervisor/start.ts';
import type { Supervisor } from '../../../core/supervisor/supervisor.ts';
import { builtInPlugins } from '../../../plugins/mod.ts';
import { FakeMachine } from '../process/fake_machine.ts';

const UPKEEP = 50;
const STRANGER = 300;
const ESCAPEE = 301;

/** An upkeep with one service, in a world whose time goes on only when it is told. */
class World {
  readonly machine = new FakeMachine({ pid: UPKEEP, start_time: 1 });
  readonly dir = mkdtempSync(join(tmpdir(), 'upkeep-left-'));
  readonly #exits = new Map<number, () => void>();
  readonly #environ = this.machine.host.processes.environ;
  #next = 1000;
  /** Called once, in the middle of the next walk over all processes. */
  inNextWalk: (() => void) | null = null;

  readonly host: Host = {
    ...this.machine.host,
    processes: {
      ...this.machine.host.processes,
      environ: (pid) => {
        const meanwhile = this.inNextWalk;
        this.inNextWalk = null;
        meanwhile?.();
        return this.#environ(pid);
      },
    },
    spawner: {
      ...this.machine.host.spawner,
      spawn: ({ env, output_fd }) => {
        const pid = this.#next++;
        const writes = [fileKey(this.host.files.fstatSync(output_fd, { bigint: true }))];
        this.machine.add({ pid, ppid: UPKEEP, start_time: this.now, environ: { ...env }, writes });
        return {
          pid,
          onExit: (told) => void this.#exits.set(pid, () => told({ exit_code: 1, exit_signal: null })),
        };
      },
    },
  };

  constructor() {
    onTestFinished(() => rmSync(this.dir, { recursive: true, force: true }));
    // Processes start at times of the clock on the wall.
    this.machine.clock.wallOffset = 0;
    this.machine.clock.now = 100_000;
  }

  get now(): number {
    return Math.floor(this.machine.clock.now);
  }

  /** The main process that was spawned last. */
  get main(): number {
    return this.#next - 1;
  }

  /** The main process ends. */
  crash(): void {
    const pid = this.main;
    this.machine.remove(pid);
    this.#exits.get(pid)?.();
  }

  /**
   * Starts upkeep with one service, `web`, whose main process has been spawned.
   *
   * @returns its log folder, and what ends it all.
   */
  async start(): Promise<{ folder: string; stop(): Promise<void> }> {
    const { dir } = this;
    const action = { process: true, run: ['work'], restart: { stable_after: '1ms' } };
    writeFileSync(
      join(dir, 'upkeep.json'),
      JSON.stringify({ services: { web: { actions: { main: action } } } }),
    );
    let upkeep: Supervisor | null = null;
    void startSupervisor({
      host: this.host,
      state_dir: join(dir, 'state'),
      spec_file: join(dir, 'upkeep.json'),
      plugins: builtInPlugins,
      recovery: 'as_specified',
      env: {},
      pid: UPKEEP,
      version: 'test',
    }).then((started) => {
      upkeep = started;
    });
    await this.settled(() => upkeep !== null && this.main === 1000);
    const started = upkeep as Supervisor | null;
    const [job] = started?.service('web').actions ?? [];
    return {
      folder: join(dir, 'state', 'logs', 'web', 'main', job?.job_id ?? ''),
      stop: async () => {
        let ended = false;
        void started?.shutdown('core').then(() => {
          ended = true;
        });
        this.crash();
        await this.settled(() => ended);
      },
    };
  }

  /** Lets hardly any time go by, but as much of the machine's own as it takes: files are real. */
  async settled(is: () => boolean): Promise<void> {
    while (!is()) await this.machine.pass(0.001);
  }
}

it('takes nobody for left behind who writes to what has got the number of a log that is gone', async () => {
  const world = new World();
  const { machine } = world;
  const { folder, stop } = await world.start();
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
  const { stop } = await world.start();
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
