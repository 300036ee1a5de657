import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { EndedBecause, UnfinishedBodies } from './unfinished.ts';

/** A whole body, or why there is none; `gone` when the sender left. */
export type ReceivedBody = Buffer | 'too_large' | 'gone' | EndedBecause;

/** What is still read of a body that is not kept, so that its sender hears the answer before the connection ends. */
const MAX_DRAINED_BYTES = 64 * 1024 * 1024;
const FIRST_CAPACITY_BYTES = 16 * 1024;

/** Bytes that a request announces for its body; null when it does not say. */
export function announcedBytes(request: IncomingMessage): number | null {
  const header = request.headers['content-length'];
  return header === undefined ? null : Number(header);
}

/**
 * Reads the body of a request. What is held meanwhile is counted in `unfinished`, which may give the body up.
 * @param maxBytes how much is kept; of a larger body the rest is read and dropped. 0 keeps nothing of any body
 */
export function receiveBody(
  request: IncomingMessage,
  unfinished: UnfinishedBodies,
  maxBytes: number,
): Promise<ReceivedBody> {
  return new Promise((resolve) => {
    const announced = announcedBytes(request);
    const largest = Math.min(announced ?? maxBytes, maxBytes);
    let isKept = announced === null || announced <= maxBytes;
    let kept = Buffer.alloc(0);
    let bytes = 0;
    const settle = (received: ReceivedBody): void => {
      seat.leave();
      request.off('data', take).off('end', finish).off('close', leave).off('error', leave);
      // An error that comes later must still find somebody who listens.
      request.on('error', () => undefined);
      kept = Buffer.alloc(0);
      isKept = false;
      resolve(received);
    };
    const seat = unfinished.enter(settle);
    const drop = (): void => {
      isKept = false;
      kept = Buffer.alloc(0);
      seat.hold(0);
    };
    /** One growing buffer and not a list of chunks: a chunk of one byte would cost a hundred. */
    const reserve = (needed: number): void => {
      if (needed <= kept.length) return;
      const capacity = Math.min(Math.max(needed, 2 * kept.length, FIRST_CAPACITY_BYTES), largest);
      seat.hold(capacity);
      // Making room may have ended this very body.
      if (!isKept) return;
      const grown = Buffer.allocUnsafeSlow(capacity);
      kept.copy(grown, 0, 0, bytes);
      kept = grown;
    };
    const take = (chunk: Buffer): void => {
      const end = bytes + chunk.length;
      if (isKept && end > maxBytes) drop();
      if (isKept) reserve(end);
      if (isKept) chunk.copy(kept, bytes);
      bytes = end;
      if (bytes > MAX_DRAINED_BYTES) settle('too_large');
    };
    const finish = (): void => {
      settle(bytes > maxBytes ? 'too_large' : kept.subarray(0, bytes));
    };
    const leave = (): void => {
      settle('gone');
    };
    request.on('data', take).on('end', finish).on('close', leave).on('error', leave);
  });
}

/** How the bytes of a body are to be read; null when it is a way that is not known here. */
export type ContentCoding = 'identity' | 'gzip';

/** The coding that `Content-Encoding` names; null for one, or several, that are not taken. */
export function codingOf(request: IncomingMessage): ContentCoding | null {
  const named = (request.headers['content-encoding'] ?? '').trim().toLowerCase();
  if (named === '' || named === 'identity') return 'identity';
  return named === 'gzip' || named === 'x-gzip' ? 'gzip' : null;
}

/** What gzip adds at most to a body of 3 MB that cannot be compressed: 5 bytes for every 16 KB, and a header. */
export const MAX_GZIP_OVERHEAD_BYTES = 4096;

const unzip = promisify(gunzip);

/** Decodes a gzipped body. Stops at `maxBytes`, however much more a few bytes would become. */
export async function unzipped(body: Buffer, maxBytes: number): Promise<Buffer | 'too_large' | 'not_gzip'> {
  try {
    return await unzip(body, { maxOutputLength: maxBytes });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too_large' : 'not_gzip';
  }
}

const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/** Bytes of UTF-8 without the mark that some programs put before them. */
export function withoutMark(bytes: Buffer): Buffer {
  return bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
    ? bytes.subarray(BYTE_ORDER_MARK.length)
    : bytes;
}
