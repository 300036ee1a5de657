/**
 * Rows on their way to ClickHouse as columns in its `Native` format: each column is built while rows are added, so that
 * nothing is put together twice. A column in which a block has only the table's defaults is left out of it.
 */

/** The columns of one insert, encoded. */
export interface EncodedBlock {
  readonly rows: number;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Columns that ClickHouse computes from these while it inserts. */
  readonly computed: readonly ComputedColumn[];
  readonly chunks: readonly Buffer[];
}

/** The statement of an insert, without the format of the data that follow it. */
export function insertOf(table: string, { columns, computed }: EncodedBlock): string {
  const given = columns.map(({ name }) => name).join(', ');
  if (computed.length === 0) return `INSERT INTO ${table} (${given})`;
  const names = computed.map(({ name }) => name).join(', ');
  const values = computed.map(({ sql }) => sql).join(', ');
  const structure = columns.map(({ name, type }) => `${name} ${type}`).join(', ');
  return `INSERT INTO ${table} (${given}, ${names}) SELECT ${given}, ${values} FROM input('${structure.replaceAll("'", "\\'")}')`;
}

export interface ComputedColumn {
  readonly name: string;
  /** Over the columns of the block. */
  readonly sql: string;
}

export type CellValue = string | number | bigint | null;

/**
 * How a column is sent: free `text`; text that `repeats` over rows, as a dictionary; `seconds` since 1970 of a DateTime,
 * which may be absent in `seconds or null`.
 */
type ColumnKind =
  | 'text'
  | 'repeats'
  | 'kind'
  | 'seconds'
  | 'seconds or null'
  | 'u8'
  | 'u16'
  | 'u32'
  | 'u64'
  | 'i8'
  | 'i64'
  | 'i64 or null';

/** A column of a table, and what a row has in it. */
export interface Field<Row> {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly of: (row: Row) => CellValue;
  /** The column's default in the table, where that is a number other than 0. */
  readonly absent?: number;
}

const FIRST_ROWS = 1024;
const FIRST_BYTES = 16 * 1024;
/** Longer texts are encoded by Node, which costs a call; shorter ones byte by byte. */
const MAX_SHORT_CHARS = 96;
const MAX_VARINT_BYTES = 5;

function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  let position = at;
  while (rest > 127) {
    bytes[position++] = (rest & 127) | 128;
    rest = Math.floor(rest / 128);
  }
  bytes[position++] = rest;
  return position;
}

/** Texts one after another, each behind its length. */
class Texts {
  // Zeros: an empty text is one zero byte, so rows without text are skipped, not written.
  #bytes = Buffer.alloc(FIRST_BYTES);
  #position = 0;
  #rows = 0;

  get bytes(): number {
    return this.#position;
  }

  get rows(): number {
    return this.#rows;
  }

