import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Decompress } from 'fzstd';
import snappy from 'snappyjs';

/*
 * Decompression of what Kafka's producers write, limited in size: a few bytes from outside must not fill the memory of
 * this process. Each function throws an Error whose message, why it cannot be done, is the end of a sentence.
 */

const gunzipped = promisify(gunzip);

function tooLarge(limit: number): Error {
  return new Error(`it unpacks to more than ${limit} bytes`);
}

export async function unpackGzip(bytes: Buffer, limit: number): Promise<Buffer> {
  try {
    return await gunzipped(bytes, { maxOutputLength: limit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limit);
    throw new Error(`it is not compressed with gzip: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/**
 * Start of Java's framing around Snappy. A version, the oldest version that can read it, and blocks with their lengths
 * follow.
 */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_BYTES = XERIAL.length + 8;

function unpackSnappyBlock(block: Buffer, limit: number): Buffer {
  try {
    return snappy.uncompress(block, limit);
  } catch (error) {
    throw new Error(`it cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** Unpacks Snappy in Java's framing, as most clients write it, or without framing, as some do. */
export function unpackSnappy(bytes: Buffer, limit: number): Buffer {
  if (!bytes.subarray(0, XERIAL.length).equals(XERIAL)) return unpackSnappyBlock(bytes, limit);
  const blocks: Buffer[] = [];
  let left = limit;
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length;) {
    const length = at + 4 > bytes.length ? Infinity : bytes.readUInt32BE(at);
    at += 4;
    if (at + length > bytes.length) throw new Error('it ends too early for Snappy');
    const block = unpackSnappyBlock(bytes.subarray(at, at + length), left);
    blocks.push(block);
    left -= block.length;
    at += length;
  }
  return Buffer.concat(blocks);
}

const ZSTD_MAGIC = 0xfd2fb528;
/** Window of the highest level of compression. The window is allocated before anything is unpacked. */
const MAX_ZSTD_WINDOW_BYTES = 128 * 1024 * 1024;
const ZSTD_BLOCK_RLE = 1;

/**
 * Checks the window size that a Zstandard frame asks for, before it is allocated.
 * @see RFC 8878, 3.1.1: magic number, frame header descriptor, window descriptor, dictionary id, content size, blocks
 */
function checkZstdFrame(bytes: Buffer): void {
  if (bytes.length < 9 || bytes.readUInt32LE(0) !== ZSTD_MAGIC) throw new Error('it is no Zstandard frame');
  const descriptor = bytes.readUInt8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const hasChecksum = (descriptor & 0x04) !== 0;
  const dictionaryIdBytes = [0, 1, 2, 4][descriptor & 0x03] ?? 0;
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  let at = 5;
  let windowBytes = 0;
  if (!isSingleSegment) {
    const exponent = bytes.readUInt8(at) >> 3;
    const mantissa = bytes.readUInt8(at) & 7;
    windowBytes = 2 ** (10 + exponent) * (1 + mantissa / 8);
    at += 1;
  }
  at += dictionaryIdBytes;
  if (at + contentSizeBytes > bytes.length) throw new Error('it ends too early for a Zstandard frame');
  if (isSingleSegment)
    windowBytes = contentSizeBytes === 8 ? Number(bytes.readBigUInt64LE(at)) : bytes.readUIntLE(at, contentSizeBytes);
  if (windowBytes > MAX_ZSTD_WINDOW_BYTES)
    throw new Error(`it needs a window of ${windowBytes} bytes; at most ${MAX_ZSTD_WINDOW_BYTES} are allowed`);
  at += contentSizeBytes;
  for (let isLast = false; !isLast;) {
    if (at + 3 > bytes.length) throw new Error('it ends too early for a Zstandard frame');
    const header = bytes.readUIntLE(at, 3);
    isLast = (header & 1) === 1;
    at += 3 + (((header >> 1) & 3) === ZSTD_BLOCK_RLE ? 1 : header >> 3);
  }
  // A second frame could ask for another window, unchecked.
  if (at + (hasChecksum ? 4 : 0) !== bytes.length) throw new Error('it is not one whole Zstandard frame');
}

export function unpackZstd(bytes: Buffer, limit: number): Buffer {
  checkZstdFrame(bytes);
  const parts: Uint8Array[] = [];
  let size = 0;
  const stream = new Decompress((part) => {
    size += part.length;
    if (size > limit) throw tooLarge(limit);
    parts.push(part);
  });
  stream.push(bytes, true);
  return Buffer.concat(parts, size);
}
