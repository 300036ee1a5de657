/** Rows that ClickHouse answers as columns in its `Native` format: read as they come, decoded where they are looked at. */
import { LedgerAwayError, ActionableError } from '../errors.ts';

/** The cells of one column of a block, by row. */
export interface Cells<Value> {
  at(row: number): Value;
}

/** Texts stay bytes until they are asked for. */
export class TextCells implements Cells<string> {
  readonly #bytes: Buffer;
  /** Of each row, where its text begins and ends. */
  readonly #begins: Uint32Array;
  readonly #ends: Uint32Array;

  constructor(bytes: Buffer, begins: Uint32Array, ends: Uint32Array) {
    this.#bytes = bytes;
    this.#begins = begins;
    this.#ends = ends;
  }

  at(row: number): string {
    const begin = this.#begins[row] ?? 0;
    const end = this.#ends[row] ?? 0;
    return begin === end ? '' : this.#bytes.toString('utf8', begin, end);
  }

  /**
   * All rows one after another, each ended by a byte, as pieces of whole rows. What is decoded is decoded many rows at once.
   * @param pieceBytes a piece ends with the row that reaches so many
   */
  *ended(end: number, pieceBytes: number): Generator<Buffer> {
    const [bytes, begins, ends] = [this.#bytes, this.#begins, this.#ends];
    let first = 0;
    while (first < begins.length) {
      let size = 0;
      let next = first;
      while (next < begins.length && size < pieceBytes) {
        size += (ends[next] ?? 0) - (begins[next] ?? 0) + 1;
        next += 1;
      }
      const piece = Buffer.allocUnsafe(size);
      let at = 0;
      for (let row = first; row < next; row++) {
        at += bytes.copy(piece, at, begins[row], ends[row]);
        piece[at++] = end;
      }
      yield piece;
      first = next;
    }
  }

  /** Whether two rows have the same text. */
  isSame(a: number, b: number): boolean {
    const [fromA = 0, toA = 0, fromB = 0, toB = 0] = [this.#begins[a], this.#ends[a], this.#begins[b], this.#ends[b]];
    return toA - fromA === toB - fromB && this.#bytes.compare(this.#bytes, fromB, toB, fromA, toA) === 0;
  }
}

/** Texts that repeat: a dictionary, and for every row which of them. */
class RepeatedCells implements Cells<string> {
  readonly #entries: readonly string[];
  readonly #indexes: Indexes;

  constructor(entries: readonly string[], indexes: Indexes) {
    this.#entries = entries;
    this.#indexes = indexes;
  }

  at(row: number): string {
    return this.#entries[this.#indexes[row] ?? 0] ?? '';
  }
}

class NumberCells implements Cells<number> {
  readonly #values: Indexes | Int8Array;

  constructor(values: Indexes | Int8Array) {
    this.#values = values;
  }

  at(row: number): number {
    return this.#values[row] ?? 0;
  }
}

/** 64-bit integers as decimal digits: none of them is rounded. */
class BigNumberCells implements Cells<string> {
  readonly #values: BigInt64Array | BigUint64Array;

  constructor(values: BigInt64Array | BigUint64Array) {
    this.#values = values;
  }

  at(row: number): string {
    return (this.#values[row] ?? 0n).toString();
  }
}

class SameCells<Value> implements Cells<Value> {
  readonly #value: Value;

  constructor(value: Value) {
    this.#value = value;
  }

  at(): Value {
    return this.#value;
  }
}

type Indexes = Uint8Array | Uint16Array | Uint32Array;

/** Some rows, as columns. */
export class Block {
  readonly rows: number;
  readonly #columns: ReadonlyMap<string, Cells<string | number>>;

  constructor(rows: number, columns: ReadonlyMap<string, Cells<string | number>>) {
    this.rows = rows;
    this.#columns = columns;
  }

  has(name: string): boolean {
    return this.#columns.has(name);
  }

  /** A column of texts or 64-bit integers; one that is not there is empty, or what is said, in every row. */
  text(name: string, absent = ''): Cells<string> {
    return (this.#columns.get(name) as Cells<string> | undefined) ?? new SameCells(absent);
  }

  /** A column of numbers of up to 32 bits; one that is not there has the same in every row. */
  number(name: string, absent = 0): Cells<number> {
    return (this.#columns.get(name) as Cells<number> | undefined) ?? new SameCells(absent);
  }

  /** A column of plain texts, whose rows can be compared. @throws ActionableError when it is none */
  plainText(name: string): TextCells {
    const cells = this.#columns.get(name);
    if (!(cells instanceof TextCells)) throw new ActionableError(`The answer has no texts under the name "${name}".`);
    return cells;
  }
}

/** Thrown when a column is not there in full yet. */
class Incomplete extends Error {
  /** Bytes that are wanted before it is tried again: at least one more than there are. */
  readonly wanted: number;

  constructor(wanted: number) {
    super('incomplete');
    this.wanted = wanted;
  }
}

/** What is left of a column's values: they are copied, because numbers must be aligned. */
function numbersAt<T>(bytes: Buffer, at: number, length: number, make: (buffer: ArrayBuffer) => T): T {
  const copy = new Uint8Array(length);
  bytes.copy(copy, 0, at, at + length);
  return make(copy.buffer);
}

/** Reads the blocks of an answer from its bytes, which may be cut anywhere. */
export class BlockReader {
  #bytes: Buffer = Buffer.alloc(0);
  /** How many of `#bytes` have come. */
  #length = 0;
  #at = 0;
  #wanted = 1;
  #head: { readonly columns: number; readonly rows: number } | null = null;
  #columns = new Map<string, Cells<string | number>>();

  /** Takes some bytes. @returns the blocks that are whole with them */
  push(chunk: Uint8Array): Block[] {
    this.#append(chunk);
    return this.#length >= this.#wanted ? this.#whole() : [];
  }

  /** The answer has ended. @returns its last blocks @throws LedgerAwayError when it ends in the middle of one */
  end(): Block[] {
    const blocks = this.#whole();
    if (this.#at !== this.#length || this.#head !== null)
      throw new LedgerAwayError('ClickHouse went away while it answered: the answer ends in the middle.');
    return blocks;
  }

  #whole(): Block[] {
    const blocks: Block[] = [];
    try {
      for (let block = this.#next(); block !== null; block = this.#next()) if (block.rows > 0) blocks.push(block);
    } catch (error) {
      if (!(error instanceof Incomplete)) throw error;
      this.#wanted = Math.max(error.wanted, this.#length + 1);
    }
    return blocks;
  }

  #append(chunk: Uint8Array): void {
    if (this.#length === 0) {
      // Not copied: nothing is written into it, and what comes next begins other memory.
      this.#bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      this.#length = chunk.length;
      return;
    }
    if (this.#length + chunk.length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + chunk.length, 1 << 16));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length += chunk.length;
  }

  /** The next block; goes on with the column that was not there in full. Null when nothing has come of a next one. */
  #next(): Block | null {
    if (this.#head === null) {
      if (this.#at === this.#length) return null;
      const columns = this.#varint(this.#at);
      const rows = this.#varint(columns.next);
      this.#head = { columns: columns.value, rows: rows.value };
      this.#at = rows.next;
    }
    const { columns, rows } = this.#head;
    while (this.#columns.size < columns) {
      const name = this.#name(this.#at);
      const type = this.#name(name.next);
      const { cells, next } = this.#cells(type.value, rows, type.next);
      this.#columns.set(name.value, cells);
      this.#at = next;
    }
    const block = new Block(rows, this.#columns);
    this.#head = null;
    this.#columns = new Map();
    // The block keeps these bytes; what has come of the next one begins new ones.
    const rest = Buffer.from(this.#bytes.subarray(this.#at, this.#length));
    this.#bytes = rest;
    this.#length = rest.length;
    this.#at = 0;
    this.#wanted = 1;
    return block;
  }

  #need(end: number): void {
    if (end > this.#length) throw new Incomplete(end);
  }

  #varint(at: number): { readonly value: number; readonly next: number } {
    let value = 0;
    let factor = 1;
    for (let position = at; ; position++) {
      this.#need(position + 1);
      const byte = this.#bytes[position] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return { value, next: position + 1 };
      factor *= 128;
    }
  }

  #name(at: number): { readonly value: string; readonly next: number } {
    const { value: length, next } = this.#varint(at);
    this.#need(next + length);
    return { value: this.#bytes.toString('utf8', next, next + length), next: next + length };
  }

  #texts(rows: number, at: number): { readonly cells: TextCells; readonly next: number } {
    const begins = new Uint32Array(rows);
    const ends = new Uint32Array(rows);
    const bytes = this.#bytes;
    const length = this.#length;
    let position = at;
    for (let row = 0; row < rows; row++) {
      let size = bytes[position++] ?? 0;
      if (size > 127) {
        size &= 127;
        for (let factor = 128; ; factor *= 128) {
          const byte = bytes[position++] ?? 0;
          size += (byte & 127) * factor;
          if (byte < 128 || position > length) break;
        }
      }
      begins[row] = position;
      position += size;
      ends[row] = position;
      // As many bytes again for each row as there were so far, so that a long column is not read often.
      if (position > length) throw new Incomplete(at + Math.ceil(((length - at) * rows) / (row + 1)));
    }
    return { cells: new TextCells(bytes, begins, ends), next: position };
  }

  #repeated(rows: number, at: number): { readonly cells: Cells<string>; readonly next: number } {
    if (rows === 0) return { cells: new SameCells(''), next: at };
    this.#need(at + 24);
    const flags = this.#bytes.readUInt32LE(at + 8);
    const size = this.#bytes.readUInt32LE(at + 16);
    const { cells, next } = this.#texts(size, at + 24);
    const width = 1 << (flags & 255);
    const indexesAt = next + 8;
    const end = indexesAt + rows * width;
    this.#need(end);
    const indexes = numbersAt<Indexes>(this.#bytes, indexesAt, rows * width, (buffer) =>
      width === 1 ? new Uint8Array(buffer) : width === 2 ? new Uint16Array(buffer) : new Uint32Array(buffer),
    );
    const entries = Array.from({ length: size }, (_, i) => cells.at(i));
    return { cells: new RepeatedCells(entries, indexes), next: end };
  }

  #cells(type: string, rows: number, at: number): { readonly cells: Cells<string | number>; readonly next: number } {
    if (type === 'String') return this.#texts(rows, at);
    if (type === 'LowCardinality(String)') return this.#repeated(rows, at);
    const layout = LAYOUTS.find(({ matches }) => matches.test(type));
    if (layout === undefined)
      throw new ActionableError(`ClickHouse answered with a column of type ${type}, which is not read.`);
    const length = rows * layout.width;
    this.#need(at + length);
    return { cells: numbersAt(this.#bytes, at, length, layout.cells), next: at + length };
  }
}

const LAYOUTS: readonly {
  readonly matches: RegExp;
  readonly width: number;
  readonly cells: (buffer: ArrayBuffer) => Cells<string | number>;
}[] = [
  { matches: /^(UInt8|Bool)$/, width: 1, cells: (b) => new NumberCells(new Uint8Array(b)) },
  { matches: /^(Int8|Enum8\(.*\))$/, width: 1, cells: (b) => new NumberCells(new Int8Array(b)) },
  { matches: /^UInt16$/, width: 2, cells: (b) => new NumberCells(new Uint16Array(b)) },
  { matches: /^(UInt32|DateTime(\(.*\))?)$/, width: 4, cells: (b) => new NumberCells(new Uint32Array(b)) },
  { matches: /^UInt64$/, width: 8, cells: (b) => new BigNumberCells(new BigUint64Array(b)) },
  { matches: /^Int64$/, width: 8, cells: (b) => new BigNumberCells(new BigInt64Array(b)) },
];

/** All blocks of whole bytes. @throws LedgerAwayError when they end in the middle of one */
export function readBlocks(chunks: readonly Uint8Array[]): Block[] {
  const reader = new BlockReader();
  return [...chunks.flatMap((chunk) => reader.push(chunk)), ...reader.end()];
}
