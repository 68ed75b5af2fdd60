import { once } from 'node:events';
import * as fs from 'node:fs';
import { connect, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Host } from '../../../core/host/host.ts';
import { ProbeHost } from '../../../core/reclaim/look_up.ts';
import { aTarget, tcp, udp } from './builders.ts';
import { hasPython, Machine, replacing } from './machine.ts';

let machine: Machine;

beforeEach(() => {
  machine = new Machine();
});

afterEach(() => machine.dispose());

const FREE = { outcome: 'free' };
const LOOPBACK = '127.0.0.1';

function codes(): string[] {
  return machine.notes.map(({ code }) => code);
}

describe('case 1: a PID file that names a live stranger', () => {
  it('leaves the stranger alone, removes the file, and goes on', async () => {
    const stranger = await machine.holder({});
    const pid_file = machine.path('web.pid');
    fs.writeFileSync(pid_file, `${stranger.pid}\n`);
    expect(await machine.reclaim(aTarget({ singleton: true }, { pid_file }))).toEqual(FREE);
    expect(machine.alive(stranger)).toBe(true);
    expect(fs.existsSync(pid_file)).toBe(false);
    expect(machine.notes).toMatchObject([
      { code: 'PIDFILE_REUSED', evidence: { pid_file, holder: { pid: stranger.pid, class: 'foreign' } } },
    ]);
  });

  it('leaves one alone that started after the file was written, though it runs the same program', async () => {
    const twin = await machine.holder({});
    const pid_file = machine.path('web.pid');
    fs.writeFileSync(pid_file, `${twin.pid}\n`);
    fs.utimesSync(pid_file, 1000, 1000);
    const run = machine.host.processes.argv(twin.pid) ?? [];
    const target = aTarget({ singleton: true, run, cwd: machine.folder }, { pid_file });
    expect(await machine.reclaim(target)).toEqual(FREE);
    expect(machine.alive(twin)).toBe(true);
    expect(codes()).toEqual(['PIDFILE_REUSED']);
  });
});

describe('a vetted PID file', () => {
  async function running(): Promise<{
    pid: number;
    target: (singleton: boolean) => ReturnType<typeof aTarget>;
  }> {
    const other = await machine.holder({});
    const pid_file = machine.path('web.pid');
    fs.writeFileSync(pid_file, `${other.pid}\n`);
    const run = ['node', ...(machine.host.processes.argv(other.pid) ?? []).slice(1)];
    const search_path = `/nowhere:${fs.realpathSync(process.execPath).replace(/\/[^/]*$/, '')}`;
    return {
      pid: other.pid,
      target: (singleton) => aTarget({ singleton, run, cwd: machine.folder }, { pid_file, search_path }),
    };
  }

  it('has its process stopped for a singleton, and is removed', async () => {
    const { pid, target } = await running();
    expect(await machine.reclaim(target(true))).toEqual(FREE);
    expect(machine.host.processes.stat(pid)).toBeNull();
    expect(fs.existsSync(machine.path('web.pid'))).toBe(false);
    expect(machine.notes).toMatchObject([
      { code: 'RECLAIMED', evidence: { holder: { pid } } },
      { code: 'RECLAIMED', evidence: { pid_file: machine.path('web.pid') } },
    ]);
  });

  it('blocks where there is no permission, and nothing is touched', async () => {
    const { pid, target } = await running();
    expect(await machine.reclaim(target(false))).toMatchObject({
      outcome: 'blocked',
      reason: { code: 'PIDFILE_HELD', evidence: { holder: { pid } } },
    });
    expect(machine.host.processes.stat(pid)).not.toBeNull();
    expect(fs.existsSync(machine.path('web.pid'))).toBe(true);
    expect(machine.notes).toEqual([]);
  });
});

