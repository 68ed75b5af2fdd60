/**
 * An upkeep with one service on a machine in memory, whose time goes on only when it is told, and real files.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { fileKey, type Host, type Spawner } from '../../../core/host/host.ts';
import { startSupervisor } from '../../../core/supervisor/start.ts';
import type { Supervisor } from '../../../core/supervisor/supervisor.ts';
import { builtInPlugins } from '../../../plugins/mod.ts';
import { FakeMachine } from '../process/fake_machine.ts';

/** upkeep's own pid. */
export const UPKEEP = 50;

/** See the top of this file. */
export class StillWorld {
  readonly machine = new FakeMachine({ pid: UPKEEP, start_time: 1 });
  readonly dir = mkdtempSync(join(tmpdir(), 'upkeep-still-'));
  readonly #exits = new Map<number, () => void>();
  #next = 1000;

  constructor() {
    onTestFinished(() => rmSync(this.dir, { recursive: true, force: true }));
    // Processes start at times of the clock on the wall.
    this.machine.clock.wallOffset = 0;
    this.machine.clock.now = 100_000;
  }

  get host(): Host {
    return { ...this.machine.host, spawner: { ...this.machine.host.spawner, spawn: this.spawn } };
  }

  get now(): number {
    return Math.floor(this.machine.clock.now);
  }

  /** The main process that was spawned last; the first one is 1000. */
  get main(): number {
    return this.#next - 1;
  }

  /** The main process ends. */
  crash(): void {
    const pid = this.main;
    this.machine.remove(pid);
    this.#exits.get(pid)?.();
  }

  /** Starts upkeep with one service, `web`, whose main process has been spawned. */
  async start(): Promise<Supervisor> {
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
    await this.settled(() => upkeep !== null && this.main >= 1000);
    if (upkeep === null) throw new Error('it is there by now');
    return upkeep;
  }

  /** Ends upkeep and the service. */
  async stop(upkeep: Supervisor): Promise<void> {
    let ended = false;
    void upkeep.shutdown('core').then(() => {
      ended = true;
    });
    this.crash();
    await this.settled(() => ended);
  }

  /** Lets hardly any time go by, but as much of the machine's own as it takes: files are real. */
  async settled(is: () => boolean): Promise<void> {
    while (!is()) await this.machine.pass(0.001);
  }

  protected readonly spawn: Spawner['spawn'] = ({ env, output_fd }) => {
    const pid = this.#next++;
    const writes = [fileKey(this.machine.host.files.fstatSync(output_fd, { bigint: true }))];
    this.machine.add({ pid, ppid: UPKEEP, start_time: this.now, environ: { ...env }, writes });
    return {
      pid,
      onExit: (told) => void this.#exits.set(pid, () => told({ exit_code: 1, exit_signal: null })),
    };
  };
}
