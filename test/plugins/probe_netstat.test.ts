import { describe, expect, it } from 'vitest';
import { inProcessProbe } from '../../core/plugin/probe_port.ts';
import type { Claim } from '../../core/reclaim/claim.ts';
import { netstatProbe } from '../../plugins/probe_netstat.ts';
import { contextPrinting, notInstalled, type Printing } from '../contract/fake_context.ts';
import { probeCases } from '../contract/probe.ts';
import { tcp, unix } from '../contract/probe_lab.ts';
import { describeContract } from '../contract/vitest.ts';

const ONE_PROCESS = 'netstat names one of the processes that have a socket';

describe('netstat: the contract', () =>
  describeContract(probeCases(inProcessProbe(netstatProbe, {})), {
    'names a holder in a way that can be proved again': 'netstat tells no descriptor',
    'a path with a space in it': 'netstat cuts it there',
    'a path with a line break in it': 'netstat cuts it there',
    'a listener that a child has inherited: both hold the one socket': ONE_PROCESS,
    'a process that ends while it is looked at holds nothing any more': ONE_PROCESS,
  }));

describe('netstat', () => {
  const TABLE = 'Num RefCount Protocol Flags Type St Inode Path\n';

  async function seen(claim: Claim, rows: readonly string[], table = '', exhaustive = false) {
    const query = { claims: [claim], suspects: [], exhaustive };
    const ctx = contextPrinting(() => ({ stdout: `Active …\nProto …\n${rows.join('\n')}\n` }), {
      readFile: async () => TABLE + table,
    });
    const { holders, complete } = await netstatProbe.holders(query, ctx, {});
    return { complete, holders: holders.map(({ pid, inode, address }) => [pid, inode, address]) };
  }

  const port = (rest: string) => `tcp        0      0 0.0.0.0:80   0.0.0.0:*   LISTEN   0   11   ${rest}   `;
  const path = (shown: string) =>
    `unix  2      [ ACC ]     STREAM     LISTENING     11       7/nginx: master p    ${shown}`;

  it('is not available where it is not installed, or is that of another system', async () => {
    const available = (printing: Printing) => netstatProbe.available(contextPrinting(printing));
    expect(await available(notInstalled)).toBe(false);
    expect(await available(() => ({ exit_code: 1, stderr: 'BusyBox v1.36' }))).toBe(false);
    expect(await available(() => ({ exit_code: 5, stdout: 'net-tools 2.10\n' }))).toBe(true);
  });

  it('reads names of programs with blanks in them, and rows without one', async () => {
    const held = { complete: true, holders: [[7, '11', '0.0.0.0']] };
    expect(await seen(tcp(80), [port('7/nginx: master p')])).toEqual(held);
    expect(await seen(tcp(80), [port('-')])).toEqual({ complete: false, holders: [[null, '11', '0.0.0.0']] });
    const table = '0: 2 0 10000 1 01 11 /run/a.sock\n';
    expect(await seen(unix('/run/a.sock'), [path('/run/a.sock')], table)).toEqual({
      complete: true,
      holders: [[7, '11', null]],
    });
  });

  it('does not name all who may have a socket, and says so where all were wanted', async () => {
    expect(await seen(tcp(80), [port('7/web')], '', true)).toMatchObject({ complete: false });
    expect(await seen(tcp(81), [port('7/web')], '', true)).toEqual({ complete: true, holders: [] });
  });

  it('takes a path that was cut for no other one, and is not sure of one that it cannot find again', async () => {
    const free = { complete: true, holders: [] };
    for (const whole of ['/run/a b', '/run/a\nb']) {
      const table = `0: 2 0 10000 1 01 11 ${whole}\n1: 2 0 10000 1 01 12 /run/c\n`;
      expect(await seen(unix('/run/a'), [path('/run/a')], table)).toEqual(free);
      expect(await seen(unix(whole), [path('/run/a')], table)).toMatchObject({ complete: false });
    }
    expect(await seen(unix('/run/a'), [path('/run/a')], '')).toEqual({ complete: false, holders: [] });
  });

  it('is not sure of a row that it cannot read', async () => {
    expect(await seen(tcp(80), ['tcp 0 0 0.0.0.0:80'])).toEqual({ complete: false, holders: [] });
    expect(await seen(unix('/run/a'), ['rest of a name   /run/a'])).toEqual({ complete: false, holders: [] });
  });

  it('fails, rather than see nobody, where netstat does not end well or says too much', async () => {
    const ask = (printing: Printing) =>
      netstatProbe.holders(
        { claims: [tcp(80)], suspects: [], exhaustive: true },
        contextPrinting(printing),
        {},
      );
    await expect(ask(() => ({ exit_code: 1, stderr: 'no /proc' }))).rejects.toThrow('no /proc');
    const stdout = 'x'.repeat(16 * 1024 * 1024);
    await expect(ask(() => ({ stdout }))).rejects.toThrow('bytes');
  });
});
