import { once } from 'node:events';
import type * as fs from 'node:fs';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ListenOptions, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Host, Processes } from '../../core/host/host.ts';
import { nodeHost } from '../../core/host/node_host.ts';
import type { ProbeAnswer, ProbeQuery } from '../../core/plugin/probe.ts';
import type { Claim } from '../../core/reclaim/claim.ts';
import { procfsProbe } from '../../plugins/probe_procfs.ts';
import { Fixtures, hasPython } from '../contract/fixture.ts';
import { probeCases } from '../contract/probe.ts';
import { describeContract } from '../contract/vitest.ts';

describe('procfs: the contract', () => describeContract(probeCases(procfsProbe)));

describe('procfs', () => {
  const host = nodeHost();
  const self = host.processes.identity(process.pid);
  const fixtures = new Fixtures();
  const servers: Server[] = [];
  let dir: string;

  beforeEach(() => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'upkeep-procfs-')));
  });

  afterEach(async () => {
    for (const server of servers.splice(0)) server.close();
    await fixtures.end();
    rmSync(dir, { recursive: true, force: true });
  });

  async function listen(options: ListenOptions): Promise<Server> {
    const server = createServer().listen(options);
    servers.push(server);
    await once(server, 'listening');
    return server;
  }

  async function listenTcp(): Promise<Claim> {
    const { port } = (await listen({ host: '127.0.0.1', port: 0 })).address() as { port: number };
    return { kind: 'tcp', address: null, port };
  }

  function ask(claim: Claim, on: Host = host, query: Partial<ProbeQuery> = {}): Promise<ProbeAnswer> {
    return procfsProbe.holders({ claims: [claim], suspects: [], exhaustive: true, ...query }, on);
  }

  it('is not available where there is no Linux', async () => {
    expect(await procfsProbe.available({ ...host, platform: 'darwin' })).toBe(false);
  });

  it('finds a path beyond ASCII', async () => {
    const path = join(dir, 'größe.sock');
    await listen({ path });
    expect((await ask({ kind: 'socket', path })).holders).toMatchObject([{ process: self }]);
  });

  it.skipIf(!hasPython)('tells a relative path by the folder of its process (needs python3)', async () => {
    mkdirSync(join(dir, 'one'));
    mkdirSync(join(dir, 'other'));
    const { pids } = await fixtures.start('hold_odd.py', 'relative', join(dir, 'one'));
    await fixtures.start('hold_odd.py', 'relative', join(dir, 'other'));
    const answer = await ask({ kind: 'socket', path: join(dir, 'one', 'rel.sock') });
    expect(answer.holders.map((holder) => holder.process?.pid)).toEqual(pids);
    expect(answer.complete).toBe(true);
  });

  it.skipIf(!hasPython)(
    'does not know about a relative path that leads nowhere now (needs python3)',
    async () => {
      await fixtures.start('hold_odd.py', 'relative', dir);
      const path = join(dir, 'moved.sock');
      renameSync(join(dir, 'rel.sock'), path);
      expect(await ask({ kind: 'socket', path: join(dir, 'rel.sock') })).toEqual({
        holders: [],
        complete: false,
      });
    },
  );

  it.skipIf(!hasPython)('finds an abstract name of its own length (needs python3)', async () => {
    const name = `upkeep-${process.pid}/a b`;
    const { pids } = await fixtures.start('hold_odd.py', 'abstract', name);
    const { holders } = await ask({ kind: 'socket', path: `@${name}` });
    expect(holders.map((holder) => holder.process?.pid)).toEqual(pids);
  });

  it.skipIf(!hasPython)(
    'does not see a port that is bound only: no table shows it (needs python3)',
    async () => {
      const { port } = await fixtures.start('hold_odd.py', 'bound');
      expect(await ask({ kind: 'tcp', address: null, port })).toEqual({ holders: [], complete: true });
    },
  );

  it('names nobody for a socket that no process has: the kernel, or another namespace', async () => {
    const claim = await listenTcp();
    const others = (): number[] => host.processes.list().filter((pid) => pid !== process.pid);
    const answer = await ask(claim, withProcesses({ list: others }));
    expect(answer.holders).toMatchObject([
      { claim, process: null, address: '127.0.0.1', fd: null, command: '' },
    ]);
    expect(answer.complete).toBe(true);
  });

  it('is not complete where some processes are hidden, and one of them must have the socket', async () => {
    const claim = await listenTcp();
    const list = (): number[] => host.processes.list().filter((pid) => pid !== process.pid);
    const stat: Processes['stat'] = (pid) => (pid === 1 ? null : host.processes.stat(pid));
    const answer = await ask(claim, withProcesses({ list, stat }));
    expect(answer).toMatchObject({ holders: [{ process: null }], complete: false });
  });

  it('is complete where processes are hidden and none of them is needed', async () => {
    const claim = await listenTcp();
    const stat: Processes['stat'] = (pid) => (pid === 1 ? null : host.processes.stat(pid));
    expect(await ask(claim, withProcesses({ stat }))).toMatchObject({
      holders: [{ process: self }],
      complete: true,
    });
  });

  it('forgets a socket that is closed while it looks', async () => {
    const claim = await listenTcp();
    const closing = (): number[] => {
      servers[0]?.close();
      return host.processes.list();
    };
    expect(await ask(claim, withProcesses({ list: closing }))).toEqual({ holders: [], complete: true });
  });

  it('finds a child that was not there yet when it began to look', async () => {
    const claim = await listenTcp();
    let looks = 0;
    const late = (): number[] => {
      looks += 1;
      return looks === 1 ? [] : host.processes.list();
    };
    expect((await ask(claim, withProcesses({ list: late }))).holders).toMatchObject([{ process: self }]);
  });

  it('names nobody by a pid that was given to another process', async () => {
    const claim = await listenTcp();
    const seen = new Set<string>();
    // The second look at a descriptor is at another process that has the pid now.
    const descriptor: Processes['descriptor'] = (pid, fd) => {
      const again = seen.has(`${pid} ${fd}`);
      seen.add(`${pid} ${fd}`);
      return again ? '/dev/null' : host.processes.descriptor(pid, fd);
    };
    const { holders } = await ask(claim, withProcesses({ descriptor }));
    expect(holders).toMatchObject([{ process: null }]);
  });

  it('looks into suspects first, and no further than it has to', async () => {
    const claim = await listenTcp();
    const looked = new Set<number>();
    const descriptor: Processes['descriptor'] = (pid, fd) => {
      looked.add(pid);
      return host.processes.descriptor(pid, fd);
    };
    const on = withProcesses({ descriptor });
    await ask(claim, on, { suspects: [process.pid], exhaustive: false });
    expect([...looked]).toEqual([process.pid]);
    await ask(claim, on, { suspects: [process.pid] });
    expect(looked.size).toBeGreaterThan(1);
  });

  it('looks into the tree below a suspect before all others', async () => {
    const { port, pids } = await fixtures.start('hold_shared.mjs');
    const [parent = 0, child = 0] = pids;
    const looked: number[] = [];
    const descriptor: Processes['descriptor'] = (pid, fd) => {
      if (looked.at(-1) !== pid) looked.push(pid);
      // As if the parent had let go of what it handed on.
      return pid === parent ? '/dev/null' : host.processes.descriptor(pid, fd);
    };
    const query = { suspects: [process.pid], exhaustive: false };
    const { holders } = await ask({ kind: 'tcp', address: null, port }, withProcesses({ descriptor }), query);
    expect(holders.map((holder) => holder.process?.pid)).toEqual([child]);
    expect(looked[0]).toBe(process.pid);
    expect(looked).toContain(parent);
    expect(looked.slice(1).every((pid) => descendsFromUs(pid))).toBe(true);
  });

  it('starts no process, and reads each table once for any number of claims', async () => {
    const claims = await Promise.all([listenTcp(), listenTcp(), listenTcp()]);
    const opened: string[] = [];
    const openSync: typeof fs.openSync = (path, ...rest) => {
      opened.push(String(path));
      return host.files.openSync(path, ...rest);
    };
    const refuse = (): never => {
      throw new Error('started a process');
    };
    const on = {
      ...host,
      files: { ...host.files, openSync },
      spawner: { spawn: refuse, standBy: refuse, run: refuse },
    };
    const { holders } = await procfsProbe.holders({ claims, suspects: [], exhaustive: true }, on);
    expect(holders).toHaveLength(3);
    expect(opened).toEqual(['/proc/net/tcp', '/proc/net/tcp6']);
  });

  it('shows the name of a program without arguments, and no more than 200 characters of any', async () => {
    const claim = await listenTcp();
    const commandOf = async (argv: readonly string[] | null): Promise<string | undefined> =>
      (await ask(claim, withProcesses({ argv: () => argv }))).holders[0]?.command;
    expect(await commandOf([])).toMatch(/^\[.+\]$/);
    expect(await commandOf(['a'.repeat(150), 'b'.repeat(150)])).toBe(`${'a'.repeat(150)} ${'b'.repeat(49)}`);
  });

  it('fails, rather than see nobody, where a table cannot be read', async () => {
    const claim = await listenTcp();
    const openSync = (): never => {
      throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
    };
    await expect(ask(claim, { ...host, files: { ...host.files, openSync } })).rejects.toThrow('EACCES');
  });

  it('names nobody for sockets of the kernel: they have no number to be told by', async () => {
    const table = join(dir, 'udp');
    const row = (port: string): string =>
      `  1: 00000000:${port} 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 0 2 0 0\n`;
    writeFileSync(table, row('CA6C') + row('CA6D'));
    const openSync: typeof fs.openSync = (path, ...rest) =>
      host.files.openSync(path === '/proc/net/udp' ? table : path, ...rest);
    const claims = [0xca6c, 0xca6d].map((port): Claim => ({ kind: 'udp', address: null, port }));
    const query = { claims, suspects: [], exhaustive: true };
    const answer = await procfsProbe.holders(query, { ...host, files: { ...host.files, openSync } });
    expect(answer.holders).toEqual(
      claims.map((claim) => ({
        claim,
        process: null,
        address: '0.0.0.0',
        command: '',
        fd: null,
        inode: null,
      })),
    );
  });

  function descendsFromUs(pid: number): boolean {
    for (let at = pid; at > 1; at = host.processes.stat(at)?.ppid ?? 0) if (at === process.pid) return true;
    return false;
  }

  function withProcesses(changes: Partial<Processes>): Host {
    const processes = new Proxy(host.processes, {
      get(target, name) {
        const value: unknown = Reflect.get(changes, name) ?? Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    return { ...host, processes };
  }
});
