import type { Database } from '../../clickhouse/database.ts';
import type { Batch, Column, Statement } from '../../reports/report.ts';
import type { Passage } from '../passage.ts';

/** The input of an encoder. */
export interface Encoding {
  readonly columns: readonly Column[];
  /** Cells of the report, in the order of the columns. */
  readonly rows: AsyncIterable<Batch>;
  /** The name of the report, used as the name of the sheet. */
  readonly report: string;
  /** Connects as the user that may write. */
  readonly database: Database;
  /** A name for a temporary table, for formats that need one; only this run uses it. */
  readonly run: string;
}

/** Encodes a file in pieces. Bounded memory. */
export type Encoder = (encoding: Encoding) => AsyncGenerator<string | Uint8Array>;

/** The input of an encoder for a report that is one statement: its rows stay in ClickHouse. */
export interface StatementEncoding extends Pick<Encoding, 'columns' | 'database' | 'run'> {
  readonly statement: Statement;
  /** Connects as the user that only reads. */
  readonly reading: Database;
  /** Counts the rows by kind, and knows the wanted columns. */
  readonly passage: Passage;
}

/** A cell as text; empty when the value is not known. */
export function textOf(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'number' || typeof cell === 'bigint' || typeof cell === 'boolean') return String(cell);
  throw new TypeError(`A ${typeof cell} cannot be a cell.`);
}

/** Whether a column holds days, which have no type of their own in reports. */
export function isDay({ name, type }: Column): boolean {
  return name === 'day' && type === 'text';
}
