import { amount } from '@ctwa-ledger/schemas/cells.ts';
import { monthSchema, type Closing } from '@ctwa-ledger/schemas/periods.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { DateTime } from 'luxon';
import { z } from 'zod';
import type { Database, Parameters } from '../clickhouse/database.ts';
import { CHANGES, changesSql } from './adjustments.ts';
import { CHARGES_COLUMNS, CHARGES_KEY, chargeRowsSql, chargesRow, CLOSED_CHARGE, pricedCharges } from './charges.ts';
import { closingsInForce } from './closings.ts';
import { reportPaging, type PageKey } from './paging.ts';
import { columnsOf, streamed, type AskedRows, type Batch } from './report.ts';
import { narrowedSql } from './sql.ts';
import { chargeTables } from './tables.ts';

const change = z.int();

const correctionRow = z.object({
  billing_month: monthSchema.describe('Month that bills the correction, YYYY-MM: the next open one of the account.'),
  ...chargesRow.shape,
  day: z.string().describe('Day of the charge that is corrected, YYYY-MM-DD.'),
  volume: change.describe('Number of messages now less what was billed for so far.'),
  list_cost: amount.describe('List cost now less the one that was billed so far.'),
  billed_cost: amount.describe('Billed cost now less the one that was billed so far.'),
  savings: amount.describe('Savings now less those that were billed so far.'),
  unrated: change.describe('Messages without an amount, now less the number so far.'),
  period: z.string().describe('live, or closed and since when: of the month that bills it.'),
});
export const CORRECTIONS_COLUMNS = columnsOf(correctionRow);

const KEYS: readonly PageKey[] = ['billing_month', ...CHARGES_KEY, 'period'].map((column) => ({
  sql: `toString(${column})`,
  type: 'String',
}));

/** The columns of charges as a closing stored them as corrections. */
const BOOKED = CHARGES_COLUMNS.slice(0, -1)
  .map((column) => (column === 'day' ? 'toString(closed_corrections.day) AS day' : column))
  .join(', ');

/** A month of an account as one text, as an expression. */
const monthSql = (day: string): string => `concat(toString(waba_id), ' ', substring(toString(${day}), 1, 7))`;

function monthAfter(month: string): string {
  return DateTime.fromISO(`${month}-01`, { zone: 'utc' }).plus({ months: 1 }).toFormat('yyyy-MM');
}

const bookedMonthRow = z.object({ account_month: z.string() });

/** Months whose charges may need a correction, by `account month`, and the month that bills it. */
async function billingMonths(database: Database, closings: readonly Closing[]): Promise<ReadonlyMap<string, string>> {
  const closed = new Set(closings.map(({ waba_id, month }) => `${waba_id} ${month}`));
  // A month that was reopened after corrections of it were billed: these are reversed.
  const booked = await database.query(
    bookedMonthRow,
    `SELECT DISTINCT ${monthSql('day')} AS account_month FROM closed_corrections WHERE period_id IN {closing_ids:Array(String)}`,
    { closing_ids: closings.map(({ period_id }) => period_id) },
  );
  const months = new Set([...closed, ...booked.map(({ account_month }) => account_month)]);
  return new Map(
    [...months].map((accountMonth) => {
      const [account, month] = [accountMonth.slice(0, -8), accountMonth.slice(-7)];
      let next = monthAfter(month);
      while (closed.has(`${account} ${next}`)) next = monthAfter(next);
      return [accountMonth, next];
    }),
  );
}

/** Whether a range of days includes a month: it contains the month's first day. */
function hasBegin({ from, to }: Pick<ReportFilters, 'from' | 'to'>, month: string): boolean {
  const first = `${month}-01`;
  return (from === null || from <= first) && (to === null || first < to);
}

/**
 * What a later month bills of closed months, as a query in no order: `CORRECTIONS_COLUMNS` as text; null = there can be
 * nothing.
 */
