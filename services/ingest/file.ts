import { isUtf8 } from 'node:buffer';
import { accessSync, constants, createReadStream, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { MAX_VALUE_BYTES, type Rejection } from '@ctwa-ledger/schemas/event.ts';
import { DeadLetters } from '../ledger/events/dead-letters.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import type { Landing } from '../ledger/events/landing.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { membersOf, type DocumentPart } from './documents.ts';
import { MAX_KEPT_BYTES, piecesOf, type Piece } from './input.ts';
import { readBytes, readValue, summarised, type Outcome } from './value.ts';

/** What became of the events of an input; `read = stored + duplicate + rejected`. */
interface Counts {
  readonly read: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly rejected: number;
}

/** What became of an input, and a warning for the person who ran it. */
export interface Ingested extends Counts {
  /** Where indented JSON is broken, and what to do; null when it is not. */
  readonly warning: string | null;
}

/**
 * Events folded at once: enough to read threads back in one pass, and few enough that marks appear while a large file
 * is read.
 */
const EVENTS_PER_FOLD = 5_000_000;
const READ_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;
/** The first bytes of a gzip file. */
const GZIP_MAGIC = [0x1f, 0x8b] as const;
/** Bytes of an upload when unpacked: a small file can unpack to any size. */
const MAX_UNPACKED_BYTES = 1024 * 1024 * 1024;
/** Bytes of UTF-8 for one UTF-16 unit at most. */
const MAX_BYTES_PER_CHAR = 3;
/** A line of at most so many characters is within the limit of a value, even if each character takes the most bytes. */
const MAX_SURELY_SHORT_CHARS = MAX_VALUE_BYTES / MAX_BYTES_PER_CHAR;

/**
 * Checks that files can be read, before the first one is read.
 * @throws ActionableError for a missing file, a directory, or one that may not be read
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
      throw new ActionableError(
        `The file ${path} ${reason}. Give the path of an NDJSON file, or - for standard input.`,
      );
    }
    if (isDirectory) throw new ActionableError(`${path} is a directory. Give its files, for example ${path}/*.ndjson.`);
  }
}

const BLANK = /^\s*$/;
const BEGINS_LIST = /^\s*\[/;
const MEND = 'Correct it and run the file again, or write one value per line, with: jq -c . FILE';

function isBlank(bytes: Buffer): boolean {
  return BLANK.test(bytes.toString('utf8'));
}

/** Adds to the messages about a line of broken JSON what is wrong with that JSON. */
function explained(outcomes: readonly Outcome[], broken: string): Outcome[] {
  return outcomes.map((outcome) => {
    if (outcome.kind === 'event') return outcome;
    const { code, message } = outcome.rejection;
    return { kind: 'rejected', rejection: { code, message: `${message} ${broken} ${MEND}` } };
  });
}

/**
 * Ingests NDJSON of events and envelopes, mixed (contract.md 2), or indented JSON of the same: one value, several one
 * after another, or a list. When this resolves, everything that was read is landed and marked, and every rejected value
 * is kept. Running it again changes nothing.
 * @param path a file, gzipped when it ends in `.gz`, or `-` for standard input
 * @throws ActionableError when the file cannot be read to its end; what was read until then is landed and marked
 */
export async function ingestFile(
  ledger: TargetLedger,
  path: string,
  onProgress: (counts: { read: number; folded: number }) => void,
): Promise<Ingested> {
  checkInputs([path]);
  const input: Readable = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: READ_BYTES });
  const bytes: AsyncIterable<Buffer> = path.endsWith('.gz') ? input.compose<Readable>(createGunzip()) : input;
  return ingestBytes(ledger, { name: path, source: path === '-' ? '-' : resolve(path), bytes }, onProgress);
}

/**
 * Ingests an uploaded file, as `ingestFile` does one on disk. It may be gzipped, whatever its name.
 * @throws ActionableError when it cannot be read to its end; what was read until then is landed and marked
 */
export function ingestUpload(ledger: TargetLedger, { name, bytes }: UploadedFile): Promise<Ingested> {
  const packed = Readable.from(inParts(bytes));
  const isGzip = bytes[0] === GZIP_MAGIC[0] && bytes[1] === GZIP_MAGIC[1];
  const unpacked: AsyncIterable<Buffer> = isGzip ? packed.pipe(createGunzip()) : packed;
  return ingestBytes(ledger, { name, source: name, bytes: upTo(MAX_UNPACKED_BYTES, unpacked) }, () => undefined);
}

