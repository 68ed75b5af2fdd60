/**
 * The parts of a compressed segment: each is compressed by itself, so that a reader can begin at any of them. A table
 * at the end of the file says where they are.
 */

/** One member: where it is and what it holds, bytes. */
export interface Member {
  /** Offset of its content in the whole content. */
  readonly start: number;
  readonly length: number;
  /** Offset of its compressed form in the file. */
  readonly from: number;
  readonly bytes: number;
}

/** How much a member holds, and takes up, bytes. */
export type MemberSize = Readonly<Pick<Member, 'length' | 'bytes'>>;

/** Content bytes of a member: a reader holds one of them in memory. */
const MEMBER_BYTES = 131_072;

/** The most members that a file has: what the table of a gzip file, in an extra field of 65535 bytes, can hold. */
export const MAX_MEMBERS = 8_000;

/** How many content bytes each member of a file should hold. */
export function memberSize(contentBytes: number): number {
  return Math.max(MEMBER_BYTES, Math.ceil(contentBytes / MAX_MEMBERS));
}

/** Throws where there are more members than a table can hold. */
export function assertFits(members: readonly MemberSize[]): void {
  if (members.length <= MAX_MEMBERS) return;
  throw new RangeError(`Cannot list ${members.length} members as there must be at most ${MAX_MEMBERS}`);
}

/** Members of these sizes, one after the other from the start of the file. */
export function inOrder(sizes: readonly MemberSize[]): readonly Member[] {
  let start = 0;
  let from = 0;
  return sizes.map(({ length, bytes }) => {
    const member = { start, length, from, bytes };
    start += length;
    from += bytes;
    return member;
  });
}

/** The member that holds a byte of the content; null after the last. */
export function memberAt(members: readonly Member[], at: number): Member | null {
  return members.findLast(({ start, length }) => start <= at && at < start + length) ?? null;
}