async function printedCorrections(
  database: Database,
  filters: ReportFilters,
): Promise<{ readonly sql: string; readonly parameters: Parameters } | null> {
  const closings = await closingsInForce(database, { from: null, to: null });
  if (closings.length === 0) return null;
  const billing = [...(await billingMonths(database, closings))].filter(([, month]) => hasBegin(filters, month));
  const booking = closings.filter(({ month }) => hasBegin(filters, month));
  if (billing.length === 0 && booking.length === 0) return null;
  const months = billing.map(([accountMonth]) => accountMonth.slice(-7)).sort();
  const [first = '1970-01', last = '1970-01'] = [months[0], months.at(-1)];
  const days = { from: `${first}-01`, to: `${monthAfter(last)}-01` };
  const priced = await pricedCharges(database, { ...filters, ...days, is_tz_given: false });
  const narrowed = narrowedSql(filters, { waba_id: 'toString(waba_id)' });
  const ofDue = (table: 'closed_charges' | 'closed_corrections'): string => `
      FROM ${table} FINAL
      WHERE period_id IN {all_closings:Array(String)}
        AND ${monthSql(`${table}.day`)} IN {due_months:Array(String)} AND ${narrowed.where}`;
  const closed = closings.map(({ waba_id, month }) => `${waba_id} ${month}`);
  const signed = `
      SELECT *, 1 AS sign
      FROM (${chargeRowsSql(`SELECT * FROM (${priced.sql}) WHERE ${monthSql('charge_day')} IN {corrected_months:Array(String)}`)})
      UNION ALL SELECT ${CLOSED_CHARGE}, -1 ${ofDue('closed_charges')}
      UNION ALL SELECT ${BOOKED}, -1 ${ofDue('closed_corrections')}`;
  const sums = CHARGES_COLUMNS.slice(0, -1).map((column) =>
    CHANGES.some((one) => one === column) ? `${column}_change AS ${column}` : column,
  );
  return {
    sql: `
    SELECT transform(${monthSql('day')}, {due_months:Array(String)}, {billing_months:Array(String)}, '') AS billing_month,
      ${sums.join(', ')}, 'live' AS period
    FROM (${changesSql(signed)})
    UNION ALL
    SELECT transform(toString(period_id), {booking:Array(String)}, {booking_months:Array(String)}, ''), ${BOOKED},
      transform(toString(period_id), {booking:Array(String)}, {booking_texts:Array(String)}, '')
    FROM closed_corrections FINAL
    WHERE period_id IN {booking:Array(String)} AND ${narrowed.where}`,
    parameters: {
      ...priced.parameters,
      ...narrowed.parameters,
      due_months: billing.map(([accountMonth]) => accountMonth),
      billing_months: billing.map(([, month]) => month),
      corrected_months: billing.map(([accountMonth]) => accountMonth).filter((one) => closed.includes(one)),
      all_closings: closings.map(({ period_id }) => period_id),
      booking: booking.map(({ period_id }) => period_id),
      booking_months: booking.map(({ month }) => month),
      booking_texts: booking.map(({ closed_at }) => `closed ${closed_at}`),
    },
  };
}

/**
 * Report `corrections`, streamed: `CORRECTIONS_COLUMNS` as text. What arrives after a month was closed is billed in the
 * account's next open month. When that month is closed too, its corrections are frozen with it, and only later changes
 * are billed later. So the charges of closed months plus all their corrections equal the charges now. The filters' days
 * select the months that bill: a range has the corrections of the months whose first day is in it. Settle the charges
 * first.
 */
export async function* corrections(
  database: Database,
  { filters, page }: Omit<AskedRows, 'by'>,
): AsyncGenerator<Batch> {
  const { also, where, order, parameters: place } = reportPaging(page, KEYS);
  const printed = await printedCorrections(database, filters);
  if (printed === null) return;
  yield* database.stream(
    `SELECT ${CORRECTIONS_COLUMNS.join(', ')}${also} FROM (${printed.sql}) WHERE ${where} ${order}`,
    { ...printed.parameters, ...place },
  );
}

/**
 * Freezes the corrections that a month of an account bills, for a closing that is about to be made.
 * @param closing its id, and its account and month
 */
export async function freezeCorrections(
  database: Database,
  { period_id, waba_id, month }: Pick<Closing, 'period_id' | 'waba_id' | 'month'>,
): Promise<void> {
  const range = { from: `${month}-01`, to: `${month}-02`, tz: 'UTC', as_of: 0, waba_id };
  const printed = await printedCorrections(database, range);
  if (printed === null) return;
  const columns = CHARGES_COLUMNS.slice(0, -1).join(', ');
  await database.command(
    `INSERT INTO closed_corrections (period_id, ${columns})
     SELECT {period_id:String}, toDate(day), ${CHARGES_COLUMNS.slice(1, -1).join(', ')}
     FROM (${printed.sql}) WHERE period = 'live'`,
    { ...printed.parameters, period_id },
  );
}

/** Tables that corrections depend on. */
export function correctionTables(filters: ReportFilters): readonly string[] {
  return [...chargeTables({ ...filters, is_tz_given: false }), 'closed_corrections'];
}

export const correctionsReport = streamed({
  name: 'corrections',
  one_row_per: 'change of a row of `charges` of a closed month, in the later month that bills it',
  row: correctionRow,
  days: 'own',
  filters: ['waba_id'],
  settles: ['charges'],
  reads: correctionTables,
  rows: corrections,
});
