import { describe, expect, it } from 'vitest';
import { unixRows } from '../../../core/reclaim/unix_table.ts';

// As the kernel prints it; the path of row 2 was relative, row 3 is an accepted connection, row 8 has spaces.
const TABLE = `Num       RefCount Protocol Flags    Type St Inode Path
000000002ab7e594: 00000003 00000000 00000000 0001 03   588
00000000eb06e674: 00000002 00000000 00000000 0001 01 15733 web.sock
00000000eb06e675: 00000003 00000000 00000000 0001 03 15734 /run/shop/web.sock
000000003c42fc3a: 00000002 00000000 00010000 0001 01 15728 /run/shop/web.sock
000000007f7544ed: 00000002 00000000 00000000 0002 01 15730 /run/other-web.sock
00000000fade7df2: 00000002 00000000 00010000 0001 01 15731 @web.sock
00000000fade7df3: 00000002 00000000 00010000 0001 01     7 /run/web.sock.old
00000000fade7df4: 00000002 00000000 00010000 0005 01 15739 /run/my shop/web.sock
`;

describe('unixRows', () => {
  it('finds the rows of a name in any folder, and no other', () => {
    expect(unixRows(TABLE, 'web.sock')).toEqual([
      { path: 'web.sock', listening: false, connected: false },
      { path: '/run/shop/web.sock', listening: false, connected: true },
      { path: '/run/shop/web.sock', listening: true, connected: false },
      { path: '/run/my shop/web.sock', listening: true, connected: false },
    ]);
  });

  it('finds nothing in an empty table', () => {
    expect(unixRows('', 'web.sock')).toEqual([]);
  });
});
