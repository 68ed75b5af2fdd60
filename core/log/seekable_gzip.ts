/**
 * A gzip file that can be read from any place: gzip members of a bounded size one after another, as RFC 1952 allows
 * and every tool reads, and at the end an empty one whose extra field holds a table of them. It reaches its name
 * whole or not at all, so that the table is always there.
 *
 * ```
 * member … member | 1f 8b 08 04 0:4 0 ff | extra length | "UK" | data length | table | table length | 03 00 | 0:8
 * ```
 *
 * A table entry is two 32-bit numbers, little-endian: bytes of the content and bytes of the member.
 */
import { assertFits, inOrder, MAX_MEMBERS, type Member, type MemberSize } from './members.ts';

const ENTRY_BYTES = 8;
const HEADER_BYTES = 16;
/** The table's length, the empty block, checksum and size. */
const END_BYTES = 4 + 2 + 8;

/** How much of a reader's time the end of the file takes: this many bytes hold the whole last member. */
export const MAX_TABLE_BYTES = HEADER_BYTES + MAX_MEMBERS * ENTRY_BYTES + END_BYTES;

/**
 * The last member, which holds the table.
 *
 * @throws RangeError where there are more members than a table can hold.
 */
export function encodeTable(members: readonly MemberSize[]): Buffer {
  assertFits(members);
  const table = members.length * ENTRY_BYTES;
  const buffer = Buffer.alloc(HEADER_BYTES + table + END_BYTES);
  buffer.set([0x1f, 0x8b, 0x08, 0x04, 0, 0, 0, 0, 0, 0xff]);
  buffer.writeUInt16LE(4 + table + 4, 10);
  buffer.write('UK', 12, 'latin1');
  buffer.writeUInt16LE(table + 4, 14);
  members.forEach(({ length, bytes }, i) => {
    buffer.writeUInt32LE(length, HEADER_BYTES + i * ENTRY_BYTES);
    buffer.writeUInt32LE(bytes, HEADER_BYTES + i * ENTRY_BYTES + 4);
  });
  buffer.writeUInt32LE(table, HEADER_BYTES + table);
  // An empty deflate block; the checksum and the size of nothing are zeros.
  buffer.writeUInt16LE(0x0003, HEADER_BYTES + table + 4);
  return buffer;
}

/**
 * Reads the table.
 *
 * @param end The file's last bytes: all of it, or at least {@link MAX_TABLE_BYTES}.
 * @returns null where this is no such file.
 */
export function decodeTable(end: Buffer): readonly Member[] | null {
  if (end.length < HEADER_BYTES + END_BYTES) return null;
  const table = end.readUInt32LE(end.length - END_BYTES);
  const at = end.length - END_BYTES - table;
  if (table % ENTRY_BYTES !== 0 || at < HEADER_BYTES) return null;
  if (end.toString('latin1', at - 4, at - 2) !== 'UK') return null;
  const sizes: MemberSize[] = [];
  for (let entry = at; entry < at + table; entry += ENTRY_BYTES) {
    sizes.push({ length: end.readUInt32LE(entry), bytes: end.readUInt32LE(entry + 4) });
  }
  return inOrder(sizes);
}
