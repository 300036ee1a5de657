import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { unpackLz4 } from '../../services/kafka/lz4.ts';
import { unpackGzip, unpackSnappy, unpackZstd } from '../../services/kafka/unpack.ts';

const LIMIT = 1_000_000;

/** An LZ4 frame with blocks of 4 MB at most, without checksums: its blocks are given. */
function lz4(...blocks: readonly { readonly bytes: Buffer; readonly isStored?: boolean }[]): Buffer {
  const sized = blocks.flatMap(({ bytes, isStored = false }) => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE((bytes.length | (isStored ? 0x8000_0000 : 0)) >>> 0);
    return [size, bytes];
  });
  return Buffer.concat([Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x40, 0x70, 0xdf]), ...sized, Buffer.alloc(4)]);
}

/** One letter, repeated: a literal, a match one back that is as long as wanted, a last literal. */
function repeated(extra: number): Buffer {
  return Buffer.from([0x1f, 0x61, 1, 0, ...Array<number>(extra).fill(255), 0, 0x10, 0x62]);
}

/** A Zstandard frame of blocks that repeat one byte 128 KB long, with a window of some size. */
function zstd(blocks: number, windowDescriptor = 0x58): Buffer {
  const block = (isLast: boolean): Buffer => {
    const header = Buffer.alloc(4, 'z');
    header.writeUIntLE((131_072 << 3) | (1 << 1) | (isLast ? 1 : 0), 0, 3);
    return header;
  };
  return Buffer.concat([
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, windowDescriptor]),
    ...Array.from({ length: blocks }, (_, i) => block(i === blocks - 1)),
  ]);
}

const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
/** The two letters "ab", bare: a length of 2, and a literal of 2. */
const SNAPPY = Buffer.from([2, 0x04, 0x61, 0x62]);
/** Says that it unpacks to 4 GB. */
const SNAPPY_BOMB = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x04, 0x61]);
const framed = (...blocks: readonly Buffer[]): Buffer =>
  Buffer.concat([XERIAL, ...blocks.flatMap((block) => [Buffer.from([0, 0, 0, block.length]), block])]);

describe('what producers compress', () => {
  it('is unpacked', async () => {
    expect((await unpackGzip(gzipSync('ab'), LIMIT)).toString()).toBe('ab');
    expect(unpackSnappy(SNAPPY, LIMIT).toString()).toBe('ab');
    expect(unpackSnappy(framed(SNAPPY, SNAPPY), LIMIT).toString()).toBe('abab');
    expect(unpackZstd(zstd(3), LIMIT).toString()).toBe('z'.repeat(3 * 131_072));
    expect(unpackLz4(lz4({ bytes: repeated(0) }), LIMIT).toString()).toBe(`${'a'.repeat(20)}b`);
    const stored = { bytes: Buffer.from('stored'), isStored: true };
    // Five letters of the block before.
    const linked = { bytes: Buffer.from([0x01, 6, 0, 0x10, 0x21]) };
    expect(unpackLz4(lz4(stored, linked), LIMIT).toString()).toBe('storedstore!');
  });

  it.each<[string, () => Buffer | Promise<Buffer>]>([
    ['gzip', () => unpackGzip(gzipSync(Buffer.alloc(LIMIT + 1)), LIMIT)],
    ['Snappy in blocks', () => unpackSnappy(framed(...Array<Buffer>(10).fill(SNAPPY)), 10)],
    ['LZ4', () => unpackLz4(lz4({ bytes: repeated(5_000) }), LIMIT)],
    ['LZ4, stored', () => unpackLz4(lz4({ bytes: Buffer.alloc(11), isStored: true }), 10)],
    ['Zstandard', () => unpackZstd(zstd(10_000), LIMIT)],
  ])('is unpacked within its limit: %s', async (_, unpack) => {
    await expect((async () => unpack())()).rejects.toThrow(/more than \d+ bytes|too big/);
  });

  it.each<[string, () => Buffer | Promise<Buffer>]>([
    ['gzip', () => unpackGzip(Buffer.from('no gzip'), LIMIT)],
    ['gzip, cut', () => unpackGzip(gzipSync('something').subarray(0, 12), LIMIT)],
    ['Snappy, a size that cannot be', () => unpackSnappy(SNAPPY_BOMB, LIMIT)],
    ['Snappy, cut', () => unpackSnappy(framed(SNAPPY).subarray(0, -1), LIMIT)],
    ['Snappy, cut in a size', () => unpackSnappy(framed(SNAPPY).subarray(0, -6), LIMIT)],
    ['LZ4, nothing of the kind', () => unpackLz4(Buffer.from('no frame of it'), LIMIT)],
    ['LZ4, cut', () => unpackLz4(lz4({ bytes: repeated(0) }).subarray(0, -5), LIMIT)],
    ['LZ4, a match before the beginning', () => unpackLz4(lz4({ bytes: Buffer.from([0x10, 0x61, 9, 0, 0]) }), LIMIT)],
    ['LZ4, a literal beyond the end', () => unpackLz4(lz4({ bytes: Buffer.from([0xf0, 255, 255]) }), LIMIT)],
    ['LZ4, something behind it', () => unpackLz4(Buffer.concat([lz4(), Buffer.from('x')]), LIMIT)],
    ['Zstandard, nothing of the kind', () => unpackZstd(Buffer.from('no frame of it'), LIMIT)],
    ['Zstandard, cut', () => unpackZstd(zstd(2).subarray(0, -2), LIMIT)],
    ['Zstandard, a window of 2 GB', () => unpackZstd(zstd(1, 0xa8), LIMIT)],
    ['Zstandard, two frames', () => unpackZstd(Buffer.concat([zstd(1), zstd(1)]), LIMIT)],
  ])('is refused in words when it is broken: %s', async (_, unpack) => {
    await expect((async () => unpack())()).rejects.toThrow(/^it /);
  });
});
