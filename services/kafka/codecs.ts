import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import kafkajs, { CompressionTypes, type KafkaMessage } from 'kafkajs';
import { unpackLz4 } from './lz4.ts';
import { unpackGzip, unpackSnappy, unpackZstd } from './unpack.ts';

// Node does not find this name among the exports of the package by itself.
const { CompressionCodecs } = kafkajs;

/** Limit for one unpacked record batch. A topic with default settings takes 1 MB of it compressed. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;
/** Limit for all batches of one answer of a broker together. The rest of them is fetched again. */
const MAX_UNPACKED_BYTES_OF_ANSWER = 256 * 1024 * 1024;
/** A limit of its own, because kafkajs makes an object of each record. */
const MAX_RECORDS_OF_BATCH = 1_000_000;

/** A record batch's header: offsets, length, epoch, magic, checksum, attributes, times, producer, number of records. */
const HEADER_BYTES = 61;
const LENGTH_AT = 8;
const MAGIC_AT = 16;
const LAST_OFFSET_DELTA_AT = 23;
const COUNT_AT = 57;
/** Bytes that the length in the header does not include: the first offset and the length itself. */
const UNCOUNTED_BYTES = 12;
const MAGIC = 2;

/** Header of the records that replace those that could not be unpacked. Random, so that nobody outside can send it. */
const UNREADABLE_HEADER = `ctwa-unreadable-${randomUUID()}`;

/** Tells kafkajs that the answer ends early: it takes the batches before this one, and fetches the rest again. */
class RestLater extends Error {
  override readonly name = 'KafkaJSPartialMessageError';
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  // Small numbers of either sign: zigzag.
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

function text(value: string): Buffer[] {
  return [varint(Buffer.byteLength(value)), Buffer.from(value)];
}

/** One record of a batch, encoded as in the batch. */
function recordOf(offsetDelta: number, value: Buffer | null, reason: string): Buffer {
  const body = Buffer.concat([
    // Attributes and timestamp.
    Buffer.from([0, 0]),
    varint(offsetDelta),
    varint(-1),
    ...(value === null ? [varint(-1)] : [varint(value.length), value]),
    varint(1),
    ...text(UNREADABLE_HEADER),
    ...text(reason),
  ]);
  return Buffer.concat([varint(body.length), body]);
}

/**
 * The header of the record batch that these compressed records belong to. `records` is a view into the broker's answer,
 * so the header is in front of it.
 */
function headerOf(records: Buffer): Buffer | null {
  if (records.byteOffset < HEADER_BYTES) return null;
  const header = Buffer.from(records.buffer, records.byteOffset - HEADER_BYTES, HEADER_BYTES);
  const isOurs =
    header.readInt8(MAGIC_AT) === MAGIC &&
    header.readInt32BE(LENGTH_AT) === HEADER_BYTES - UNCOUNTED_BYTES + records.length;
  return isOurs ? header : null;
}

/**
 * As many records as the batch says that it holds, each with the reason; the first one carries the bytes of all. So
 * only this batch is lost: otherwise kafkajs would fetch it again for ever, and nothing else of any partition.
 */
function unreadableRecords(header: Buffer, records: Buffer, reason: string): Buffer {
  const count = header.readInt32BE(COUNT_AT);
  const last = header.readInt32BE(LAST_OFFSET_DELTA_AT);
  const first = header.readBigInt64BE(0);
  const others = `It is of the record batch that begins at offset ${first}, whose bytes are kept there: ${reason}`;
  return Buffer.concat(
    Array.from({ length: count }, (_, i) =>
      recordOf(i === count - 1 ? last : i, i === 0 ? records : null, i === 0 ? reason : others),
    ),
  );
}

const unpackedOf = new WeakMap<ArrayBufferLike, number>();

/** Unpacks the batches of a broker's answer one after another, within the limit for all of them. */
function bounded(codec: string, unpack: (bytes: Buffer, limit: number) => Buffer | Promise<Buffer>) {
  return async (records: Buffer): Promise<Buffer> => {
    const before = unpackedOf.get(records.buffer) ?? 0;
    if (before + MAX_UNPACKED_BYTES > MAX_UNPACKED_BYTES_OF_ANSWER)
      throw new RestLater('The broker has answered with more than is unpacked at once.');
    const header = headerOf(records);
    const count = header?.readInt32BE(COUNT_AT) ?? 0;
    if (header !== null && count > MAX_RECORDS_OF_BATCH)
      throw new Error(
        `A record batch at offset ${header.readBigInt64BE(0)} says that it holds ${count} records; at most ${MAX_RECORDS_OF_BATCH} are taken. Delete the records up to its end (kafka-delete-records), and have its producer send smaller batches.`,
      );
    try {
      const unpacked = await unpack(records, MAX_UNPACKED_BYTES);
      unpackedOf.set(records.buffer, before + unpacked.length);
      return unpacked;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const reason = `The records are compressed with ${codec} and cannot be unpacked: ${why}. Have their producer send them again.`;
      if (header === null) throw new Error(reason, { cause: error });
      return unreadableRecords(header, records, reason);
    }
  };
}

function notWritten(codec: string): () => never {
  return () => {
    throw new Error(`Records are not written with ${codec} here.`);
  };
}

const gzipped = promisify(gzip);

CompressionCodecs[CompressionTypes.GZIP] = () => ({
  compress: (encoder: { readonly buffer: Buffer }) => gzipped(encoder.buffer),
  decompress: bounded('gzip', unpackGzip),
});
CompressionCodecs[CompressionTypes.Snappy] = () => ({
  compress: notWritten('Snappy'),
  decompress: bounded('Snappy', unpackSnappy),
});
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: notWritten('LZ4'),
  decompress: bounded('LZ4', unpackLz4),
});
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: notWritten('Zstandard'),
  decompress: bounded('Zstandard', unpackZstd),
});

/** Why a record could not be unpacked; null for one that could. */
export function unreadableBecause(record: Pick<KafkaMessage, 'headers'>): string | null {
  const reason = record.headers?.[UNREADABLE_HEADER];
  return reason === undefined ? null : String(reason);
}
