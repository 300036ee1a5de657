import type { Database } from '../../clickhouse/database.ts';
import type { Batch, Column, Statement } from '../../reports/report.ts';
import type { Passage } from '../passage.ts';

/** What a format is made of. */
export interface Encoding {
  readonly columns: readonly Column[];
  /** Cells as a report gives them, in the order of the columns. */
  readonly rows: AsyncIterable<Batch>;
  /** What the rows are of: names the sheet. */
  readonly report: string;
  /** As the user that may write. */
  readonly database: Database;
  /** Names the table that rows are laid down in, where a format needs one; only this run uses it. */
  readonly run: string;
}

/** A file in pieces. Bounded memory. */
export type Encoder = (encoding: Encoding) => AsyncGenerator<string | Uint8Array>;

/** What a format is made of where the report is one statement: its rows never come here one by one. */
export interface StatementEncoding extends Pick<Encoding, 'columns' | 'database' | 'run'> {
  readonly statement: Statement;
  /** As the user that only reads. */
  readonly reading: Database;
  /** Told of the rows by kind; knows which columns are wanted. */
  readonly passage: Passage;
}

/** A cell as text; empty where nothing is known. */
export function textOf(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'number' || typeof cell === 'bigint' || typeof cell === 'boolean') return String(cell);
  throw new TypeError(`A ${typeof cell} cannot be a cell.`);
}

/** Whether a column holds days: they have no type of their own in reports. */
export function isDay({ name, type }: Column): boolean {
  return name === 'day' && type === 'text';
}
