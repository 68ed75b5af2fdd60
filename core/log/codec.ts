/**
 * The ways in which segments are compressed. Which of them this Node knows is found out, not assumed: zstd came with
 * 22.15.
 */
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import type { Member, MemberSize } from './members.ts';
import * as seekableGzip from './seekable_gzip.ts';
import * as seekableZstd from './seekable_zstd.ts';

/** Compressing one member and getting it back. */
export interface CodecWork {
  /** In Node's thread pool. */
  compress(bytes: Buffer): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
  decompressSync(bytes: Buffer): Buffer;
}

/** A way of compressing segments. */
export interface Codec {
  /** As a service file calls it. */
  readonly name: 'gzip' | 'zstd';
  /** What stands after `.log` in the name of a segment. */
  readonly suffix: 'gz' | 'zst';
  /** This many bytes at the end of a file hold its table. */
  readonly max_table_bytes: number;
  encodeTable(members: readonly MemberSize[]): Buffer;
  decodeTable(end: Buffer): readonly Member[] | null;
  /** Null where this Node does not know how. */
  readonly work: CodecWork | null;
}

/** What stands after `.log` in the name of a compressed segment. */
export type CodecSuffix = Codec['suffix'];

/** Logs compress well at any level: this one takes a third of the time of the default. */
const GZIP_LEVEL = 3;

type Transform = (bytes: Buffer, done: (error: Error | null, result: Buffer) => void) => void;

/** What `node:zlib` has beside gzip from 22.15 on. */
const newer = zlib as {
  readonly zstdCompress?: Transform;
  readonly zstdDecompress?: Transform;
  readonly zstdDecompressSync?: (bytes: Buffer) => Buffer;
};

const gzip = promisify(zlib.gzip);
const gunzip = promisify(zlib.gunzip);

/** Every codec there is, those that this Node lacks too. */
export const CODECS: readonly Codec[] = [
  {
    name: 'gzip',
    suffix: 'gz',
    max_table_bytes: seekableGzip.MAX_TABLE_BYTES,
    encodeTable: seekableGzip.encodeTable,
    decodeTable: seekableGzip.decodeTable,
    work: {
      compress: (bytes) => gzip(bytes, { level: GZIP_LEVEL }),
      decompress: (bytes) => gunzip(bytes),
      decompressSync: (bytes) => zlib.gunzipSync(bytes),
    },
  },
  {
    name: 'zstd',
    suffix: 'zst',
    max_table_bytes: seekableZstd.MAX_TABLE_BYTES,
    encodeTable: seekableZstd.encodeTable,
    decodeTable: seekableZstd.decodeTable,
    work: zstdWork(),
  },
];

/** Whether this Node can compress and read zstd. */
export const HAS_ZSTD = zstdWork() !== null;

/** The codec of a policy; null for none, and for one that this Node lacks: then segments stay as they are. */
export function codecNamed(name: string): (Codec & { readonly work: CodecWork }) | null {
  const codec = CODECS.find((candidate) => candidate.name === name);
  return codec === undefined || codec.work === null ? null : { ...codec, work: codec.work };
}

/** The codec of a file, by what stands after `.log` in its name. */
export function codecOf(suffix: CodecSuffix): Codec {
  const codec = CODECS.find((candidate) => candidate.suffix === suffix);
  if (codec === undefined) throw new RangeError(`Cannot read .${suffix} as it must be of a known codec`);
  return codec;
}

/**
 * What a reader is told in the place of a segment that this Node cannot decompress: a line of its own.
 *
 * @param file The segment's name.
 */
export function unreadableLine(file: string, incarnation: number): Buffer {
  return Buffer.from(
    `upkeep: what incarnation ${incarnation} wrote into ${file} cannot be read: this Node (${process.version}) has no zstd; Node 22.15 and newer have, and so has: zstd -dc ${file}\n`,
  );
}

function zstdWork(): CodecWork | null {
  const { zstdCompress, zstdDecompress, zstdDecompressSync } = newer;
  if (zstdCompress === undefined || zstdDecompress === undefined || zstdDecompressSync === undefined)
    return null;
  return {
    compress: promisify(zstdCompress),
    decompress: promisify(zstdDecompress),
    decompressSync: (bytes) => zstdDecompressSync(bytes),
  };
}
