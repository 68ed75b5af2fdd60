/**
 * The whole core on the real host, with one part of the host or one plugin swapped.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Host, Processes } from '../../../core/host/host.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import type { Probe } from '../../../core/plugin/probe.ts';
import type { SupervisorOptions } from '../../../core/supervisor/options.ts';
import { SpecError } from '../../../core/supervisor/service_file.ts';
import { AlreadyRunning, startSupervisor } from '../../../core/supervisor/start.ts';
import type { Supervisor } from '../../../core/supervisor/supervisor.ts';
import { builtInPlugins } from '../../../plugins/mod.ts';
import { escapeeOf } from '../../support/escapee.ts';
import { alive, freePort, signalMain } from '../../support/sandbox.ts';
import { until } from '../../support/until.ts';

const SERVICE = fileURLToPath(new URL('../../fixtures/service.mjs', import.meta.url));

let dir: string;
const started: Supervisor[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'upkeep-core-'));
});
afterEach(async () => {
  for (const supervisor of started.splice(0)) await supervisor.shutdown('core');
  rmSync(dir, { recursive: true, force: true });
});

function write(services: object): void {
  writeFileSync(join(dir, 'upkeep.json'), JSON.stringify({ services }));
}

async function start(
  host: Host = nodeHost(),
  probes: readonly Probe[] = builtInPlugins.probes,
  other: Partial<SupervisorOptions> = {},
): Promise<Supervisor> {
  const options: SupervisorOptions = {
    host,
    state_dir: join(dir, 'state'),
    spec_file: join(dir, 'upkeep.json'),
    plugins: { ...builtInPlugins, probes },
    recovery: 'as_specified',
    env: process.env,
    pid: process.pid,
    version: 'test',
  };
  // Getters stay such.
  const supervisor = await startSupervisor(
    Object.defineProperties(options, Object.getOwnPropertyDescriptors(other)),
  );
  started.push(supervisor);
  return supervisor;
}

const action = (supervisor: Supervisor, name: string) => {
  const [only] = supervisor.service(name).actions;
  if (only === undefined) throw new Error(`${name} has no action`);
  return only;
};

const sleeper = (extra: object = {}): object => ({
  actions: { main: { process: true, run: ['sleep', '1000'], stop: { timeout: '1s' }, ...extra } },
});

describe('a start that fails half-way', () => {
  it.each([
    [
      'before all parts are there',
      {
        get env(): NodeJS.ProcessEnv {
          throw new Error('no environment');
        },
      },
    ],
    [
      'once they are',
      {
        get pid(): number {
          // It is asked for when the first event is written, after all parts are made.
          if (new Error().stack?.includes('goOn') === true) throw new Error('no pid');
          return process.pid;
        },
      },
    ],
  ])('lets go of the store and the lock, %s', async (_, broken) => {
    write({ web: sleeper() });
    await expect(start(nodeHost(), builtInPlugins.probes, broken)).rejects.toThrow(/^no /);
    // The descriptors themselves go with the garbage only. That it was closed is told by the log, which is empty then.
    expect(statSync(join(dir, 'state', 'upkeep.db-wal')).size).toBe(0);
    const supervisor = await start();
    expect(supervisor.health().store).toBeNull();
  });
});

describe('a shutdown whose look for escapees takes longer than all grace times', () => {
  it('leaves none behind', async () => {
    const host = nodeHost();
    let slow = false;
    let pause = 0;
    const record = join(dir, 'record');
    write({
      web: sleeper({
        run: [process.execPath, SERVICE],
        env: { RECORD: record, ESCAPEE: 'wiped' },
        stop: { timeout: '100ms' },
      }),
    });
    const supervisor = await start({
      ...host,
      clock: {
        mono: () => host.clock.mono(),
        wall: () => host.clock.wall(),
        timer: (delay, callback) => {
          const later = host.clock.timer(delay + (delay === 0 ? pause : 0), callback);
          if (delay === 0) pause = 0;
          return later;
        },
      },
      processes: new Proxy(host.processes, {
        get: (processes, name: keyof Processes) => {
          const value = processes[name];
          if (typeof value !== 'function') return value;
          if (name !== 'environ') return value.bind(processes);
          return (pid: number) => {
            if (slow) {
              // The walk gives way to others, and its turn comes late.
              slow = false;
              pause = 3_000;
              for (const until = host.clock.mono() + 10; host.clock.mono() < until; );
            }
            return processes.environ(pid);
          };
        },
      }),
    });
    const escapee = await escapeeOf(record);
    slow = true;
    await supervisor.shutdown('core');
    expect(alive(escapee)).toBe(false);
    expect(slow).toBe(false);
  });
});

describe('a shutdown right after a crash', () => {
  it('leaves nothing behind that was still to be searched for', async () => {
    const record = join(dir, 'record');
    write({
      web: sleeper({
        run: [process.execPath, SERVICE],
        env: { RECORD: record, ESCAPEE: 'wiped' },
        restart: { delay: '1h', max_delay: '1h' },
        stop: { timeout: '100ms' },
      }),
    });
    const supervisor = await start();
    const escapee = await escapeeOf(record);
    signalMain(action(supervisor, 'web'), 'SIGKILL');
    await until(() => action(supervisor, 'web').phase === 'retrying');
    await supervisor.shutdown('core');
    expect(alive(escapee)).toBe(false);
  });
});

describe('case 11: a hung probe', () => {
  it('keeps no other service from its times, and falls back', async () => {
    const port = await freePort();
    const stranger = createServer().listen(port, '127.0.0.1');
    let asked = 0;
    const hung: Probe = {
      name: 'hung',
      available: async () => true,
      holders: () => {
        asked += 1;
        return new Promise(() => {});
      },
    };
    write({
      blocked: {
        actions: {
          main: {
            process: true,
            run: [process.execPath, SERVICE],
            env: { TCP_PORT: String(port) },
            tcp_ports: [port],
          },
        },
      },
      other: sleeper({ restart: { delay: '10ms', factor: 1, stable_after: '50ms' } }),
    });
    const supervisor = await start(nodeHost(), [hung, ...builtInPlugins.probes]);
    await until(() => asked > 0 && action(supervisor, 'other').phase === 'running');
    for (let count = 1; count <= 5; count += 1) {
      signalMain(action(supervisor, 'other'), 'SIGKILL');
      await until(
        () =>
          action(supervisor, 'other').restart_count === count &&
          action(supervisor, 'other').phase === 'running',
      );
    }
    // All of that happened while the very first question was still without an answer.
    expect(asked).toBe(1);
    expect(action(supervisor, 'blocked').phase).toBe('preparing');
    await until(() => action(supervisor, 'blocked').reason?.code === 'PORT_HELD');
    await new Promise((resolve) => stranger.close(resolve));
    await supervisor.stop('blocked', 'core');
  });
});

describe('the probes of the service file', () => {
  const claim = { kind: 'tcp', address: null, port: 9 } as const;
  const fake = (name: string, ...pids: number[]): Probe => ({
    name,
    available: async () => true,
    holders: async (_, { processes }) => ({
      complete: true,
      holders: pids.map((pid) => {
        const process = processes.identity(pid);
        return { claim, process, address: null, command: name, fd: null, inode: null };
      }),
    }),
  });
  const writeProbes = (probes: object): void =>
    writeFileSync(join(dir, 'upkeep.json'), JSON.stringify({ services: {}, probes }));

  it('are asked in its order, from the next look after it was read again', async () => {
    writeProbes({ order: ['b'] });
    const supervisor = await start(nodeHost(), [fake('a', process.pid), fake('b')]);
    expect((await supervisor.holders(claim)).holders).toEqual([]);
    writeProbes({ order: ['a', 'b'] });
    expect(await supervisor.reload('core')).toBeNull();
    expect((await supervisor.holders(claim)).holders).toMatchObject([{ command: 'a' }]);
    writeProbes({ order: ['c'] });
    expect(await supervisor.reload('core')).toMatchObject([{ path: 'probes.order[0]' }]);
    expect((await supervisor.holders(claim)).holders).toMatchObject([{ command: 'a' }]);
  });

  it('are told of as an event where two of a quorum disagree', async () => {
    writeProbes({ quorum: 2 });
    const supervisor = await start(nodeHost(), [fake('a', process.pid), fake('b')]);
    for (let n = 0; n < 3; n += 1) {
      expect(await supervisor.holders(claim)).toMatchObject({ holders: [{ command: 'a' }], complete: true });
    }
    const told = () => supervisor.events({}).filter(({ code }) => code === 'PROBE_DISAGREEMENT');
    await until(() => told().length > 0);
    expect(told().map(({ message }) => message)).toEqual([
      `a and b disagree about tcp:9: a saw pid ${process.pid}, b saw nobody; it counts as held`,
    ]);
  });
});

describe('case 12: the clock jumps an hour', () => {
  it.each([3_600_000, -3_600_000])('by %i ms: no early and no late restart', async (jump) => {
    let offset = 0;
    const real = nodeHost();
    const host: Host = { ...real, clock: { ...real.clock, wall: () => real.clock.wall() + offset } };
    write({
      calm: sleeper({ restart: { stable_after: '100ms' } }),
      failing: {
        actions: {
          main: {
            process: true,
            run: ['false'],
            restart: { delay: '400ms', factor: 1, jitter: 0, stable_after: '1h' },
          },
        },
      },
    });
    const supervisor = await start(host);
    await until(
      () =>
        action(supervisor, 'failing').restart_count >= 1 && action(supervisor, 'calm').phase === 'running',
    );
    offset = jump;
    const before = action(supervisor, 'failing').restart_count;
    const begun = performance.now();
    await until(() => action(supervisor, 'failing').restart_count >= before + 3);
    // Not early: three restarts need at least two whole pauses. Not late: they came at all, and not an hour later.
    expect(performance.now() - begun).toBeGreaterThan(2 * 400 - 50);
    expect(action(supervisor, 'calm')).toMatchObject({ phase: 'running', restart_count: 0 });
  });
});

describe('two upkeeps on one state folder', () => {
  it('are not possible: the second refuses and changes nothing', async () => {
    write({ calm: sleeper() });
    const supervisor = await start();
    await until(() => action(supervisor, 'calm').phase === 'running');
    await expect(start()).rejects.toThrow(AlreadyRunning);
    expect(action(supervisor, 'calm')).toMatchObject({ phase: 'running', restart_count: 0 });
  });
});

describe('a wrong service file', () => {
  it('is refused at the start', async () => {
    write({ calm: { actions: { main: { run: 7 } } } });
    await expect(start()).rejects.toThrow(SpecError);
  });

  it('is refused on reload, and nothing changes', async () => {
    write({ calm: sleeper() });
    const supervisor = await start();
    await until(() => action(supervisor, 'calm').phase === 'running');
    const before = supervisor.service('calm');
    write({ calm: { actions: { main: { process: 'maybe' } } }, other: sleeper() });
    expect(await supervisor.reload('cli')).not.toBeNull();
    expect(supervisor.service('calm')).toEqual(before);
    expect(supervisor.services()).toHaveLength(1);
  });
});

describe('reload', () => {
  it('starts what is new, stops what is gone, restarts what has changed and nothing else', async () => {
    write({ same: sleeper(), changed: sleeper(), gone: sleeper() });
    const supervisor = await start();
    await until(() => supervisor.services().every(({ state }) => state === 'up'));
    const same = action(supervisor, 'same');
    const changed = action(supervisor, 'changed');
    const gone = action(supervisor, 'gone');
    write({ same: sleeper(), changed: sleeper({ env: { A: '1' } }), added: sleeper() });
    expect(await supervisor.reload('cli')).toBeNull();
    await until(
      () => supervisor.services().length === 3 && supervisor.services().every(({ state }) => state === 'up'),
    );
    await until(() => action(supervisor, 'changed').restart_count === 1);
    expect(action(supervisor, 'same')).toEqual(same);
    expect(action(supervisor, 'changed').job_id).toBe(changed.job_id);
    expect(() => readFileSync(`/proc/${gone.pid}/stat`)).toThrow();
  });
});

describe('a oneshot', () => {
  it('is done before what comes after it, and never again in the run', async () => {
    const record = join(dir, 'record');
    write({
      shop: {
        actions: {
          migrate: { run: `echo migrate >> ${record}` },
          web: {
            process: true,
            run: `echo web >> ${record}; exec sleep 1000`,
            after: ['migrate'],
            stop: { timeout: '1s' },
          },
        },
      },
    });
    const supervisor = await start();
    await until(() => supervisor.service('shop').state === 'up');
    // Up it is with its spawn; a restart that comes before its first line would leave that out.
    await until(() => readFileSync(record, 'utf8') === 'migrate\nweb\n');
    supervisor.restart('shop', 'core');
    await until(() => supervisor.service('shop').actions.some(({ restart_count }) => restart_count === 1));
    await until(() => supervisor.service('shop').state === 'up');
    await until(() => readFileSync(record, 'utf8') === 'migrate\nweb\nweb\n');
  });
});