/** A file that was uploaded. */
interface UploadedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

function* inParts(bytes: Uint8Array): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += READ_BYTES) yield Buffer.from(bytes.subarray(at, at + READ_BYTES));
}

async function* upTo(most: number, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > most)
      throw new RangeError(`it unpacks to more than ${most / 1024 ** 3} GB: split it, or use the command ingest`);
    yield piece;
  }
}

/** What is ingested: bytes, their name for people, and the source that rejected values are listed under. */
interface Input {
  readonly name: string;
  readonly source: string;
  readonly bytes: AsyncIterable<Buffer>;
}

async function ingestBytes(
  ledger: TargetLedger,
  { name, source, bytes }: Input,
  onProgress: (counts: { read: number; folded: number }) => void,
): Promise<Ingested> {
  const ingestion = new FileIngestion(ledger, source, onProgress);
  let failure: unknown = null;
  try {
    for await (const piece of piecesOf(bytes)) await ingestion.take(piece);
  } catch (error) {
    if (error instanceof ActionableError) throw error;
    failure = error;
  }
  const ingested = await ingestion.finish();
  if (failure !== null) {
    const reason = failure instanceof Error ? failure.message : String(failure);
    throw new ActionableError(
      `The file ${name} could not be read to its end (${reason}). ${ingested.read} events before that are in the ledger; correct the file and run it again.`,
    );
  }
  return ingested;
}

type TargetLedger = Pick<Ledger, 'database' | 'beginLanding' | 'fold'>;

/**
 * Brings one file into the ledger: lands its pieces in order as they are read, and folds some million events at a time.
 */
class FileIngestion {
  readonly #ledger: TargetLedger;
  readonly #source: string;
  readonly #onProgress: (counts: { read: number; folded: number }) => void;
  readonly #letters: DeadLetters;
  #landing: Landing;
  #read = 0;
  #rejected = 0;
  #stored = 0;
  #line = 0;
  #warning: string | null = null;
  #nowSeconds = 0;

  constructor(ledger: TargetLedger, source: string, onProgress: (counts: { read: number; folded: number }) => void) {
    this.#ledger = ledger;
    this.#source = source;
    this.#onProgress = onProgress;
    this.#letters = new DeadLetters(ledger.database);
    this.#landing = this.#begin();
  }

