import { z } from 'zod';
import { instant } from '@ctwa-ledger/schemas/cells.ts';
import { isoTime } from './sql.ts';

/** A column of a report that ClickHouse prints: its type and meaning, and the SQL of its text. */
export interface PrintedColumn {
  /** The type, and with `describe` what the column means, where `COLUMN_MEANINGS` does not say it. */
  readonly cell: z.ZodType;
  /** Left out: what is printed is the column of the same name. */
  readonly sql?: string;
  /**
   * What the text is called in the query; left out: as the column. A text under the name of the time that it is made of would
   * be meant by conditions on that time.
   */
  readonly alias?: string;
  /** Columns of the rows below that it is made of; left out: the one of the same name. */
  readonly of?: readonly string[];
}

/** The columns of a report by their names, in their order. Schema, select list and what is read come from this one table. */
export type PrintedColumns = Readonly<Record<string, PrintedColumn>>;

/** A time of a table, under the name of its column. */
export function printedTime(table: string, column: string): PrintedColumn {
  return { cell: instant, sql: isoTime(`${table}.${column}`), alias: `${column}_text`, of: [column] };
}

/** The schema of a row, for the record of the report. */
export function printedRow<Columns extends PrintedColumns>(
  columns: Columns,
): z.ZodObject<{ [Name in keyof Columns]: Columns[Name]['cell'] }> {
  const cells = Object.entries(columns).map(([name, { cell }]) => [name, cell]);
  return z.object(Object.fromEntries(cells) as { [Name in keyof Columns]: Columns[Name]['cell'] });
}

/** What a query selects to print the columns. */
export function printedSql(columns: PrintedColumns): string {
  return Object.entries(columns)
    .map(([name, { sql, alias = name }]) => (sql === undefined ? name : `${sql} AS ${alias}`))
    .join(', ');
}

/** What {@link printedSql} calls the columns, in their order. */
export function printedCells(columns: PrintedColumns): string[] {
  return Object.entries(columns).map(([name, { alias = name }]) => alias);
}

/** The columns of the rows below that are needed, each once. */
export function neededColumns(columns: PrintedColumns): string[] {
  return [...new Set(Object.entries(columns).flatMap(([name, { of = [name] }]) => of))];
}
