import type { Closing } from '@ctwa-ledger/schemas/periods.ts';
import type { Database } from '../clickhouse/database.ts';
import { settleSummaries } from '../ledger/derived/summaries.ts';
import { settleCharges } from '../rating/charges.ts';
import { reportOf, type ReportName } from '../catalogue/catalogue.ts';
import { closingsInForce } from '../reports/closings.ts';
import { describedColumns, type AskedRows, type Column, type Sums } from '../reports/report.ts';
import { givenValues, type ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { MessagesBy } from '@ctwa-ledger/schemas/report-parameters.ts';
import { streamLines, textOfLines } from './csv-lines.ts';
import { csvText } from './csv.ts';

export type { ReportName } from '../catalogue/catalogue.ts';

const SETTLE: Readonly<Record<Sums, (database: Database) => Promise<void>>> = {
  summaries: settleSummaries,
  charges: settleCharges,
};

/**
 * The closings in force of the months that a report of amounts covers. Empty when a zone was requested: days of that
 * zone belong to no closed month.
 */
export async function closingsIn(report: ReportName, database: Database, filters: ReportFilters): Promise<Closing[]> {
  // Accounts have no days.
  if (!reportOf(report).settles.includes('charges') || report === 'accounts' || filters.is_tz_given === true) return [];
  const closings = await closingsInForce(database, filters);
  return closings.filter(({ waba_id }) => filters.waba_id == null || givenValues(filters.waba_id).includes(waba_id));
}

/**
 * Settles what some reports are read from, as the user that may write. Does not wait for what becomes dirty meanwhile.
 */
export async function settleReports(reports: readonly ReportName[], database: Database): Promise<void> {
  const sums = new Set(reports.flatMap((report) => reportOf(report).settles));
  for (const one of sums) await SETTLE[one](database);
}

/**
 * A report as CSV text (contract.md 3), streamed in batches of rows, the first with the header. A query that fails at
 * its start fails before any output. Bounded memory.
 */
export async function* csvReport(
  name: ReportName,
  database: Database,
  filters: ReportFilters,
  by: MessagesBy = 'sent',
): AsyncGenerator<string> {
  const { columns, rows, statement } = reportOf(name);
  let before = csvText([columns]);
  if (statement !== undefined) {
    for await (const block of streamLines(database, await statement(database, { filters, by })))
      for (const text of textOfLines(block)) {
        yield before + text;
        before = '';
      }
    if (before !== '') yield before;
    return;
  }
  for await (const batch of rows(database, { filters, by, page: null })) {
    yield before + csvText(batch);
    before = '';
  }
  if (before !== '') yield before;
}

/** A cell as JSON. CSV and ClickHouse have text only. */
function jsonCell({ type, is_nullable }: Column): (cell: unknown) => unknown {
  const isNumber = type === 'integer' || type === 'number';
  return (cell) => {
    if (typeof cell !== 'string') return cell;
    if (cell === '' && is_nullable) return null;
    if (isNumber) return Number(cell);
    return type === 'boolean' ? cell === 'true' : cell;
  };
}

type JsonRow = Readonly<Record<string, unknown>>;

/** A function that makes objects of rows, with the types of the catalogue. */
export function objectsOf(described: readonly Column[]): (row: readonly unknown[]) => JsonRow {
  const columns = described.map((column) => ({ name: column.name, read: jsonCell(column) }));
  return (row) => Object.fromEntries(columns.map(({ name, read }, i) => [name, read(row[i])]));
}

/** The same rows as objects in batches, for JSON. */
export async function* objectReport(
  name: ReportName,
  database: Database,
  filters: ReportFilters,
  by: MessagesBy = 'sent',
): AsyncGenerator<JsonRow[]> {
  const report = reportOf(name);
  const objectOf = objectsOf(describedColumns(report));
  for await (const batch of report.rows(database, { filters, by, page: null })) yield batch.map(objectOf);
}

/** One page of a report, as CSV and as objects. */
export interface PageOfReport {
  /** Includes the header. */
  readonly csv: string;
  readonly rows: readonly JsonRow[];
  /** The position at which the next page begins; null = there is none. */
  readonly next: string | null;
}

/** @throws UnknownPositionError when the page should begin at a position that this report did not give out */
export async function readPage(
  name: ReportName,
  database: Database,
  asked: AskedRows & { readonly page: NonNullable<AskedRows['page']> },
): Promise<PageOfReport> {
  const report = reportOf(name);
  const { columns } = report;
  const found: (readonly unknown[])[] = [];
  for await (const batch of report.rows(database, asked)) found.push(...batch);
  const shown = found.slice(0, asked.page.limit);
  const place = shown.at(-1)?.[columns.length];
  return {
    csv: csvText([columns, ...shown.map((row) => row.slice(0, columns.length))]),
    rows: shown.map(objectsOf(describedColumns(report))),
    next: found.length > shown.length ? JSON.stringify(place) : null,
  };
}
