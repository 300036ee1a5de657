import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { EndedBecause, UnfinishedBodies } from './unfinished.ts';

/** A whole body, or the reason why there is none; `gone` when the sender left. */
export type ReceivedBody = Buffer | 'too_large' | 'gone' | EndedBecause;

/**
 * How much of a body that is not kept is still read, so that the sender receives the answer before the connection ends.
 */
const MAX_DRAINED_BYTES = 64 * 1024 * 1024;
/** Bodies are kept in blocks of this size: a chunk of one byte, kept by itself, would take a hundred bytes. */
const BLOCK_BYTES = 64 * 1024;

/** The length that a request announces for its body; null when it announces none. */
export function announcedBytes(request: IncomingMessage): number | null {
  const header = request.headers['content-length'];
  return header === undefined ? null : Number(header);
}

/**
 * Reads the body of a request. The bytes held meanwhile are counted in `unfinished`, which may end the body.
 * @param maxBytes how much is kept; the rest of a larger body is read and dropped. 0 keeps nothing
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
    let blocks: Buffer[] = [];
    let capacity = 0;
    let bytes = 0;
    const drop = (): void => {
      isKept = false;
      blocks = [];
    };
    const settle = (received: ReceivedBody): void => {
      seat.leave();
      drop();
      request.off('data', take).off('end', finish).off('close', leave).off('error', leave);
      // An error that comes later must still have a listener.
      request.on('error', () => undefined);
      resolve(received);
    };
    const seat = unfinished.enter(settle);
    const keep = (chunk: Buffer): void => {
      for (let from = 0; from < chunk.length;) {
        if (bytes + from === capacity) {
          const block = Math.min(BLOCK_BYTES, largest - capacity);
          seat.hold(capacity + block);
          // Making room may have ended this body itself.
          if (!isKept) return;
          blocks.push(Buffer.allocUnsafeSlow(block));
          capacity += block;
        }
        const room = capacity - bytes - from;
        const last = blocks.at(-1);
        from += last === undefined ? 0 : chunk.copy(last, last.length - room, from);
      }
    };
    const take = (chunk: Buffer): void => {
      if (isKept && bytes + chunk.length > maxBytes) {
        drop();
        seat.hold(0);
      }
      if (isKept) keep(chunk);
      bytes += chunk.length;
      if (bytes > MAX_DRAINED_BYTES) settle('too_large');
    };
    const finish = (): void => {
      settle(bytes > maxBytes ? 'too_large' : Buffer.concat(blocks, bytes));
    };
    const leave = (): void => {
      settle('gone');
    };
    request.on('data', take).on('end', finish).on('close', leave).on('error', leave);
  });
}

/** Codings of a body that are supported. */
export type ContentCoding = 'identity' | 'gzip';

/** The coding that `Content-Encoding` names; null for a coding, or several, that are not supported. */
export function codingOf(request: IncomingMessage): ContentCoding | null {
  const named = (request.headers['content-encoding'] ?? '').trim().toLowerCase();
  if (named === '' || named === 'identity') return 'identity';
  return named === 'gzip' || named === 'x-gzip' ? 'gzip' : null;
}

/** What gzip adds at most to a body of 3 MB that cannot be compressed: 5 bytes for every 16 KB, and a header. */
export const MAX_GZIP_OVERHEAD_BYTES = 4096;

const unzip = promisify(gunzip);

/** Decodes a gzipped body. Stops at `maxBytes`, because a few bytes may unpack to very many. */
export async function unzipped(body: Buffer, maxBytes: number): Promise<Buffer | 'too_large' | 'not_gzip'> {
  try {
    return await unzip(body, { maxOutputLength: maxBytes });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too_large' : 'not_gzip';
  }
}
