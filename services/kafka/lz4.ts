/**
 * Decompression of LZ4 frames, as Kafka's producers write them. The packages for it need the size in advance, or do not
 * check bounds.
 */

const MAGIC = 0x184d2204;
const VERSION_BITS = 0b1100_0000;
const VERSION = 0b0100_0000;
const HAS_BLOCK_CHECKSUMS = 0b0001_0000;
const HAS_CONTENT_SIZE = 0b0000_1000;
const HAS_CONTENT_CHECKSUM = 0b0000_0100;
const HAS_DICTIONARY = 0b0000_0001;
/** Size limit of one unpacked block, by the code in the header. */
const BLOCK_BYTES: Readonly<Record<number, number>> = { 4: 64 << 10, 5: 256 << 10, 6: 1 << 20, 7: 4 << 20 };
const IS_STORED = 0x8000_0000;
const MIN_MATCH = 4;
/** A length with this value continues in the following bytes. */
const LONG_LENGTH = 15;

class Output {
  bytes: Buffer;
  size = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
    this.bytes = Buffer.allocUnsafe(Math.min(limit, 1 << 20));
  }

  /** Makes room for more bytes. */
  reserve(more: number): void {
    const needed = this.size + more;
    if (needed > this.#limit) throw new Error(`it unpacks to more than ${this.#limit} bytes`);
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.min(this.#limit, Math.max(needed, this.bytes.length * 2)));
    this.bytes.copy(larger, 0, 0, this.size);
    this.bytes = larger;
  }
}

function broken(what: string): Error {
  return new Error(`it is no LZ4 frame: ${what}`);
}

/** Unpacks one block after those that are already unpacked. Matches may refer to earlier blocks. */
function unpackBlock(block: Buffer, output: Output, mostBytes: number): void {
  const end = output.size + mostBytes;
  let at = 0;
  const next = (): number => {
    const byte = block[at++];
    if (byte === undefined) throw broken('a block ends too early');
    return byte;
  };
  const lengthOf = (first: number): number => {
    let length = first;
    if (first === LONG_LENGTH)
      for (let more = 255; more === 255;) {
        more = next();
        length += more;
      }
    if (output.size + length > end) throw broken('a block is larger than its header says');
    return length;
  };
  while (at < block.length) {
    const token = next();
    const literals = lengthOf(token >> 4);
    if (at + literals > block.length) throw broken('a block ends too early');
    output.reserve(literals);
    output.size += block.copy(output.bytes, output.size, at, at + literals);
    at += literals;
    // The last sequence of a block has no match.
    if (at === block.length) return;
    const distance = next() | (next() << 8);
    const length = lengthOf(token & LONG_LENGTH) + MIN_MATCH;
    if (distance === 0 || distance > output.size) throw broken('a match begins before the data');
    output.reserve(length);
    const { bytes } = output;
    const to = output.size;
    if (distance >= length) bytes.copyWithin(to, to - distance, to - distance + length);
    // The match overlaps with its own output, so it repeats the bytes that it has just written.
    else for (let i = 0; i < length; i++) bytes[to + i] = bytes[to + i - distance] ?? 0;
    output.size += length;
  }
}

/**
 * Unpacks an LZ4 frame. Checksums are not verified: the broker has checked the record batch.
 * @param limit bytes that it may unpack to at most
 * @throws Error whose message, why it cannot be unpacked, is the end of a sentence
 */
export function unpackLz4(frame: Buffer, limit: number): Buffer {
  if (frame.length < 7 || frame.readUInt32LE(0) !== MAGIC) throw broken('it does not begin as one');
  const flags = frame.readUInt8(4);
  if ((flags & VERSION_BITS) !== VERSION) throw broken('its version is unknown');
  if ((flags & HAS_DICTIONARY) !== 0) throw broken('it needs a dictionary');
  const mostBytes = BLOCK_BYTES[(frame.readUInt8(5) >> 4) & 7];
  if (mostBytes === undefined) throw broken('its block size is unknown');
  // After magic number, flags and block size come the content size, if any, and one byte of checksum.
  let at = 6 + ((flags & HAS_CONTENT_SIZE) === 0 ? 0 : 8) + 1;
  const output = new Output(limit);
  for (;;) {
    if (at + 4 > frame.length) throw broken('it ends too early');
    const header = frame.readUInt32LE(at);
    at += 4;
    if (header === 0) break;
    const bytes = header & ~IS_STORED;
    const block = frame.subarray(at, at + bytes);
    if (block.length < bytes) throw broken('it ends too early');
    at += bytes + ((flags & HAS_BLOCK_CHECKSUMS) === 0 ? 0 : 4);
    if ((header & IS_STORED) === 0) unpackBlock(block, output, mostBytes);
    else {
      output.reserve(bytes);
      output.size += block.copy(output.bytes, output.size);
    }
  }
  if (at + ((flags & HAS_CONTENT_CHECKSUM) === 0 ? 0 : 4) !== frame.length)
    throw broken('something follows behind its end');
  return output.bytes.subarray(0, output.size);
}
