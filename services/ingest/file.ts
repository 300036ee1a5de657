import { isUtf8 } from 'node:buffer';
import { accessSync, constants, createReadStream, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { MAX_VALUE_BYTES, type Rejection } from '@ctwa-ledger/schemas/event.ts';
import { DeadLetters } from '../ledger/dead-letters.ts';
import { LedgerError } from '../ledger/errors.ts';
import type { PutAside } from '../ledger/landing.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { readBytes, readValue, summarised, type Outcome } from './value.ts';

/** What became of the events of an input; `read = stored + duplicate + rejected`. */
export interface Counts {
  readonly read: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly rejected: number;
}

/** Events folded at once: enough to read threads back in order once, few enough that marks do not wait for ever. */
const EVENTS_PER_FOLD = 5_000_000;
const READ_BYTES = 1024 * 1024;
/** Bytes kept of a line without an end, for the dead letter; longer ones are cut and say so. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;
const NEWLINE = 0x0a;
/** Of UTF-8, for one UTF-16 unit. */
const MAX_BYTES_PER_CHAR = 3;

/** A run of whole lines, or one line that is too long to be taken. */
type Piece =
  | { readonly kind: 'lines'; readonly bytes: Buffer }
  | { readonly kind: 'oversized'; readonly kept: Buffer; readonly bytes: number };

async function* pieces(stream: Readable): AsyncGenerator<Piece> {
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
  for await (let chunk of stream as AsyncIterable<Buffer>) {
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

/**
 * Checks that files can be read before any of them is.
 * @throws LedgerError for a missing file, a directory, or one that may not be read
 */
export function checkInputs(paths: readonly string[]): void {
  for (const path of paths) {
    if (path === '-') continue;
    let isDirectory: boolean;
    try {
      isDirectory = statSync(path).isDirectory();
      accessSync(path, constants.R_OK);
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'cannot be read';
      throw new LedgerError(`The file ${path} ${reason}. Give the path of an NDJSON file, or - for standard input.`);
    }
    if (isDirectory) throw new LedgerError(`${path} is a directory. Give its files, for example ${path}/*.ndjson.`);
  }
}

const BLANK = /^\s*$/;
const BYTE_ORDER_MARK = '\ufeff';

/**
 * Ingests NDJSON of events and envelopes, mixed (contract.md 2). All that was read is landed and marked, and every
 * rejected value is kept, when this resolves. Running it again changes nothing.
 * @param path a file, gzipped when it ends in `.gz`, or `-` for standard input
 * @throws LedgerError when the file cannot be read to its end; what was read until then is landed and marked
 */
export async function ingestFile(
  ledger: Pick<Ledger, 'database' | 'beginLanding' | 'fold'>,
  path: string,
  onProgress: (counts: { read: number; folded: number }) => void,
): Promise<Counts> {
  checkInputs([path]);
  const input: Readable = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: READ_BYTES });
  const stream = path.endsWith('.gz') ? input.compose<Readable>(createGunzip()) : input;
  const source = path === '-' ? '-' : resolve(path);
  const letters = new DeadLetters(ledger.database);
  let read = 0;
  let rejected = 0;
  let stored = 0;
  let line = 0;
  let nowSeconds = Math.floor(Date.now() / 1000);
  const putAside: PutAside = async (refused) => {
    rejected += refused.length;
    for (const letter of refused) await letters.add(letter);
  };
  let landing = ledger.beginLanding(putAside);

  const settle = async (outcomes: readonly Outcome[], raw: () => Buffer): Promise<void> => {
    const rejections: Rejection[] = [];
    const origin = { source, partition: 0, position: line };
    for (const outcome of outcomes) {
      if (outcome.kind === 'event') {
        const waiting = landing.add(outcome.event, origin);
        if (waiting !== undefined) await waiting;
      } else rejections.push(outcome.rejection);
    }
    read += outcomes.length;
    rejected += rejections.length;
    const rejection = summarised(rejections);
    if (rejection !== null) await letters.add({ ...rejection, ...origin, raw: raw() });
  };
  const fold = async (): Promise<void> => {
    await letters.flush();
    const landed = landing;
    landing = ledger.beginLanding(putAside);
    stored += (await ledger.fold(landed, { onProgress: (folded) => onProgress({ read, folded }) })).stored;
    await letters.flush();
  };
  const takeLine = async (text: string, raw: () => Buffer): Promise<void> => {
    if (BLANK.test(text)) return;
    const mayBeTooLarge = text.length * MAX_BYTES_PER_CHAR > MAX_VALUE_BYTES;
    await settle(mayBeTooLarge ? readBytes(raw(), nowSeconds) : readValue(text, nowSeconds), raw);
  };
  const withoutMark = (text: string): string =>
    line === 1 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(BYTE_ORDER_MARK.length) : text;
  const takeLines = async (bytes: Buffer): Promise<void> => {
    // One check for many lines; only a run that fails is looked at line by line.
    if (isUtf8(bytes)) {
      for (const text of bytes.toString('utf8').split('\n')) {
        line += 1;
        await takeLine(withoutMark(text), () => Buffer.from(text));
      }
      return;
    }
    for (let from = 0; from <= bytes.length;) {
      const newline = bytes.indexOf(NEWLINE, from);
      const raw = bytes.subarray(from, newline === -1 ? bytes.length : newline);
      from = newline === -1 ? bytes.length + 1 : newline + 1;
      line += 1;
      if (isUtf8(raw)) await takeLine(withoutMark(raw.toString('utf8')), () => raw);
      else await settle(readBytes(raw, nowSeconds), () => raw);
    }
  };

  let failure: unknown = null;
  try {
    for await (const piece of pieces(stream)) {
      nowSeconds = Math.floor(Date.now() / 1000);
      if (piece.kind === 'lines') await takeLines(piece.bytes);
      else {
        line += 1;
        const cut = piece.bytes > piece.kept.length ? ` Only its first ${piece.kept.length} bytes are kept.` : '';
        const message = `The line has ${piece.bytes} bytes; at most ${MAX_VALUE_BYTES} are taken. Split it.${cut}`;
        await settle([{ kind: 'rejected', rejection: { code: 'too_large', message } }], () => piece.kept);
      }
      onProgress({ read, folded: 0 });
      if (landing.events >= EVENTS_PER_FOLD) await fold();
    }
  } catch (error) {
    if (error instanceof LedgerError) throw error;
    failure = error;
  }
  await fold();
  if (failure !== null) {
    const reason = failure instanceof Error ? failure.message : String(failure);
    throw new LedgerError(
      `The file ${path} could not be read to its end (${reason}). ${read} events before that are in the ledger; mend the file and run it again.`,
    );
  }
  return { read, stored, duplicate: read - rejected - stored, rejected };
}
