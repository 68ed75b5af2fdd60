/**
 * A zstd file that can be read from any place, in the seekable format of zstd's own contrib folder: frames of a bounded
 * size one after another, which every tool reads, and at the end a skippable frame with a table of them.
 *
 * ```
 * frame … frame | 5e 2a 4d 18 | table length + 9 | table | number of frames | 0 | b1 ea 92 8f
 * ```
 *
 * A table entry is two 32-bit numbers, little-endian: bytes of the frame and bytes of its content.
 */
import { assertFits, inOrder, MAX_MEMBERS, type Member, type MemberSize } from './members.ts';

const SKIPPABLE = 0x184d2a5e;
const SEEKABLE = 0x8f92eab1;
const ENTRY_BYTES = 8;
const HEADER_BYTES = 8;
const END_BYTES = 9;

/** This many bytes at the end of the file hold the whole table. */
export const MAX_TABLE_BYTES = HEADER_BYTES + MAX_MEMBERS * ENTRY_BYTES + END_BYTES;

/**
 * The last frame, which holds the table.
 *
 * @throws RangeError where there are more members than a table should hold.
 */
export function encodeTable(members: readonly MemberSize[]): Buffer {
  assertFits(members);
  const table = members.length * ENTRY_BYTES;
  const buffer = Buffer.alloc(HEADER_BYTES + table + END_BYTES);
  buffer.writeUInt32LE(SKIPPABLE, 0);
  buffer.writeUInt32LE(table + END_BYTES, 4);
  members.forEach(({ length, bytes }, i) => {
    buffer.writeUInt32LE(bytes, HEADER_BYTES + i * ENTRY_BYTES);
    buffer.writeUInt32LE(length, HEADER_BYTES + i * ENTRY_BYTES + 4);
  });
  buffer.writeUInt32LE(members.length, HEADER_BYTES + table);
  // The descriptor between the two: no checksums in the table.
  buffer.writeUInt32LE(SEEKABLE, HEADER_BYTES + table + 5);
  return buffer;
}

/**
 * Reads the table.
 *
 * @param end The file's last bytes: all of it, or at least {@link MAX_TABLE_BYTES}.
 * @returns null where this is no such file.
 */
export function decodeTable(end: Buffer): readonly Member[] | null {
  if (end.length < HEADER_BYTES + END_BYTES || end.readUInt32LE(end.length - 4) !== SEEKABLE) return null;
  const table = end.readUInt32LE(end.length - END_BYTES) * ENTRY_BYTES;
  const at = end.length - END_BYTES - table;
  if (end[end.length - 5] !== 0 || at < HEADER_BYTES) return null;
  if (end.readUInt32LE(at - 8) !== SKIPPABLE || end.readUInt32LE(at - 4) !== table + END_BYTES) return null;
  const sizes: MemberSize[] = [];
  for (let entry = at; entry < at + table; entry += ENTRY_BYTES) {
    sizes.push({ bytes: end.readUInt32LE(entry), length: end.readUInt32LE(entry + 4) });
  }
  return inOrder(sizes);
}
