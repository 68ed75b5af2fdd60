import { describe, expect, it } from 'vitest';
import type { HoldersFound } from '../../core/plugin/definition.ts';
import { inProcessProbe } from '../../core/plugin/probe_port.ts';
import type { Claim } from '../../core/reclaim/claim.ts';
import { ssProbe } from '../../plugins/probe_ss.ts';
import { contextPrinting, notInstalled, type Printing } from '../contract/fake_context.ts';
import { probeCases } from '../contract/probe.ts';
import { tcp, unix } from '../contract/probe_lab.ts';
import { describeContract } from '../contract/vitest.ts';

describe('ss: the contract', () => describeContract(probeCases(inProcessProbe(ssProbe, {}))));

describe('ss', () => {
  function ask(claim: Claim, printing: Printing): Promise<HoldersFound> {
    const query = { claims: [claim], suspects: [], exhaustive: true };
    return ssProbe.holders(query, contextPrinting(printing), {});
  }

  const seen = async (claim: Claim, ...rows: string[]) => {
    const { holders, complete } = await ask(claim, () => ({ stdout: `${rows.join('\n')}\n` }));
    return { complete, holders: holders.map(({ pid, fd, inode, address }) => [pid, fd, inode, address]) };
  };

  it('is not available where it is not installed, or another program has its name', async () => {
    const available = (printing: Printing) => ssProbe.available(contextPrinting(printing));
    expect(await available(notInstalled)).toBe(false);
    expect(await available(() => ({ stdout: 'Simple Server 1.0\n' }))).toBe(false);
    expect(await available(() => ({ stdout: 'ss utility, iproute2-6.1.0\n' }))).toBe(true);
  });

  it('reads addresses of interfaces, of all users, with timers and without a process', async () => {
    const row = (local: string, rest: string) => `tcp LISTEN 0 128 ${local} 0.0.0.0:* ${rest}`;
    const user = 'users:(("web",pid=7,fd=3))';
    expect(await seen(tcp(53), row('127.0.0.53%lo:53', `${user} uid:101 ino:5 sk:1 cgroup:/a`))).toEqual({
      complete: true,
      holders: [[7, 3, '5', '127.0.0.53%lo']],
    });
    expect(await seen(tcp(53, 'fe80::1'), row('[fe80::1]%eth0:53', `${user} ino:5 sk:1`))).toMatchObject({
      holders: [[7, 3, '5', 'fe80::1%eth0']],
    });
    expect(await seen(tcp(53), row('*:53', 'timer:(keepalive,1min,0) uid:9 ino:5 sk:1'))).toEqual({
      complete: false,
      holders: [[null, null, '5', '::']],
    });
    expect(await seen(tcp(53), row('0.0.0.0:53', 'ino:0 sk:1 cgroup:/'))).toEqual({
      complete: false,
      holders: [[null, null, null, '0.0.0.0']],
    });
  });

  it('is not sure of a row that it cannot read', async () => {
    expect(await seen(tcp(80), 'tcp LISTEN 0 128 0.0.0.0:80 0.0.0.0:* users:(("web"')).toEqual({
      complete: false,
      holders: [],
    });
    expect(await seen(unix('/run/a.sock'), 'u_str LISTEN 0 5 /run/a.sock')).toEqual({
      complete: false,
      holders: [],
    });
  });

  it('is not taken in by a path or a name that looks like the rest of a row', async () => {
    const row = (path: string, name = 'web') =>
      `u_str LISTEN 0 5 ${path} 11 * 0 users:(("${name}",pid=7,fd=3)) <-> ino:2 dev:0/3 peers:`;
    const held = { complete: true, holders: [[7, 3, '11', null]] };
    expect(await seen(unix('/run/a b'), row('/run/a b'))).toEqual(held);
    expect(await seen(unix('/run/a'), row('/run/a 9 * 0 users:(("x",pid=1,fd=1))'))).toMatchObject({
      complete: false,
      holders: [],
    });
    expect(await seen(unix('/run/a'), row('/run/a', 'a 9 * 0 users:('))).toMatchObject({
      complete: false,
      holders: [],
    });
    const forged = '/run/x\nu_str LISTEN 0 5 /run/a 9 * 0 users:(("x",pid=1,fd=1)) <->';
    expect(await seen(unix('/run/a'), row(forged))).toMatchObject({ complete: false, holders: [] });
  });

  it('does not know about a relative path, nor about one that may be another way to the file', async () => {
    const row = (path: string) => `u_str LISTEN 0 5 ${path} 11 * 0 users:(("web",pid=7,fd=3)) <-> peers:`;
    expect(await seen(unix('/run/a.sock'), row('a.sock'))).toEqual({ complete: false, holders: [] });
    // Neither can be looked at here.
    expect(await seen(unix('/run/a.sock'), row('/var/run/a.sock'))).toEqual({ complete: false, holders: [] });
    expect(await seen(unix('/run/a.sock'), row('/run/b.sock'))).toEqual({ complete: true, holders: [] });
  });

  it('asks for connections only where nobody is bound', async () => {
    const flags: string[] = [];
    const row = 'u_str LISTEN 0 5 /run/a 11 * 0 users:(("web",pid=7,fd=3)) <-> peers:\n';
    const printing: Printing = (args) => {
      flags.push(args.join(' '));
      return { stdout: row };
    };
    await ask(unix('/run/a'), printing);
    await ask(tcp(80), printing);
    expect(flags).toEqual(['-Hlntupxe', '-Hlntupe']);
    await ask(unix('/run/b'), printing);
    expect(flags.slice(2)).toEqual(['-Hlntupxe', '-Hanpxe']);
  });

  it('fails, rather than see nobody, where ss does not end well or says too much', async () => {
    await expect(ask(tcp(80), () => ({ exit_code: 255, stderr: 'no netlink' }))).rejects.toThrow(
      'no netlink',
    );
    await expect(ask(tcp(80), () => ({ exit_code: null }))).rejects.toThrow('null');
    const stdout = 'x'.repeat(16 * 1024 * 1024);
    await expect(ask(tcp(80), () => ({ stdout }))).rejects.toThrow('bytes');
    await expect(ask(tcp(80), notInstalled)).rejects.toThrow('ENOENT');
  });
});
