import { MAX_VALUE_BYTES } from '@ctwa-ledger/schemas/event.ts';
import { documentParts, type DocumentPart } from './documents.ts';

/** Bytes kept of a value that cannot be taken, for the dead letter. A longer one is cut, and its message says so. */
export const MAX_KEPT_BYTES = 16 * 1024 * 1024;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const OPEN_LIST = 0x5b;
const OPEN_OBJECT = 0x7b;

/** A run of whole lines, one line that is too long, or a part of indented JSON; or a note that a list did not end. */
export type Piece =
  | { readonly kind: 'lines'; readonly bytes: Buffer }
  | { readonly kind: 'oversized'; readonly kept: Buffer; readonly bytes: number }
  | DocumentPart
  | { readonly kind: 'unclosed' };

/** Byte order marks, and the encoding of the text after each. */
const MARKS = [
  { mark: Buffer.from([0xef, 0xbb, 0xbf]), encoding: 'utf-8' },
  { mark: Buffer.from([0xff, 0xfe]), encoding: 'utf-16le' },
  { mark: Buffer.from([0xfe, 0xff]), encoding: 'utf-16be' },
] as const;
const MAX_MARK_BYTES = 3;

/** Yields the text as UTF-8 without a byte order mark. UTF-16 is recognised by its mark. */
async function* utf8Of(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let head: Buffer | null = Buffer.alloc(0);
  let decode = (bytes: Buffer, _isLast: boolean): Buffer => bytes;
  const withoutMark = (bytes: Buffer): Buffer => {
    const found = MARKS.find(({ mark }) => bytes.subarray(0, mark.length).equals(mark));
    if (found === undefined) return bytes;
    if (found.encoding !== 'utf-8') {
      const decoder = new TextDecoder(found.encoding);
      decode = (encoded, isLast) => Buffer.from(decoder.decode(encoded, { stream: !isLast }));
    }
    return bytes.subarray(found.mark.length);
  };
  for await (let chunk of chunks) {
    if (head !== null) {
      head = Buffer.concat([head, chunk]);
      if (head.length < MAX_MARK_BYTES) continue;
      chunk = withoutMark(head);
      head = null;
    }
    yield decode(chunk, false);
  }
  const last = head === null ? Buffer.alloc(0) : withoutMark(head);
  yield decode(last, true);
}

/** The lines of NDJSON. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Piece> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  const wholeRest = (): Piece => {
    const bytes = Buffer.concat(rest);
    const piece: Piece =
      restBytes > MAX_VALUE_BYTES ? { kind: 'oversized', kept: bytes, bytes: restBytes } : { kind: 'lines', bytes };
    rest = [];
    restBytes = 0;
    return piece;
  };
  const keep = (chunk: Buffer): void => {
    if (restBytes < MAX_KEPT_BYTES) rest.push(chunk.subarray(0, MAX_KEPT_BYTES - restBytes));
    restBytes += chunk.length;
  };
  for await (let chunk of chunks) {
    if (restBytes > 0) {
      const end = chunk.indexOf(NEWLINE);
      if (end === -1) {
        keep(chunk);
        continue;
      }
      keep(chunk.subarray(0, end));
      yield wholeRest();
      chunk = chunk.subarray(end + 1);
    }
    const end = chunk.lastIndexOf(NEWLINE);
    if (end !== -1) yield { kind: 'lines', bytes: chunk.subarray(0, end) };
    if (end + 1 < chunk.length) keep(chunk.subarray(end + 1));
  }
  if (restBytes > 0) yield wholeRest();
}

/** The parts of indented JSON: one document or several. */
async function* documentsOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Piece> {
  const isInsideList = yield* documentParts(chunks);
  if (isInsideList) yield { kind: 'unclosed' };
}

function isJson(line: Buffer): boolean {
  try {
    JSON.parse(line.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether an input is read as documents: its first line begins an object or a list and is not valid JSON by itself, or
 * is a list too long to be one value.
 * @param head the input as far as it was read
 * @param isWhole whether the input ends there
 * @returns null when more input is needed to tell
 */
function beginsDocument(head: Buffer, isWhole: boolean): boolean | null {
  const first = head.findIndex((byte) => byte > SPACE);
  if (first === -1) return isWhole || head.length > MAX_VALUE_BYTES ? false : null;
  if (head[first] !== OPEN_OBJECT && head[first] !== OPEN_LIST) return false;
  const newline = head.indexOf(NEWLINE, first);
  const line = head.subarray(first, newline === -1 ? head.length : newline);
  if (line.length > MAX_VALUE_BYTES) return head[first] === OPEN_LIST;
  if (newline === -1 && !isWhole) return null;
  return !isJson(line);
}

async function* joined(head: readonly Buffer[], others: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* head;
    for (let next = await others.next(); next.done !== true; next = await others.next()) yield next.value;
  } finally {
    await others.return?.();
  }
}

/**
 * The pieces of an input in order: lines of NDJSON, or parts of indented JSON if the first line shows that it is no
 * NDJSON.
 * @param chunks UTF-8, with or without a byte order mark, or UTF-16 with one
 */
export async function* piecesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Piece> {
  const iterator = utf8Of(chunks)[Symbol.asyncIterator]();
  const head: Buffer[] = [];
  let isDocument: boolean | null = null;
  while (isDocument === null) {
    const next = await iterator.next();
    if (next.done !== true) head.push(next.value);
    isDocument = beginsDocument(Buffer.concat(head), next.done === true);
  }
  const all = joined(head, iterator);
  yield* isDocument ? documentsOf(all) : linesOf(all);
}