  #reserve(bytes: number): void {
    if (this.#position + bytes <= this.#bytes.length) return;
    const grown = Buffer.alloc(Math.max(this.#bytes.length * 2, this.#position + bytes));
    this.#bytes.copy(grown, 0, 0, this.#position);
    this.#bytes = grown;
  }

  put(row: number, value: string): void {
    const skipped = row - this.#rows;
    this.#reserve(skipped + MAX_VARINT_BYTES + value.length * 3);
    this.#position += skipped;
    this.#rows = row + 1;
    if (!this.#putShort(value)) this.#putAny(value);
  }

  #putShort(value: string): boolean {
    const { length } = value;
    if (length > MAX_SHORT_CHARS) return false;
    const bytes = this.#bytes;
    const at = this.#position + 1;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 127) return false;
      bytes[at + i] = code;
    }
    bytes[this.#position] = length;
    this.#position = at + length;
    return true;
  }

  #putAny(value: string): void {
    const length = Buffer.byteLength(value);
    const at = writeVarint(this.#bytes, this.#position, length);
    this.#position = at + this.#bytes.write(value, at, length, 'utf8');
  }

  /** All rows up to a number, those behind the last text as empty. */
  encode(rows: number): Buffer {
    this.#reserve(rows - this.#rows);
    this.#position += rows - this.#rows;
    this.#rows = rows;
    return this.#bytes.subarray(0, this.#position);
  }
}

interface Column {
  readonly type: string;
  /** Whether some row has something else than the default. */
  readonly isUsed: boolean;
  readonly bytes: number;
  put(row: number, value: CellValue): void;
  encode(rows: number): readonly Buffer[];
}

class TextColumn implements Column {
  readonly type = 'String';
  readonly #texts = new Texts();

  get isUsed(): boolean {
    return this.#texts.rows > 0;
  }

  get bytes(): number {
    return this.#texts.bytes;
  }

  put(row: number, value: string): void {
    if (value !== '') this.#texts.put(row, value);
  }

  encode(rows: number): readonly Buffer[] {
    return [this.#texts.encode(rows)];
  }
}

type Numbers = Uint8Array | Uint16Array | Uint32Array | Int8Array;
type BigNumbers = BigInt64Array | BigUint64Array;

function bytesOf(numbers: Numbers | BigNumbers): Buffer {
  return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

/** Dictionary of a block: its texts, and for every row which of them. */
class RepeatingColumn implements Column {
  readonly type = 'LowCardinality(String)';
  /** The first entry is the empty text, which is what rows that are not written have. */
  readonly #entries = new Map<string, number>([['', 0]]);
  readonly #texts = new Texts();
  #indexes = new Uint32Array(FIRST_ROWS);
  #last = '';
  #lastIndex = 0;

  get isUsed(): boolean {
    return this.#entries.size > 1;
  }

  get bytes(): number {
    return this.#texts.bytes;
  }

  put(row: number, value: string): void {
    if (value !== this.#last) {
      this.#last = value;
      this.#lastIndex = this.#indexOf(value);
    }
    if (this.#lastIndex === 0) return;
    if (row >= this.#indexes.length) {
      const grown = new Uint32Array(Math.max(this.#indexes.length * 2, row + 1));
      grown.set(this.#indexes);
      this.#indexes = grown;
    }
    this.#indexes[row] = this.#lastIndex;
  }

  #indexOf(value: string): number {
    const known = this.#entries.get(value);
    if (known !== undefined) return known;
    const index = this.#entries.size;
    this.#entries.set(value, index);
    this.#texts.put(index, value);
    return index;
  }

  encode(rows: number): readonly Buffer[] {
    const { size } = this.#entries;
    const width = size <= 256 ? 0 : size <= 65_536 ? 1 : 2;
    const head = Buffer.alloc(24);
    // Dictionary of this block alone; its keys follow, then indexes of this width.
    head.writeBigUInt64LE(1n, 0);
    head.writeBigUInt64LE(BigInt(0x600 | width), 8);
    head.writeBigUInt64LE(BigInt(size), 16);
    const count = Buffer.alloc(8);
    count.writeBigUInt64LE(BigInt(rows), 0);
    const all = new Uint32Array(rows);
    all.set(this.#indexes.subarray(0, rows));
    const narrow = width === 0 ? Uint8Array.from(all) : width === 1 ? Uint16Array.from(all) : all;
    return [head, this.#texts.encode(size), count, bytesOf(narrow)];
  }
}

/** Numbers of one width; rows that are not written have the default. */
class NumberColumn implements Column {
  readonly type: string;
  readonly #absent: number;
  readonly #make: (length: number) => Numbers;
  #values: Numbers;
  isUsed = false;
  readonly bytes = 0;

  constructor(type: string, make: (length: number) => Numbers, absent = 0) {
    this.type = type;
    this.#make = (length) => make(length).fill(absent);
    this.#absent = absent;
    this.#values = this.#make(FIRST_ROWS);
  }

  put(row: number, value: number): void {
    if (value === this.#absent) return;
    this.isUsed = true;
    this.#grow(row + 1);
    this.#values[row] = value;
  }

  #grow(rows: number): void {
    if (rows <= this.#values.length) return;
    const grown = this.#make(Math.max(this.#values.length * 2, rows));
    grown.set(this.#values);
    this.#values = grown;
  }

  encode(rows: number): readonly Buffer[] {
    this.#grow(rows);
    return [bytesOf(this.#values.subarray(0, rows))];
  }
}

/** The same for numbers of 64 bits, which come as numbers, big integers or decimal digits. */
class BigNumberColumn implements Column {
  readonly type: string;
  readonly #absent: bigint;
  readonly #make: (length: number) => BigNumbers;
  #values: BigNumbers;
  isUsed = false;
  readonly bytes = 0;

  constructor(type: string, make: (length: number) => BigNumbers, absent = 0) {
    this.type = type;
    this.#absent = BigInt(absent);
    this.#make = (length) => make(length).fill(this.#absent);
    this.#values = this.#make(FIRST_ROWS);
  }

  put(row: number, value: string | number | bigint): void {
    const big = BigInt(value);
    if (big === this.#absent) return;
    this.isUsed = true;
    this.#grow(row + 1);
    this.#values[row] = big;
  }

  #grow(rows: number): void {
    if (rows <= this.#values.length) return;
    const grown = this.#make(Math.max(this.#values.length * 2, rows));
    grown.set(this.#values);
    this.#values = grown;
  }

  encode(rows: number): readonly Buffer[] {
    this.#grow(rows);
    return [bytesOf(this.#values.subarray(0, rows))];
  }
}

/** Which rows have nothing, and what the others have. */
class NullableColumn implements Column {
  readonly type: string;
  #isNull = new Uint8Array(FIRST_ROWS).fill(1);
  readonly #values: Column;
  isUsed = false;
  readonly bytes = 0;

  constructor(values: Column) {
    this.type = `Nullable(${values.type})`;
    this.#values = values;
  }

  put(row: number, value: CellValue): void {
    if (value === null) return;
    this.isUsed = true;
    this.#grow(row + 1);
    this.#isNull[row] = 0;
    this.#values.put(row, value);
  }

  #grow(rows: number): void {
    if (rows <= this.#isNull.length) return;
    const grown = new Uint8Array(Math.max(this.#isNull.length * 2, rows)).fill(1);
    grown.set(this.#isNull);
    this.#isNull = grown;
  }

  encode(rows: number): readonly Buffer[] {
    this.#grow(rows);
    return [bytesOf(this.#isNull.subarray(0, rows)), ...this.#values.encode(rows)];
  }
}

function columnOf(kind: ColumnKind, absent: number): Column {
  switch (kind) {
    case 'text':
      return new TextColumn();
    case 'repeats':
      return new RepeatingColumn();
    case 'kind':
      return new NumberColumn("Enum8('message' = 1, 'status' = 2)", (n) => new Int8Array(n));
    case 'seconds':
      return new NumberColumn("DateTime('UTC')", (n) => new Uint32Array(n));
    case 'u8':
      return new NumberColumn('UInt8', (n) => new Uint8Array(n));
    case 'u16':
      return new NumberColumn('UInt16', (n) => new Uint16Array(n));
    case 'u32':
      return new NumberColumn('UInt32', (n) => new Uint32Array(n));
    case 'u64':
      return new BigNumberColumn('UInt64', (n) => new BigUint64Array(n));
    case 'i8':
      return new NumberColumn('Int8', (n) => new Int8Array(n), absent);
    case 'i64':
      return new BigNumberColumn('Int64', (n) => new BigInt64Array(n), absent);
    case 'seconds or null':
      return new NullableColumn(columnOf('seconds', 0));
    case 'i64 or null':
      return new NullableColumn(columnOf('i64', 0));
  }
}

/** Collects the rows of one insert. */
export class BlockWriter {
  readonly #columns = new Map<string, Column>();
  #rows = 0;

  get rows(): number {
    return this.#rows;
  }

  /** Of the texts that it holds; all else is short. */
  get bytes(): number {
    let bytes = 0;
    for (const column of this.#columns.values()) bytes += column.bytes;
    return bytes;
  }

  /**
   * What puts the cells of the current row into some columns. Rows of several kinds share a block: what a row does not put
   * is the default. Call `endRow` after all of them.
   */
  cells<Row>(fields: readonly Field<Row>[]): (row: Row) => void {
    const columns = fields.map(({ name, kind, of, absent = 0 }) => {
      const known = this.#columns.get(name) ?? columnOf(kind, absent);
      this.#columns.set(name, known);
      return { column: known, of };
    });
    return (row) => {
      for (const { column, of } of columns) column.put(this.#rows, of(row));
    };
  }

  endRow(): void {
    this.#rows += 1;
  }

  /** Gives all rows so far the same cell. */
  fill({ name, kind, absent = 0 }: Omit<Field<never>, 'of'>, value: CellValue): void {
    const column = columnOf(kind, absent);
    this.#columns.set(name, column);
    for (let row = 0; row < this.#rows; row++) column.put(row, value);
  }

  /**
   * The block. The writer must not be used afterwards: the block has its memory.
   * @param computed what ClickHouse computes, given the names of the columns that the block has
   */
  encode(computed: (columns: ReadonlySet<string>) => readonly ComputedColumn[] = () => []): EncodedBlock {
    const used = [...this.#columns].filter(([, column]) => column.isUsed);
    const chunks: Buffer[] = [lengths(used.length, this.#rows)];
    for (const [name, column] of used)
      chunks.push(Buffer.from([...named(name), ...named(column.type)]), ...column.encode(this.#rows));
    return {
      rows: this.#rows,
      columns: used.map(([name, { type }]) => ({ name, type })),
      computed: computed(new Set(used.map(([name]) => name))),
      chunks,
    };
  }
}

function lengths(columns: number, rows: number): Buffer {
  const bytes = Buffer.alloc(2 * MAX_VARINT_BYTES);
  return bytes.subarray(0, writeVarint(bytes, writeVarint(bytes, 0, columns), rows));
}

/** A name of less than 128 bytes behind its length. */
function named(name: string): number[] {
  return [name.length, ...Buffer.from(name, 'latin1')];
}

/** A block of rows that are all of one kind. */
export function encodeRows<Row>(fields: readonly Field<Row>[], rows: Iterable<Row>): EncodedBlock {
  const writer = new BlockWriter();
  const put = writer.cells(fields);
  for (const row of rows) {
    put(row);
    writer.endRow();
  }
  return writer.encode();
}