  #begin(): Landing {
    return this.#ledger.beginLanding(async (refused) => {
      this.#rejected += refused.length;
      for (const letter of refused) await this.#letters.add(letter);
    });
  }

  async take(piece: Piece): Promise<void> {
    this.#nowSeconds = Math.floor(Date.now() / 1000);
    await this.#takePiece(piece);
    this.#onProgress({ read: this.#read, folded: 0 });
    if (this.#landing.events >= EVENTS_PER_FOLD) await this.#fold();
  }

  /** Resolves when everything taken is landed and marked. Call nothing else afterwards. */
  async finish(): Promise<Ingested> {
    await this.#fold();
    const [read, stored, rejected] = [this.#read, this.#stored, this.#rejected];
    return { read, stored, duplicate: read - rejected - stored, rejected, warning: this.#warning };
  }

  async #fold(): Promise<void> {
    await this.#letters.flush();
    const landed = this.#landing;
    this.#landing = this.#begin();
    const folded = await this.#ledger.fold(landed, {
      onProgress: (threads) => this.#onProgress({ read: this.#read, folded: threads }),
    });
    this.#stored += folded.stored;
    await this.#letters.flush();
  }

  #takePiece(piece: Piece): Promise<void> {
    switch (piece.kind) {
      case 'lines':
        return this.#takeLines(piece.bytes);
      case 'oversized': {
        this.#line += 1;
        const members = piece.bytes > piece.kept.length ? null : membersOf(piece.kept);
        return members === null ? this.#tooLarge('line', piece.kept, piece.bytes) : this.#takeMembers(members);
      }
      case 'value':
      case 'line':
        return this.#takePart(piece);
      case 'unclosed':
        this.#warning ??=
          'It ends in the middle of a list. Look whether it is whole; its values until there were taken.';
        return Promise.resolve();
    }
  }

  async #takeLines(bytes: Buffer): Promise<void> {
    // One check for many lines. Only in a run that fails is each line checked.
    const isText = isUtf8(bytes);
    let end = -1;
    while (end < bytes.length) {
      const begin = end + 1;
      const newline = bytes.indexOf(NEWLINE, begin);
      end = newline === -1 ? bytes.length : newline;
      this.#line += 1;
      if (end === begin) continue;
      // Decoded line by line: one character beyond ASCII slows down the whole string that holds it.
      const text = isText ? bytes.toString('utf8', begin, end) : null;
      if (text?.startsWith('{') === true && text.length <= MAX_SURELY_SHORT_CHARS) {
        const outcomes = readValue(text, this.#nowSeconds);
        const taken = this.#takeEvent(outcomes);
        if (typeof taken === 'object') await taken;
        else if (!taken) await this.#takeOutcomes(outcomes, () => Buffer.from(text));
      } else {
        const raw = bytes.subarray(begin, end);
        if (text !== null || isUtf8(raw)) await this.#takeLine(text ?? raw.toString('utf8'), () => raw);
        else await this.#takeOutcomes(readBytes(raw, this.#nowSeconds), () => raw);
      }
    }
  }

  /**
   * Takes a line that is one event, as nearly all lines are, without awaiting: a turn of the event loop for each line
   * costs as much as reading it.
   * @returns whether it was one event, or a promise to await before the next line
   */
  #takeEvent(outcomes: readonly Outcome[]): Promise<void> | boolean {
    const [outcome] = outcomes;
    if (outcome?.kind !== 'event' || outcomes.length > 1) return false;
    this.#read += 1;
    return this.#landing.add(outcome.event, { source: this.#source, partition: 0, position: this.#line }) ?? true;
  }

  async #takeLine(text: string, raw: () => Buffer): Promise<void> {
    if (BLANK.test(text)) return;
    const members = BEGINS_LIST.test(text) ? membersOf(raw()) : null;
    if (members !== null) {
      await this.#takeMembers(members);
      return;
    }
    const mayBeTooLarge = text.length > MAX_SURELY_SHORT_CHARS;
    const outcomes = mayBeTooLarge ? readBytes(raw(), this.#nowSeconds) : readValue(text, this.#nowSeconds);
    await this.#takeOutcomes(outcomes, raw);
  }

  async #takePart(part: DocumentPart): Promise<void> {
    this.#line = part.line;
    const { bytes, broken } = part;
    if (part.kind === 'line' && isBlank(bytes)) return;
    if (bytes.length > MAX_VALUE_BYTES) {
      await this.#tooLarge(part.kind, bytes.subarray(0, MAX_KEPT_BYTES), bytes.length);
      return;
    }
    const outcomes = readBytes(bytes, this.#nowSeconds);
    if (broken !== '') this.#warning ??= `${broken} Its lines were read one by one. ${MEND}`;
    await this.#takeOutcomes(broken === '' ? outcomes : explained(outcomes, broken), () => bytes);
  }

  /** Each member of a list is a value of its own: it has its own size limit and its own dead letter. */
  async #takeMembers(members: readonly Buffer[]): Promise<void> {
    for (const member of members) await this.#takeOutcomes(readBytes(member, this.#nowSeconds), () => member);
  }

  #tooLarge(what: string, kept: Buffer, bytes: number): Promise<void> {
    const cut = bytes > kept.length ? ` Only its first ${kept.length} bytes are kept.` : '';
    const message = `The ${what} has ${bytes} bytes; at most ${MAX_VALUE_BYTES} are taken. Split it.${cut}`;
    return this.#takeOutcomes([{ kind: 'rejected', rejection: { code: 'too_large', message } }], () => kept);
  }

  /**
   * Lands the events of a value. Keeps the value as a dead letter if anything in it was rejected.
   * @param raw its bytes, for the letter
   */
  async #takeOutcomes(outcomes: readonly Outcome[], raw: () => Buffer): Promise<void> {
    const rejections: Rejection[] = [];
    const origin = { source: this.#source, partition: 0, position: this.#line };
    for (const outcome of outcomes) {
      if (outcome.kind === 'event') {
        const waiting = this.#landing.add(outcome.event, origin);
        if (waiting !== undefined) await waiting;
      } else rejections.push(outcome.rejection);
    }
    this.#read += outcomes.length;
    this.#rejected += rejections.length;
    const rejection = summarised(rejections);
    if (rejection !== null) await this.#letters.add({ ...rejection, ...origin, raw: raw() });
  }
}
