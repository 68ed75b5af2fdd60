import { describe, expect, it } from 'vitest';
import { readLayout } from '../../../core/log/layout.ts';
import { formatSegment } from '../../../core/log/segment_name.ts';

describe('the layout of a log folder', () => {
  it('is read from names', () => {
    const layout = readLayout([
      'current.idx',
      '10.log',
      'current.log',
      '2.1.log.gz',
      '2.1.idx',
      '2.2.log.zst',
      '2.3.log.zst',
      '2.3.log.gz',
      '2.log',
      '2.log.gz',
      '2.idx',
      '4.idx',
      '10.log.gz.tmp',
      '10.log.xz',
      'current.idx.tmp',
      'notes.log',
      'README',
      '3.0.log',
    ]);
    expect(layout.segments.map(({ name, ...files }) => ({ stem: formatSegment(name), ...files }))).toEqual([
      { stem: '2', plain: true, packed: 'gz', index: true },
      { stem: '2.1', plain: false, packed: 'gz', index: true },
      { stem: '2.2', plain: false, packed: 'zst', index: false },
      { stem: '2.3', plain: false, packed: 'gz', index: false },
      { stem: '4', plain: false, packed: null, index: true },
      { stem: '10', plain: true, packed: null, index: false },
    ]);
    expect(layout.current).toEqual({ log: true, index: true });
    expect(layout.temporary).toEqual(['10.log.gz.tmp', 'current.idx.tmp']);
  });

  it('may be empty', () => {
    expect(readLayout([])).toEqual({ segments: [], current: { log: false, index: false }, temporary: [] });
  });
});