describe('case 2: what the last incarnation left behind', () => {
  it('stops a grandchild in a session of its own that still holds the port', async () => {
    const child = { tcp: { host: LOOPBACK, port: 0 }, detached: true } as const;
    const main = await machine.holder({ child }, machine.marked('j1', 2));
    const port = main.child?.tcp ?? 0;
    await machine.kill(main);
    const target = aTarget({ tcp_ports: [tcp(port)] }, { last: main.identity });
    expect(await machine.reclaim(target)).toEqual(FREE);
    expect(machine.alive(main.child ?? main)).toBe(false);
    expect(machine.notes).toMatchObject([
      {
        code: 'RECLAIMED',
        message: expect.stringContaining('of incarnation 2'),
        evidence: { claim: `tcp:${port}`, holder: { pid: main.child?.pid, class: 'own_earlier' } },
      },
    ]);
  });

  it('knows it by its session where its environment was wiped', async () => {
    const child = { tcp: { host: LOOPBACK, port: 0 }, detached: true, wiped: true } as const;
    const main = await machine.holder({ child }, machine.marked('j1', 2));
    const port = main.child?.tcp ?? 0;
    await machine.kill(main);
    const target = aTarget({ tcp_ports: [tcp(port)] }, { last: main.identity });
    expect(await machine.reclaim(target)).toMatchObject({
      reason: { evidence: { holder: { class: 'foreign' } } },
    });
    const jobOfSession = (session: number) =>
      session === main.child?.pid ? { job_id: 'j1', incarnation: 2 } : null;
    expect(await machine.reclaim(target, machine.world({ jobOfSession }))).toEqual(FREE);
    expect(machine.alive(main.child ?? main)).toBe(false);
  });

  it('stops a member of its group that holds nothing', async () => {
    const main = await machine.holder({ child: {} }, machine.marked('j1', 2));
    await machine.kill(main);
    expect(machine.alive(main.child ?? main)).toBe(true);
    expect(await machine.reclaim(aTarget({}, { last: main.identity }))).toEqual(FREE);
    expect(machine.alive(main.child ?? main)).toBe(false);
    expect(codes()).toEqual(['RECLAIMED']);
  });

  it('stops the main process itself, of which nothing was recorded but its marker and its PID file', async () => {
    const main = await machine.holder({}, machine.marked('j1', 2));
    const pid_file = machine.path('web.pid');
    fs.writeFileSync(pid_file, `${main.pid}\n`);
    expect(await machine.reclaim(aTarget({}, { pid_file }))).toEqual(FREE);
    expect(machine.alive(main)).toBe(false);
  });

  it('stops no other managed job, of this upkeep or another, whatever is allowed', async () => {
    for (const [job, instance] of [['j9'], ['j1', 'beef']] as const) {
      const other = await machine.holder(
        { tcp: { host: LOOPBACK, port: 0 } },
        machine.marked(job, 0, instance),
      );
      const target = aTarget({ tcp_ports: [tcp(other.tcp ?? 0)], singleton: true });
      expect(await machine.reclaim(target)).toMatchObject({
        outcome: 'blocked',
        reason: { code: 'PORT_HELD', evidence: { holder: { class: 'managed', job_id: job } } },
      });
      expect(machine.alive(other)).toBe(true);
    }
  });
});

