import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Host, Spawner } from '../../core/host/host.ts';
import { nodeHost } from '../../core/host/node_host.ts';
import type { ProbeAnswer } from '../../core/plugin/probe.ts';
import { lsofProbe } from '../../plugins/probe_lsof.ts';
import { Fixtures, hasPython } from '../contract/fixture.ts';
import { probeCases } from '../contract/probe.ts';
import { describeContract } from '../contract/vitest.ts';

describe('lsof: the contract', () =>
  describeContract(probeCases(lsofProbe), {
    'a path with a space in it': 'lsof on Linux cuts it there',
    'a path with a line break in it': 'lsof on Linux cuts it there',
  }));

describe('lsof', () => {
  const host = nodeHost();
  const fixtures = new Fixtures();
  let server: Server;
  let dir: string;

  beforeEach(() => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'upkeep-lsof-')));
    server = createServer();
  });

  afterEach(async () => {
    server.close();
    await fixtures.end();
    rmSync(dir, { recursive: true, force: true });
  });

  function ask(path: string, on: Host = host): Promise<ProbeAnswer> {
    return lsofProbe.holders({ claims: [{ kind: 'socket', path }], suspects: [], exhaustive: true }, on);
  }

  function answering(answer: Partial<Awaited<ReturnType<Spawner['run']>>>): Host {
    const run: Spawner['run'] = async () => ({
      exit_code: null,
      stdout: '',
      stderr: '',
      error: null,
      ...answer,
    });
    return { ...host, spawner: { ...host.spawner, run } };
  }

  it('is not available where it is not installed', async () => {
    expect(await lsofProbe.available(answering({ error: 'ENOENT' }))).toBe(false);
  });

  it('does not take a path that was cut at a space for another one, and does not know about either', async () => {
    server.listen(join(dir, 'a b.sock'));
    await once(server, 'listening');
    expect(await ask(join(dir, 'a b.sock'))).toEqual({ holders: [], complete: false });
    expect(await ask(join(dir, 'a'))).toEqual({ holders: [], complete: true });
  });

  it.skipIf(!hasPython)('does not know about a relative path (needs python3)', async () => {
    await fixtures.start('hold_odd.py', 'relative', dir);
    expect(await ask(join(dir, 'rel.sock'))).toEqual({ holders: [], complete: false });
  });

  it('fails, rather than see nobody, where lsof does not end well', async () => {
    await expect(ask(join(dir, 'a'), answering({ error: 'ETIMEDOUT' }))).rejects.toThrow('ETIMEDOUT');
    await expect(ask(join(dir, 'a'), answering({ error: 'SIGSEGV' }))).rejects.toThrow('SIGSEGV');
    await expect(ask(join(dir, 'a'), answering({ exit_code: 127 }))).rejects.toThrow('127');
    const stderr = 'lsof: network address limit (100) exceeded';
    await expect(ask(join(dir, 'a'), answering({ exit_code: 1, stderr }))).rejects.toThrow('limit (100)');
  });

  it('fails where there is more output than it reads', async () => {
    const stdout = 'x'.repeat(8 * 1024 * 1024);
    await expect(ask(join(dir, 'a'), answering({ exit_code: 0, stdout }))).rejects.toThrow('bytes');
  });

  it('names nobody by a pid that was given to another process since', async () => {
    const port = 8080;
    const stdout = `p${process.pid}\0cother\0\nf0\0tIPv4\0d999999999\0PTCP\0n*:${port}\0TST=LISTEN\0\n`;
    const query = { claims: [{ kind: 'tcp', address: null, port }], suspects: [], exhaustive: true } as const;
    expect((await lsofProbe.holders(query, answering({ exit_code: 0, stdout }))).holders).toEqual([]);
  });
});
