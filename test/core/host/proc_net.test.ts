import { endianness } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { Files, Host } from '../../../core/host/host.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import {
  addressOf,
  type PathRow,
  type PortRow,
  visitPaths,
  visitPorts,
} from '../../../core/host/proc_net.ts';

/** The real host with tables of our own, handed out a few bytes at a time. */
function withTables(tables: Readonly<Record<string, string>>): Host {
  const open = new Map<number, { bytes: Buffer; at: number }>();
  const openSync = (path: string): number => {
    const text = tables[path];
    if (text === undefined) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
    open.set(open.size, { bytes: Buffer.from(text), at: 0 });
    return open.size - 1;
  };
  const readSync = (fd: number, buffer: Buffer): number => {
    const file = open.get(fd);
    if (file === undefined) throw new Error('not open');
    const length = file.bytes.copy(buffer, 0, file.at, file.at + 17);
    file.at += length;
    return length;
  };
  const closeSync = (fd: number): boolean => open.delete(fd);
  const host = nodeHost();
  return { ...host, files: { ...host.files, openSync, readSync, closeSync } as unknown as Files };
}

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

function row(local: string, remote: string, state: string, inode: number): string {
  return `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000 100\n`;
}

async function ports(kind: 'tcp' | 'udp', tables: Record<string, string>): Promise<PortRow[]> {
  const found: PortRow[] = [];
  await visitPorts(kind, withTables(tables), (one) => found.push(one));
  return found;
}

async function paths(table: string): Promise<PathRow[]> {
  const found: PathRow[] = [];
  const head = 'Num       RefCount Protocol Flags    Type St Inode Path\n';
  await visitPaths(withTables({ '/proc/net/unix': head + table }), (one) => found.push(one));
  return found;
}

describe('visitPorts', () => {
  it.skipIf(endianness() === 'BE')(
    'finds who listens, in both families, and decodes the addresses',
    async () => {
      const found = await ports('tcp', {
        '/proc/net/tcp': HEAD + row('0100007F:1F90', '00000000:0000', '0A', 11),
        '/proc/net/tcp6':
          HEAD +
          row(`${'0'.repeat(24)}01000000:0050`, `${'0'.repeat(32)}:0000`, '0A', 12) +
          row('0000000000000000FFFF00000100007F:0051', `${'0'.repeat(32)}:0000`, '0A', 13) +
          row('B80D01200000000067452301EFCDAB89:0052', `${'0'.repeat(32)}:0000`, '0A', 14),
      });
      expect(found.map((one) => [one.port, addressOf(one), one.inode])).toEqual([
        [8080, '127.0.0.1', '11'],
        [80, '::1', '12'],
        [81, '127.0.0.1', '13'],
        [82, '2001:db8::123:4567:89ab:cdef', '14'],
      ]);
    },
  );

  it('reads no further than the first TCP row that does not listen', async () => {
    const table =
      HEAD +
      row('0100007F:1F90', '00000000:0000', '0A', 11) +
      row('0100007F:1F91', '0100007F:9999', '01', 12) +
      row('0100007F:1F92', '00000000:0000', '0A', 13);
    expect((await ports('tcp', { '/proc/net/tcp': table })).map(({ inode }) => inode)).toEqual(['11']);
  });

  it('passes over connected UDP sockets', async () => {
    const table =
      HEAD +
      row('0100007F:1F90', '0100007F:9999', '01', 11) +
      row('0100007F:1F91', '00000000:0000', '07', 12);
    expect((await ports('udp', { '/proc/net/udp': table })).map(({ inode }) => inode)).toEqual(['12']);
  });
});

describe('visitPaths', () => {
  it('finds sockets with a path, whatever is in it', async () => {
    const found = await paths(
      '0000000000000000: 00000003 00000000 00000000 0001 03   587\n' +
        '00000000aaaaaaaa: 00000002 00000000 00010000 0001 01 101 /run/a b.sock\n' +
        '00000000bbbbbbbb: 00000002 00000000 00010000 0001 01 102 /run/c\nd.sock\n' +
        '00000000cccccccc: 00000003 00000000 00000000 0001 03 103 @name\n' +
        '00000000dddddddd: 00000003 00000000 00000000 0001 02     0 @name\n' +
        '00000000eeeeeeee: 00000002 00000000 00000000 0002 01 105 rel.sock\n',
    );
    expect(found).toEqual([
      { path: '/run/a b.sock', connected: false, inode: '101' },
      { path: '/run/c\nd.sock', connected: false, inode: '102' },
      { path: '@name', connected: true, inode: '103' },
      { path: 'rel.sock', connected: false, inode: '105' },
    ]);
  });

  it('lets the event loop turn', async () => {
    let turned = 0;
    const host = withTables({ '/proc/net/unix': `${'x'.repeat(40)}\n`.repeat(100) });
    let now = 0;
    const clock = {
      ...host.clock,
      mono: () => {
        now += 1;
        return now;
      },
      timer: (_: number, callback: () => void) => {
        turned += 1;
        setImmediate(callback);
        return () => {};
      },
    };
    await visitPaths({ ...host, clock }, () => {});
    expect(turned).toBeGreaterThan(10);
  });
});