describe('case 3: a stranger that holds a claim', () => {
  it('is left alone and named without permission, and the way is free once it leaves', async () => {
    const stranger = await machine.holder({ tcp: { host: LOOPBACK, port: 0 } });
    const target = aTarget({ tcp_ports: [tcp(stranger.tcp ?? 0)] });
    expect(await machine.reclaim(target)).toMatchObject({
      outcome: 'blocked',
      reason: {
        code: 'PORT_HELD',
        message: expect.stringMatching(/is held by pid \d+ \(.*reclaim_holder.*no kill_other or singleton/),
        evidence: {
          claim: `tcp:${stranger.tcp}`,
          holder: { pid: stranger.pid, start_time: stranger.identity.start_time, class: 'foreign' },
        },
      },
    });
    expect(machine.alive(stranger)).toBe(true);
    await machine.kill(stranger);
    expect(await machine.reclaim(target)).toEqual(FREE);
    expect(machine.notes).toEqual([]);
  });

  it('is stopped for a singleton, on TCP, UDP and a Unix socket at once, and the socket file is removed', async () => {
    const unix = machine.path('web.sock');
    const holders = [
      await machine.holder({ tcp: { host: LOOPBACK, port: 0 } }),
      await machine.holder({ udp: { host: LOOPBACK, port: 0 } }),
      await machine.holder({ unix }),
    ] as const;
    const target = aTarget({
      singleton: true,
      tcp_ports: [tcp(holders[0].tcp ?? 0)],
      udp_ports: [udp(holders[1].udp ?? 0, LOOPBACK)],
      sockets: [unix],
    });
    expect(await machine.reclaim(target)).toEqual(FREE);
    expect(holders.map((holder) => machine.alive(holder))).toEqual([false, false, false]);
    expect(fs.existsSync(unix)).toBe(false);
    expect(codes()).toEqual(['RECLAIMED', 'RECLAIMED', 'RECLAIMED', 'RECLAIMED']);
  });

  it('is stopped for what kill_other lists, and for nothing else', async () => {
    const own = await machine.holder({ tcp: { host: LOOPBACK, port: 0 } });
    const extra = await machine.holder({
      tcp: { host: LOOPBACK, port: 0 },
      unix: machine.path('extra.sock'),
    });
    const kill_other = { ports: [tcp(extra.tcp ?? 0)], sockets: [], process_filters: [] };
    const target = aTarget({ tcp_ports: [tcp(own.tcp ?? 0)], kill_other });
    expect(await machine.reclaim(target)).toMatchObject({
      outcome: 'blocked',
      reason: { code: 'PORT_HELD' },
    });
    expect([machine.alive(own), machine.alive(extra)]).toEqual([true, true]);
    await machine.kill(own);
    expect(await machine.reclaim(target)).toEqual(FREE);
    expect(machine.alive(extra)).toBe(false);
    // Its dead socket is not this action's.
    expect(fs.existsSync(machine.path('extra.sock'))).toBe(true);
  });

  it('is stopped where its command line matches a filter', async () => {
    const secret = machine.path('filter-me.sock');
    const matched = await machine.holder({ unix: secret });
    const other = await machine.holder({});
    const managed = await machine.holder({ unix: machine.path('filter-me.too') }, machine.marked('j9', 0));
    const kill_other = { ports: [], sockets: [], process_filters: [`*${machine.path('filter-me.')}*`] };
    expect(await machine.reclaim(aTarget({ kill_other }))).toEqual(FREE);
    expect([matched, other, managed].map((holder) => machine.alive(holder))).toEqual([false, true, true]);
  });

  it('gets SIGKILL after the grace time', async () => {
    const stubborn = await machine.holder({ tcp: { host: LOOPBACK, port: 0 }, ignore_term: true });
    const target = aTarget({
      singleton: true,
      tcp_ports: [tcp(stubborn.tcp ?? 0)],
      stop: { signal: 'SIGTERM', timeout: 100 },
    });
    const exit = once(stubborn.process, 'exit');
    expect(await machine.reclaim(target)).toEqual(FREE);
    expect(await exit).toEqual([null, 'SIGKILL']);
  });

  it('that shares its socket with others is stopped with them', async () => {
    // A parent and a child that inherited nothing: two holders of one port by SO_REUSEPORT would need an option that
    // Node lacks, so two addresses of one wildcard claim stand in.
    const first = await machine.holder({ tcp: { host: LOOPBACK, port: 0 } });
    const port = first.tcp ?? 0;
    const second = await machine.holder({ tcp: { host: '127.0.0.2', port } });
    expect(await machine.reclaim(aTarget({ singleton: true, tcp_ports: [tcp(port)] }))).toEqual(FREE);
    expect([machine.alive(first), machine.alive(second)]).toEqual([false, false]);
  });

  it('is no conflict on another address', async () => {
    const neighbour = await machine.holder({ tcp: { host: '127.0.0.2', port: 0 } });
    const target = aTarget({ singleton: true, tcp_ports: [tcp(neighbour.tcp ?? 0, LOOPBACK)] });
    expect(await machine.reclaim(target)).toEqual(FREE);
    expect(machine.alive(neighbour)).toBe(true);
  });

  it('is never upkeep itself', async () => {
    const server = createServer().listen(0, LOOPBACK);
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    expect(await machine.reclaim(aTarget({ singleton: true, tcp_ports: [tcp(port)] }))).toMatchObject({
      reason: { code: 'PORT_HELD', evidence: { holder: { pid: process.pid, class: 'protected' } } },
    });
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('case 4: what is at the path of a socket', () => {
  function accepts(path: string): Promise<boolean> {
    return new Promise((resolve) => {
      const client = connect(path);
      client.once('error', () => resolve(false));
      client.once('connect', () => {
        client.destroy();
        resolve(true);
      });
    });
  }

  it('a live one is never unlinked', async () => {
    const path = machine.path('web.sock');
    const stranger = await machine.holder({ unix: path });
    const before = fs.lstatSync(path).ino;
    // Nor is it connected to: that would fill a stranger's backlog.
    const net = replacing(machine.host.net, { connectUnix: async () => expect.unreachable() });
    const world = machine.world({ host: { ...machine.host, net } });
    expect(await machine.reclaim(aTarget({ sockets: [path] }), world)).toMatchObject({
      outcome: 'blocked',
      reason: { code: 'SOCKET_HELD', evidence: { holder: { pid: stranger.pid } } },
    });
    expect(fs.lstatSync(path).ino).toBe(before);
    expect(await accepts(path)).toBe(true);
  });

  it('a live one that was bound by a relative path is never unlinked', async () => {
    await machine.holder({ unix: 'web.sock' });
    const path = machine.path('web.sock');
    expect(await machine.reclaim(aTarget({ sockets: [path] }))).toMatchObject({
      reason: { code: 'SOCKET_HELD' },
    });
    expect(await accepts(path)).toBe(true);
  });

  it('a live one that is reached through another folder is never unlinked', async () => {
    fs.mkdirSync(machine.path('run'));
    fs.symlinkSync(machine.path('run'), machine.path('var'));
    const stranger = await machine.holder({ unix: machine.path('var/web.sock') });
    const path = machine.path('run/web.sock');
    expect(await machine.reclaim(aTarget({ sockets: [path] }))).toMatchObject({
      reason: { code: 'SOCKET_HELD' },
    });
    expect(machine.alive(stranger)).toBe(true);
    expect(await accepts(path)).toBe(true);
  });

  it('a stale one is removed', async () => {
    const path = machine.path('web.sock');
    await machine.staleSocket(path);
    expect(await machine.reclaim(aTarget({ sockets: [path] }))).toEqual(FREE);
    expect(fs.existsSync(path)).toBe(false);
    expect(machine.notes).toMatchObject([{ code: 'RECLAIMED', evidence: { claim: `socket:${path}` } }]);
  });

  it('what is no socket is never removed, even to make way', async () => {
    const real = machine.path('real.sock');
    await machine.staleSocket(real);
    const make: Record<string, (path: string) => void> = {
      'a regular file': (path) => fs.writeFileSync(path, 'precious'),
      'a symlink': (path) => fs.symlinkSync(real, path),
      'a folder': (path) => fs.mkdirSync(path),
    };
    for (const [found, create] of Object.entries(make)) {
      const path = machine.path(found);
      create(path);
      const kill_other = { ports: [], sockets: [path], process_filters: [] };
      expect(await machine.reclaim(aTarget({ sockets: [path], singleton: true, kill_other }))).toMatchObject({
        outcome: 'blocked',
        reason: { code: 'SOCKET_NOT_A_SOCKET', evidence: { found } },
      });
      expect(fs.lstatSync(path)).toBeDefined();
    }
    expect(fs.lstatSync(real).isSocket()).toBe(true);
    expect(machine.notes).toEqual([]);
  });

  it('nothing, or not even a folder, is free', async () => {
    const sockets = [machine.path('none.sock'), machine.path('none/web.sock'), '@upkeep-nobody'];
    expect(await machine.reclaim(aTarget({ sockets }))).toEqual(FREE);
    expect(fs.readdirSync(machine.folder)).toEqual([]);
  });

  it('an abstract one is held while its holder lives', async () => {
    const name = `upkeep-test-${process.pid}-${Date.now()}`;
    const stranger = await machine.holder({ unix: `\0${name}` });
    const target = aTarget({ sockets: [`@${name}`] });
    expect(await machine.reclaim(target)).toMatchObject({
      reason: { code: 'SOCKET_HELD', evidence: { holder: { pid: stranger.pid } } },
    });
    expect(await machine.reclaim(aTarget({ sockets: [`@${name}-other`] }))).toEqual(FREE);
    await machine.kill(stranger);
    expect(await machine.reclaim(target)).toEqual(FREE);
  });

  it.skipIf(!hasPython)('a datagram socket is held (needs python3 to bind one)', async () => {
    // Bound by a relative path, so that only the answer to connecting (EPROTOTYPE) tells.
    await machine.oddHolder('datagram', 'dgram.sock');
    const path = machine.path('dgram.sock');
    expect(await machine.reclaim(aTarget({ sockets: [path] }))).toMatchObject({
      reason: { code: 'SOCKET_HELD' },
    });
    expect(fs.existsSync(path)).toBe(true);
  });

  it.skipIf(!hasPython)(
    'a socket that is bound and does not listen is held (needs python3 to bind one)',
    async () => {
      fs.symlinkSync(machine.folder, machine.path('here'));
      const paths = [machine.path('silent-0.sock'), 'silent-1.sock', machine.path('here/silent-2.sock')];
      for (const [index, path] of paths.entries()) {
        const holder = await machine.oddHolder('silent', path);
        const target = aTarget({ sockets: [machine.path(`silent-${index}.sock`)] });
        expect(await machine.reclaim(target)).toMatchObject({ reason: { code: 'SOCKET_HELD' } });
        expect(fs.existsSync(machine.path(`silent-${index}.sock`))).toBe(true);
        await machine.kill(holder);
        expect(await machine.reclaim(target)).toEqual(FREE);
      }
    },
  );

  it('a socket that took the place of the stale one after the looks is not unlinked', async () => {
    const path = machine.path('web.sock');
    await machine.staleSocket(path);
    const server = createServer();
    let looks = 0;
    const net: Host['net'] = {
      ...machine.host.net,
      connectUnix: async (asked) => {
        const answer = await machine.host.net.connectUnix(asked);
        // Between the second look and the unlink. The file system may well give it the same inode again.
        if (++looks === 2) {
          fs.unlinkSync(path);
          await once(server.listen(path), 'listening');
        }
        return answer;
      },
    };
    const result = await machine.reclaim(
      aTarget({ sockets: [path] }),
      machine.world({ host: { ...machine.host, net } }),
    );
    expect(result).toMatchObject({ outcome: 'blocked', reason: { code: 'SOCKET_HELD' } });
    expect(await accepts(path)).toBe(true);
    expect(machine.notes).toEqual([]);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('the fast path', () => {
  it('walks no process table and asks no probe while nothing is in the way', async () => {
    const main = await machine.holder({}, machine.marked('j1', 2));
    await machine.kill(main);
    const pid_file = machine.path('web.pid');
    fs.writeFileSync(pid_file, `${main.pid}\n`);
    await machine.staleSocket(machine.path('web.sock'));
    const processes = replacing(machine.host.processes, {
      list: () => {
        throw new Error('walked');
      },
    });
    const probe = {
      name: 'none',
      available: () => {
        throw new Error('asked');
      },
      holders: () => {
        throw new Error('asked');
      },
    };
    const target = aTarget(
      { sockets: [machine.path('web.sock')], tcp_ports: [tcp(await machine.freePort())] },
      { pid_file, last: main.identity },
    );
    const world = machine.world({
      host: { ...machine.host, processes },
      probes: new ProbeHost(machine.host, [probe], () => {}),
    });
    expect(await machine.reclaim(target, world)).toEqual(FREE);
    expect(fs.readdirSync(machine.folder)).toEqual([]);
    expect(codes()).toEqual(['RECLAIMED']);
  });

  it('looks for nothing of an incarnation whose end was seen, not even in a PID file of its own', async () => {
    const main = await machine.holder({}, machine.marked('j1', 2));
    await machine.kill(main);
    const pid_file = machine.path('web.pid');
    fs.writeFileSync(pid_file, `${main.pid}\n`);
    const asked: number[] = [];
    const processes = replacing(machine.host.processes, {
      groupExists: (pgid) => {
        asked.push(pgid);
        return false;
      },
    });
    const world = machine.world({ host: { ...machine.host, processes } });
    const seen = { pid_file, last: main.identity, last_gone: true };
    expect(await machine.reclaim(aTarget({}, seen), world)).toEqual(FREE);
    expect(asked).toEqual([]);
    expect(fs.existsSync(pid_file)).toBe(true);
    // One that the service file names may be the program's own: it does not find it there when it starts.
    expect(await machine.reclaim(aTarget({ pid_file }, seen), world)).toEqual(FREE);
    expect(fs.existsSync(pid_file)).toBe(false);
    expect(await machine.reclaim(aTarget({}, { ...seen, last_gone: false }), world)).toEqual(FREE);
    expect(asked).toEqual([main.pid]);
  });
});

describe('giving up', () => {
  it('returns at once while it waits for a holder to end', async () => {
    const stubborn = await machine.holder({ tcp: { host: LOOPBACK, port: 0 }, ignore_term: true });
    const target = aTarget({
      singleton: true,
      tcp_ports: [tcp(stubborn.tcp ?? 0)],
      stop: { signal: 'SIGTERM', timeout: 3_600_000 },
    });
    const abort = new AbortController();
    const processes = replacing(machine.host.processes, {
      signal: (identity, signal) => {
        setTimeout(() => abort.abort(), 0);
        return machine.host.processes.signal(identity, signal);
      },
    });
    const world = machine.world({ host: { ...machine.host, processes } });
    const result = machine.reclaim(target, world, abort.signal);
    expect(await result).toMatchObject({ outcome: 'blocked', reason: { code: 'REQUESTED' } });
    expect(machine.alive(stubborn)).toBe(true);
  });

  it('touches nothing where it was given up before', async () => {
    await machine.staleSocket(machine.path('web.sock'));
    const target = aTarget({ sockets: [machine.path('web.sock')] });
    await machine.reclaim(target, machine.world(), AbortSignal.abort());
    expect(fs.existsSync(machine.path('web.sock'))).toBe(true);
  });
});
