import { caseRow, type CaseRow } from '@ctwa-ledger/schemas/cases.ts';
import type {
  DayVariance,
  ExplanationRow,
  MessageCountRow,
  MetaControlRow,
  MetaImport,
  ReconciliationOfMonth,
  ReconciliationRow,
} from '@ctwa-ledger/schemas/meta.ts';
import {
  dayVarianceRow,
  differenceRow,
  explanationRow,
  messageCountRow,
  metaControlRow,
  metaImportRow,
  metaLineRow,
  reconciliationRow,
} from '@ctwa-ledger/schemas/meta.ts';
import { statementRow, writeOffRow, type StatementRow } from '@ctwa-ledger/schemas/write-offs.ts';
import { wholeBillRow, type WholeBillRow } from '@ctwa-ledger/schemas/whole-bill.ts';
import { invoiceLineRow } from '@ctwa-ledger/schemas/invoices.ts';
import { givenValues, type ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { reportPaging, type PageKey } from '../reports/paging.ts';
import { gathered, streamed, whole, type AskedRows, type Batch } from '../reports/report.ts';
import { BILL_TABLES, CASE_TABLES, MATCH_TABLES, STATEMENT_TABLES } from '../reports/tables.ts';
import { readWholeBill } from './bill-readings.ts';
import { amountText } from './amounts.ts';
import { biasesOf } from './bias.ts';
import { metaControls } from './control-readings.ts';
import { casesOf, heldCases } from './case-register.ts';
import { listMetaImports } from './imports.ts';
import { tablesOf } from '../imports/register.ts';
import { invoiceLines, INVOICES } from './invoices.ts';
import {
  accountsToReconcile,
  differingRows,
  fieldOfMonth,
  messageCountsOf,
  reconcileMonth,
  reportedRow,
  sumKnown,
  summaryOf,
  type ReconciledMonth,
} from './reconcile.ts';
import { statementOf } from './statement.ts';
import { dayVariances } from './variances.ts';
import { listWriteOffs, writtenOff } from './write-off-register.ts';
import { monthAfter } from './whole-days.ts';
import { narrowedSql } from '../reports/sql.ts';
import { utcText } from '../clickhouse/sql.ts';

/**
 * The month of the filters.
 * @throws ActionableError when they are not one whole month
 */
function monthOf({ from, to }: ReportFilters): string {
  if (from?.endsWith('-01') !== true || to !== monthAfter(from))
    throw new ActionableError('Say which month is to be reconciled, like --month 2026-10 (month=2026-10 in the API).');
  return from.slice(0, 7);
}

/** The accounts of the filters in their month, one after another. */
async function* reconciled(database: Database, filters: ReportFilters): AsyncGenerator<ReconciledMonth> {
  const month = monthOf(filters);
  const accounts = filters.waba_id == null ? await accountsToReconcile(database, month) : givenValues(filters.waba_id);
  for (const waba_id of accounts) yield await reconcileMonth(database, { waba_id, month });
}

/**
 * Report `reconciliation`, sorted by day, then by key; several accounts one after another. Settle the charges first.
 */
async function* reconciliation(database: Database, filters: ReportFilters): AsyncGenerator<ReconciliationRow[]> {
  for await (const month of reconciled(database, filters)) yield month.rows.map((row) => reportedRow(month, row));
}

/** Report `reconciliation-differences`: the rows that differ, largest first. Settle the charges first. */
async function* differences(
  database: Database,
  filters: ReportFilters,
): AsyncGenerator<(ReconciliationRow & { evidence: string })[]> {
  for await (const month of reconciled(database, filters))
    yield differingRows(month).map((row) => ({
      ...reportedRow(month, row),
      evidence: row.explanations.map(({ detail }) => detail).join(' '),
    }));
}

/** A month held against Meta's numbers, for a page. */
export async function reconciliationOfMonth(
  database: Database,
  month: ReconciledMonth,
): Promise<ReconciliationOfMonth> {
  const accounts = (await readConfiguration(database))?.accounts ?? [];
  const ids = new Map(accounts.flatMap(({ phone_numbers = [] }) => phone_numbers.map((one) => [one.display, one.id])));
  const summary = summaryOf(month);
  return {
    summary,
    tolerance: { percent: amountText(month.tolerance.percent), messages: month.tolerance.messages.toString() },
    no_cost: summary.rows - summary.match - summary.within_tolerance - summary.different,
    net_cost_difference: sumKnown(month.rows.map(({ row }) => row.cost_difference)),
    unknown_costs: month.rows.filter(({ row }) => row.cost_difference === null).length,
    counts: fieldOfMonth(month.month) === 'pricing_analytics' ? 'message' : 'conversation',
    missing_days: month.missing_days,
    biases: biasesOf(month),
    controls: await metaControls(database, month),
    rows: differingRows(month).map((row) => ({
      ...reportedRow(month, row),
      explanations: row.explanations.map(({ code, volume, detail }) => ({ code, volume: volume.toString(), detail })),
      phone_number_id: ids.get(row.row.phone_number) ?? '',
    })),
    variances: dayVariances(month),
  };
}

/** Every explanation of every row that differs, the largest first. Settle the charges first. */
async function* explanations(database: Database, filters: ReportFilters): AsyncGenerator<ExplanationRow[]> {
  for await (const month of reconciled(database, filters))
    yield month.rows.flatMap((explained) => {
      const row = reportedRow(month, explained);
      return explained.explanations.map(({ code, volume, detail }, index) => ({
        ...row,
        rank: index + 1,
        explanation: code,
        explained_volume: volume.toString(),
        evidence: detail,
      }));
    });
}

/** All imports of Meta's numbers, lists as text. */
async function metaImportRows(database: Database): Promise<Record<keyof MetaImport, unknown>[]> {
  return (await listMetaImports(database)).map((one) => ({
    ...one,
    checksums: one.checksums.join(' '),
    dimensions: one.dimensions.join(' '),
  }));
}

const LINE_KEYS: readonly PageKey[] = [
  { sql: '-toUnixTimestamp64Milli(imports.imported_at)', type: 'Int64' },
  { sql: 'import_id', type: 'String' },
  { sql: 'toUInt64(number)', type: 'UInt64' },
];

/** The stored lines of answers, of imports that are not withdrawn. */
async function* metaLines(database: Database, { filters, page }: AskedRows): AsyncGenerator<Batch> {
  const { also, where, order, parameters } = reportPaging(page, LINE_KEYS);
  const narrowed = narrowedSql(filters, { waba_id: 'waba_id' });
  const time = (column: string): string => `if(${column} IS NULL, '', ${utcText(column)})`;
  yield* database.stream(
    `SELECT import_id, waba_id, toString(field), ${time('meta_lines.starts_at')}, ${time('meta_lines.ends_at')}, line${also}
     FROM (SELECT * FROM meta_lines FINAL) AS meta_lines
     INNER JOIN (SELECT import_id, waba_id, field, imported_at FROM meta_imports FINAL WHERE withdrawn_at IS NULL) AS imports
       USING import_id
     WHERE ${narrowed.where} AND ${where}
     ${order}`,
    { ...parameters, ...narrowed.parameters },
  );
}

/** Fields that all reports about a month held against Meta's numbers share. */
const OF_MONTH = { days: 'month', filters: ['waba_id'], settles: ['charges'], reads: MATCH_TABLES } as const;
/** The key of their rows. */
const GRAIN = ['waba_id', 'day', 'phone_number', 'country', 'category', 'pricing_type', 'tier', 'currency'] as const;

export const reconciliationReport = whole({
  ...OF_MONTH,
  name: 'reconciliation',
  one_row_per: 'day, number, country, category, pricing type and tier of a month: ours beside Meta’s',
  row: reconciliationRow,
  key: GRAIN,
  rows: (database, filters) => gathered(reconciliation(database, filters)),
});

export const differencesReport = whole({
  ...OF_MONTH,
  name: 'reconciliation-differences',
  one_row_per: 'row of `reconciliation` that differs, the largest first',
  row: differenceRow,
  key: GRAIN,
  rows: (database, filters) => gathered(differences(database, filters)),
});

export const explanationsReport = whole({
  ...OF_MONTH,
  name: 'reconciliation-explanations',
  one_row_per: 'cause found for a row of `reconciliation` that differs',
  row: explanationRow,
  key: [...GRAIN.filter((column) => column !== 'currency'), 'rank', 'explanation'],
  rows: (database, filters) => gathered(explanations(database, filters)),
});

/** Report `reconciliation-days`: how every day of a month differs. Settle the charges first. */
async function* variances(database: Database, filters: ReportFilters): AsyncGenerator<readonly DayVariance[]> {
  for await (const month of reconciled(database, filters)) yield dayVariances(month);
}

export const variancesReport = whole({
  ...OF_MONTH,
  name: 'reconciliation-days',
  one_row_per: 'day of a month: ours beside Meta’s, and whether it departs beyond tolerance',
  row: dayVarianceRow,
  key: ['waba_id', 'day'],
  rows: (database, filters) => gathered(variances(database, filters)),
});

/** Report `cases`: of the accounts and the month of the filters. Settle the charges first. */
async function* cases(database: Database, filters: ReportFilters): AsyncGenerator<readonly CaseRow[]> {
  for await (const month of reconciled(database, filters))
    yield (await casesOf(database, heldCases(month), filters.as_of * 1_000)).cases;
}

export const casesReport = whole({
  ...OF_MONTH,
  name: 'cases',
  one_row_per:
    'case of a month: the rows of `reconciliation-differences` that have one explanation, and what has become of them',
  row: caseRow,
  has_clock: true,
  reads: CASE_TABLES,
  key: ['waba_id', 'explanation'],
  rows: (database, filters) => gathered(cases(database, filters)),
});

/** Report `statement`: what the difference of a month consists of. Settle the charges first. */
async function* statements(database: Database, filters: ReportFilters): AsyncGenerator<readonly StatementRow[]> {
  for await (const month of reconciled(database, filters)) yield statementOf(month, await writtenOff(database, month));
}

export const statementReport = whole({
  ...OF_MONTH,
  name: 'statement',
  one_row_per: 'line of the statement of a month: ours, Meta’s, the difference, and what it consists of',
  row: statementRow,
  reads: STATEMENT_TABLES,
  key: ['waba_id', 'line', 'cause'],
  rows: (database, filters) => gathered(statements(database, filters)),
});

/** Report `whole-bill`: what is billed for a month, and what it consists of. Settle the charges first. */
async function* wholeBills(database: Database, filters: ReportFilters): AsyncGenerator<readonly WholeBillRow[]> {
  for await (const month of reconciled(database, filters)) yield await readWholeBill(database, month);
}

export const wholeBillReport = whole({
  ...OF_MONTH,
  name: 'whole-bill',
  one_row_per: 'line of the whole bill of a month: what is billed, what it consists of, and what is left',
  row: wholeBillRow,
  reads: BILL_TABLES,
  key: ['waba_id', 'line'],
  rows: (database, filters) => gathered(wholeBills(database, filters)),
});

export const writeOffsReport = whole({
  name: 'write-offs',
  one_row_per: 'write-off of differences from Meta’s numbers, those that were undone included',
  row: writeOffRow,
  days: 'none',
  filters: ['waba_id'],
  settles: [],
  reads: ['write_off_entries'],
  key: ['write_off_id'],
  rows: async (database, { waba_id }) =>
    (await listWriteOffs(database)).filter((row) => waba_id == null || givenValues(waba_id).includes(row.waba_id)),
});

/** Report `message-counts`: Meta's counts beside ours, for the accounts and the month of the filters. */
async function* messageCounts(database: Database, filters: ReportFilters): AsyncGenerator<readonly MessageCountRow[]> {
  const month = monthOf(filters);
  const accounts = filters.waba_id == null ? await accountsToReconcile(database, month) : givenValues(filters.waba_id);
  for (const waba_id of accounts) yield await messageCountsOf(database, { waba_id, month });
}

export const messageCountsReport = whole({
  ...OF_MONTH,
  name: 'message-counts',
  one_row_per: 'day and number of a month: messages of ours beside those that Meta’s `analytics` count',
  row: messageCountRow,
  key: ['waba_id', 'day', 'phone_numbers'],
  rows: (database, filters) => gathered(messageCounts(database, filters)),
});

/** Report `meta-controls`: findings about Meta's own numbers. Settle the charges first. */
async function* controls(database: Database, filters: ReportFilters): AsyncGenerator<readonly MetaControlRow[]> {
  for await (const month of reconciled(database, filters)) yield await metaControls(database, month);
}

export const metaControlsReport = whole({
  ...OF_MONTH,
  name: 'meta-controls',
  one_row_per: 'finding about Meta’s own numbers of a month, whatever ours are',
  row: metaControlRow,
  key: ['waba_id', 'control', 'phone_number', 'country', 'category', 'tier', 'first_day', 'finding'],
  rows: (database, filters) => gathered(controls(database, filters)),
});

export const metaImportsReport = whole({
  name: 'meta-imports',
  one_row_per: 'import of Meta’s numbers, the latest first',
  row: metaImportRow,
  days: 'none',
  filters: [],
  settles: [],
  reads: ['meta_imports', 'meta_points'],
  key: ['import_id'],
  rows: (database) => metaImportRows(database),
});

export const metaLinesReport = streamed({
  name: 'meta-lines',
  one_row_per: 'line of an answer of Meta’s that is kept as it is',
  row: metaLineRow,
  days: 'none',
  filters: ['waba_id'],
  settles: [],
  reads: ['meta_imports', 'meta_lines'],
  rows: metaLines,
});

export const invoiceLinesReport = whole({
  name: 'invoice-lines',
  one_row_per: 'line of an invoice, the latest invoice first',
  row: invoiceLineRow,
  days: 'none',
  filters: [],
  settles: [],
  reads: tablesOf(INVOICES),
  key: ['import_id', 'sheet', 'line'],
  rows: (database) => invoiceLines(database),
});
