import { ActionableError } from '../clickhouse/errors.ts';
import type { Database } from '../clickhouse/database.ts';
import { reportOf, type ReportName } from '../catalogue/catalogue.ts';
import { describedColumns, type AskedRows, type Batch, type Column } from '../reports/report.ts';
import { csvText } from './csv.ts';
import { objectsOf } from './report.ts';
import { textOf } from './formats/format.ts';
import { workbookOf } from './workbook.ts';

/** Rows that are sorted in memory at most. */
const MAX_SORTED_ROWS = 100_000;

/** The rows of a report as a table shows them. */
export interface AskedTable extends Omit<AskedRows, 'page'> {
  readonly report: ReportName;
  /** Columns, in the order of the report; null = all. */
  readonly columns: readonly string[] | null;
  /** Null = the order of the report. */
  readonly sort: { readonly column: string; readonly descending: boolean } | null;
}

/** More rows than can be sorted. */
export class TooManyRowsError extends ActionableError {}

/** The columns of a table, described. */
function columnsOf({ report, columns }: AskedTable): Column[] {
  return describedColumns(reportOf(report)).filter(({ name }) => columns === null || columns.includes(name));
}

const COLLATOR = new Intl.Collator('en', { numeric: true });

/** Compares two cells of a column. Cells that are not known come last in both directions. */
function comparison({ type }: Column, descending: boolean): (one: string, other: string) => number {
  const isNumber = type === 'integer' || type === 'number' || type === 'decimal';
  return (one, other) => {
    const missing = Number(one === '') - Number(other === '');
    if (missing !== 0 || one === '') return missing;
    const order = isNumber ? Number(one) - Number(other) : COLLATOR.compare(one, other);
    return descending ? -order : order;
  };
}

/** @throws TooManyRowsError when more rows have to be sorted than fit into memory */
async function* rowsOf(database: Database, asked: AskedTable): AsyncGenerator<Batch> {
  const report = reportOf(asked.report);
  const wanted = columnsOf(asked).map(({ name }) => report.columns.indexOf(name));
  const cut = (row: readonly unknown[]): unknown[] => wanted.map((at) => row[at]);
  const batches = report.rows(database, { filters: asked.filters, by: asked.by, page: null });
  const { sort } = asked;
  if (sort === null) {
    for await (const batch of batches) yield batch.map(cut);
    return;
  }
  const rows: (readonly unknown[])[] = [];
  for await (const batch of batches) {
    rows.push(...batch);
    if (rows.length > MAX_SORTED_ROWS)
      throw new TooManyRowsError(
        `There are more than ${MAX_SORTED_ROWS} rows, which are too many to sort: leave out sort, or ask for fewer days.`,
      );
  }
  const at = report.columns.indexOf(sort.column);
  const column = describedColumns(report)[at];
  if (column === undefined) throw new TypeError(`Report ${report.name} has no column ${sort.column}.`);
  const compare = comparison(column, sort.descending);
  yield rows.toSorted((one, other) => compare(textOf(one[at]), textOf(other[at]))).map(cut);
}

/** A table as CSV text. */
export async function* csvTable(database: Database, asked: AskedTable): AsyncGenerator<string> {
  let before = csvText([columnsOf(asked).map(({ name }) => name)]);
  for await (const batch of rowsOf(database, asked)) {
    yield before + csvText(batch);
    before = '';
  }
  if (before !== '') yield before;
}

/** A table as objects in batches. */
export async function* objectTable(
  database: Database,
  asked: AskedTable,
): AsyncGenerator<Readonly<Record<string, unknown>>[]> {
  const objectOf = objectsOf(columnsOf(asked));
  for await (const batch of rowsOf(database, asked)) yield batch.map(objectOf);
}

/** A table as a workbook. */
export function workbookTable(database: Database, asked: AskedTable): AsyncGenerator<Uint8Array> {
  return workbookOf(asked.report, columnsOf(asked), rowsOf(database, asked));
}
