import { z } from 'zod';
import { COLUMN_MEANINGS } from '@ctwa-ledger/schemas/column-meanings.ts';
import type { MessagesBy } from '@ctwa-ledger/schemas/report-parameters.ts';
import type { Narrowing, ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { Database, Parameters } from '../clickhouse/database.ts';
import { positionAfter, type ReportPage } from './paging.ts';
import { isOfAds } from './sql.ts';
import { SPEND_TABLES } from './tables.ts';

/** Sums that are recomputed some seconds after the events. A report settles them before it reads them. */
export type Sums = 'summaries' | 'charges';

/**
 * Which days a report takes:
 * - `zone`: a range in a zone, by default UTC;
 * - `accounts`: a range in the zone of each account, or in a requested zone;
 * - `own`: a range in the zone of each account, always;
 * - `month`: one whole month of each account;
 * - `none`: no days, because it describes the ledger as it is.
 */
export type Days = 'zone' | 'accounts' | 'own' | 'month' | 'none';

/** The parameters of a report. */
export interface AskedRows {
  readonly filters: ReportFilters;
  readonly by: MessagesBy;
  /** Null = all rows. */
  readonly page: ReportPage | null;
}

/**
 * Cells by column. In a page each row has one more cell: its position for {@link ReportPage}. There may be one row too
 * many.
 */
export type Batch = readonly (readonly unknown[])[];

/** All rows of a report as one statement, so that ClickHouse itself can write them in another format. */
export interface Statement {
  /** A query without order. */
  readonly sql: string;
  /** The selected expression of each column of the report, in their order: text, empty when the value is not known. */
  readonly cells: readonly string[];
  /** The selected columns that order the rows. */
  readonly order: readonly string[];
  readonly parameters: Parameters;
}

/** The record of a report, for command, API, exports, caches and reference. */
interface Declared<Name extends string> {
  readonly name: Name;
  /** What one row stands for; continues "one row per". */
  readonly one_row_per: string;
  /**
   * The columns in order, with their types in JSON. Their meanings are in {@link COLUMN_MEANINGS} or in a description.
   */
  readonly row: z.ZodObject;
  readonly days: Days;
  /** Whether rows depend on the clock, like what is pending or open. */
  readonly has_clock?: boolean;
  /** Whether the days can be those of sending, of delivery or of `charges`. */
  readonly takes_by?: boolean;
  /** Whether it can answer with what changed since a moment: its last columns say when a row changed, or that it is gone. */
  readonly has_changes?: boolean;
  /** The filters that it takes; a report without any is always whole. */
  readonly filters: readonly Narrowing[];
  /** The sums that are settled before it is read. */
  readonly settles: readonly Sums[];
  /** The tables that its rows depend on. */
  readonly reads: readonly string[] | ((filters: ReportFilters) => readonly string[]);
}

export interface Report<Name extends string = string> extends Declared<Name> {
  readonly columns: readonly string[];
  readonly rows: (database: Database, asked: AskedRows) => AsyncGenerator<Batch>;
  /**
   * The same rows as one statement, for a report that may have millions. Other reports need several statements, or
   * code.
   */
  readonly statement?: (database: Database, asked: Omit<AskedRows, 'page'>) => Promise<Statement>;
}

/** The columns of a row in their order. */
export function columnsOf(row: z.ZodObject): string[] {
  return Object.keys(row.shape);
}

/** A report whose rows are read from the ledger in batches, in the order of a unique key. */
export function streamed<const Name extends string>(
  report: Declared<Name> & Pick<Report, 'rows' | 'statement'>,
): Report<Name> {
  return { ...report, columns: columnsOf(report.row) };
}

type ReadRow = Readonly<Record<string, unknown>>;

/** The position of a row in memory: its index, and its key. */
function positionOf(row: ReadRow, index: number, key: readonly string[]): string[] {
  return [String(index), ...key.map((column) => String(row[column] ?? ''))];
}

/**
 * The index after a position. Rows may have been added or removed since; if the row itself is gone, its old index is
 * used.
 */
function indexAfter(rows: readonly ReadRow[], place: readonly string[], key: readonly string[]): number {
  const [index = '0', ...values] = place;
  const found = rows.findIndex((row) => key.every((column, i) => String(row[column] ?? '') === values[i]));
  return found === -1 ? Number(index) : found + 1;
}

/**
 * A report that fits in memory.
 * @param report.key columns that identify its rows
 */
export function whole<const Name extends string>({
  key,
  rows,
  ...report
}: Declared<Name> & {
  readonly key: readonly string[];
  readonly rows: (database: Database, filters: ReportFilters) => Promise<readonly ReadRow[]>;
}): Report<Name> {
  const columns = columnsOf(report.row);
  const cells = (row: ReadRow): unknown[] => columns.map((column) => row[column]);
  return {
    ...report,
    columns,
    rows: async function* (database, { filters, page }) {
      const all = await rows(database, filters);
      if (page === null) {
        yield all.map(cells);
        return;
      }
      const place = positionAfter(page, [{ type: 'UInt64' }, ...key.map(() => ({ type: 'String' }) as const)]);
      const begin = place === null ? 0 : indexAfter(all, place, key);
      yield all.slice(begin, begin + page.limit + 1).map((row, i) => [...cells(row), positionOf(row, begin + i, key)]);
    },
  };
}

/** All rows of some batches as one list. */
export async function gathered<Row>(batches: AsyncGenerator<readonly Row[]>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const batch of batches) rows.push(...batch);
  return rows;
}

/** Tables that the rows of a report depend on, under these filters: its own, and those in which ads are looked up. */
export function tablesOf({ reads }: Report, filters: ReportFilters): readonly string[] {
  const own = typeof reads === 'function' ? reads(filters) : reads;
  return isOfAds(filters) ? [...own, 'entry_marks', ...SPEND_TABLES] : own;
}

/** A column, described for readers of its values. */
export interface Column {
  readonly name: string;
  readonly meaning: string;
  readonly type: 'text' | 'integer' | 'number' | 'boolean' | 'decimal' | 'time';
  /** Whether it may be null in JSON, and empty in CSV. */
  readonly is_nullable: boolean;
  /** All values that it can have, if they are few. */
  readonly values: readonly string[];
}

function unwrapped(cell: z.core.$ZodType): z.core.$ZodType {
  return cell instanceof z.ZodNullable ? unwrapped(cell.unwrap()) : cell;
}

function typeOf(cell: z.core.$ZodType): Column['type'] {
  if (cell instanceof z.ZodBoolean) return 'boolean';
  if (cell instanceof z.ZodNumber) return cell.isInt ? 'integer' : 'number';
  const format = z.globalRegistry.get(cell)?.['format'];
  if (format === 'decimal') return 'decimal';
  return format === 'date-time' ? 'time' : 'text';
}

function describedColumn(report: Report, name: string): Column {
  const cell: unknown = report.row.shape[name];
  if (!(cell instanceof z.ZodType)) throw new TypeError(`${report.name} has no column ${name}.`);
  const meaning = cell.description ?? COLUMN_MEANINGS[name];
  if (meaning === undefined) throw new TypeError(`Nothing says what ${report.name} means by ${name}.`);
  const inner = unwrapped(cell);
  return {
    name,
    meaning,
    type: typeOf(inner),
    is_nullable: cell instanceof z.ZodNullable,
    values: inner instanceof z.ZodEnum ? inner.options.map(String) : [],
  };
}

/** The columns of a report, described. */
export function describedColumns(report: Report): Column[] {
  return report.columns.map((name) => describedColumn(report, name));
}
