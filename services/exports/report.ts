import { adsRow, dailyRow, dayTotalsRow, overviewRow, type ReportFilters } from '@ctwa-ledger/schemas/reports.ts';
import type { Database } from '../ledger/database.ts';
import { settleSummaries } from '../ledger/summaries.ts';
import { settleCharges } from '../rating/charges.ts';
import { ads, columnsOf, daily, dayTotals, overview } from '../reports/figures.ts';
import { charges, CHARGES_COLUMNS } from '../reports/charges.ts';
import { conversations, CONVERSATIONS_COLUMNS, messages, MESSAGES_COLUMNS } from '../reports/rows.ts';
import { csvText } from './csv.ts';

/** The reports of contract.md 3, and the two that the first page shows besides: `days` over all numbers, `overview`. */
export const REPORTS = ['messages', 'conversations', 'daily', 'ads', 'charges', 'days', 'overview'] as const;
export type ReportName = (typeof REPORTS)[number];

/** Whether a report is read from the summaries, which must be settled first to be complete. */
function readsSummaries(report: ReportName): boolean {
  return report !== 'messages' && report !== 'conversations' && report !== 'charges';
}

/** Whether a report has amounts, whose tiers and allowances must be settled first. */
function readsCharges(report: ReportName): boolean {
  return report === 'messages' || report === 'charges';
}

/** Brings up to date what some reports are read from; takes the user that may write. */
export async function settleReports(reports: readonly ReportName[], database: Database): Promise<void> {
  if (reports.some(readsSummaries)) await settleSummaries(database);
  if (reports.some(readsCharges)) await settleCharges(database);
}

async function* inBatches(
  columns: readonly string[],
  rows: Promise<readonly Record<string, unknown>[]>,
): AsyncGenerator<(readonly unknown[])[]> {
  yield (await rows).map((row) => columns.map((column) => row[column]));
}

function source(
  report: ReportName,
  database: Database,
  filters: ReportFilters,
  by: 'sent' | 'delivered',
): { readonly columns: readonly string[]; readonly batches: AsyncGenerator<(readonly unknown[])[]> } {
  switch (report) {
    case 'messages':
      return { columns: MESSAGES_COLUMNS, batches: messages(database, filters, by) };
    case 'conversations':
      return { columns: CONVERSATIONS_COLUMNS, batches: conversations(database, filters) };
    case 'charges':
      return { columns: CHARGES_COLUMNS, batches: charges(database, filters) };
    case 'daily':
      return { columns: columnsOf(dailyRow), batches: inBatches(columnsOf(dailyRow), daily(database, filters)) };
    case 'days':
      return {
        columns: columnsOf(dayTotalsRow),
        batches: inBatches(columnsOf(dayTotalsRow), dayTotals(database, filters)),
      };
    case 'overview':
      return {
        columns: columnsOf(overviewRow),
        batches: inBatches(
          columnsOf(overviewRow),
          overview(database, filters).then((row) => [row]),
        ),
      };
    case 'ads':
      return { columns: columnsOf(adsRow), batches: inBatches(columnsOf(adsRow), ads(database, filters)) };
  }
}

/** A report as CSV text (contract.md 3), streamed: the header first, then batches of rows. Bounded memory. */
export async function* csvReport(
  report: ReportName,
  database: Database,
  filters: ReportFilters,
  by: 'sent' | 'delivered' = 'sent',
): AsyncGenerator<string> {
  const { columns, batches } = source(report, database, filters, by);
  yield csvText([columns]);
  for await (const rows of batches) yield csvText(rows);
}

/** The same rows as objects, one batch at a time, for JSON. */
export async function* objectReport(
  report: ReportName,
  database: Database,
  filters: ReportFilters,
  by: 'sent' | 'delivered' = 'sent',
): AsyncGenerator<Record<string, unknown>[]> {
  const { columns, batches } = source(report, database, filters, by);
  for await (const rows of batches)
    yield rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])));
}
