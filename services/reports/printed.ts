import { z } from 'zod';
import { instant } from '@ctwa-ledger/schemas/cells.ts';
import { isoTime } from './sql.ts';

/** A column of a report that ClickHouse prints: its type, its meaning, and the SQL of its text. */
export interface PrintedColumn {
  /** The type, and with `describe` the meaning of the column if `COLUMN_MEANINGS` has none. */
  readonly cell: z.ZodType;
  /** The expression; by default the column with the same name. */
  readonly sql?: string;
  /**
   * The name of the text in the query; by default that of the column. A text with the name of a time column would be
   * used by conditions on that time.
   */
  readonly alias?: string;
  /** The columns that the expression reads; by default the one with the same name. */
  readonly of?: readonly string[];
}

/**
 * The columns of a report by name, in order. The schema, the select list and the columns to read come from this one
 * table.
 */
export type PrintedColumns = Readonly<Record<string, PrintedColumn>>;

/** A time of a table, under the name of its column. */
export function printedTime(table: string, column: string): PrintedColumn {
  return { cell: instant, sql: isoTime(`${table}.${column}`), alias: `${column}_text`, of: [column] };
}

/**
 * Columns of a report that can answer with the rows that changed since a moment. They come last, and are made from
 * `version`, `updated_at` and `is_gone` of its rows.
 * @param table the name of these rows
 */
export function changeColumns(
  table: string,
): Readonly<Record<'row_version' | 'updated_at' | 'is_gone', PrintedColumn>> {
  return {
    row_version: { cell: z.string(), sql: 'toString(version)', of: ['version'] },
    updated_at: { cell: instant, sql: isoTime(`toDateTime(${table}.updated_at, 'UTC')`), alias: 'updated_at_text' },
    is_gone: { cell: z.boolean(), sql: "if(is_gone, 'true', 'false')", alias: 'is_gone_text' },
  };
}

/** The schema of a row, for the record of the report. */
export function printedRow<Columns extends PrintedColumns>(
  columns: Columns,
): z.ZodObject<{ [Name in keyof Columns]: Columns[Name]['cell'] }> {
  const cells = Object.entries(columns).map(([name, { cell }]) => [name, cell]);
  return z.object(Object.fromEntries(cells) as { [Name in keyof Columns]: Columns[Name]['cell'] });
}

/** The select list that prints the columns. */
export function printedSql(columns: PrintedColumns): string {
  return Object.entries(columns)
    .map(([name, { sql, alias = name }]) => (sql === undefined ? name : `${sql} AS ${alias}`))
    .join(', ');
}

/** The names in the select list of {@link printedSql}, in order. */
export function printedCells(columns: PrintedColumns): string[] {
  return Object.entries(columns).map(([name, { alias = name }]) => alias);
}

/** The columns that have to be read, each once. */
export function neededColumns(columns: PrintedColumns): string[] {
  return [...new Set(Object.entries(columns).flatMap(([name, { of = [name] }]) => of))];
}
