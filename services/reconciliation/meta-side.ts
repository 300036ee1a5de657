import type { MetaSide } from '@ctwa-ledger/schemas/bill.ts';
import { givenValues, type ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { z } from 'zod';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import type { Database } from '../clickhouse/database.ts';
import { printedCharges } from '../reports/charges.ts';
import { amountText, readAmount } from './amounts.ts';
import { MONTH_IN_FORCE, monthParameters, readGrain, type MatchedMonth } from './grain.ts';
import { chosenParameter } from './match.ts';
import { fieldOfMonth } from './reconcile.ts';
import { monthAfter } from './whole-days.ts';

/** Months of accounts that are read at once: more would be a page of years. */
const MAX_MONTHS = 60;

/** An amount of an account on a day; null = not known. */
interface DayAmount {
  readonly waba_id: string;
  readonly day: string;
  readonly currency: string;
  readonly amount: bigint | null;
}

/** The expected charge, by account and day; not known when a message has no amount. */
async function expectedByDay(database: Database, filters: ReportFilters): Promise<DayAmount[]> {
  const { sql, parameters } = await printedCharges(database, filters);
  const rows = await database.query(
    z.object({ waba_id: z.string(), day: z.string(), currency: z.string(), cost: z.string(), without: z.string() }),
    `SELECT waba_id, day, currency, toString(sum(toDecimal128OrZero(billed_cost, 8))) AS cost, toString(sum(toUInt64(unrated))) AS without
     FROM (${sql}) WHERE currency != '' GROUP BY waba_id, day, currency`,
    parameters,
  );
  return rows.map(({ waba_id, day, currency, cost, without }) => ({
    ...{ waba_id, day, currency },
    amount: without === '0' ? readAmount(cost) : null,
  }));
}

/** The months of accounts in a range that imports in force cover. */
function monthsSaid(
  database: Database,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<{ waba_id: string; month: string }[]> {
  return database.query(
    z.object({ waba_id: z.string(), month: z.string() }),
    `SELECT DISTINCT waba_id, substring(toString(day), 1, 7) AS month
     FROM
     (
       SELECT waba_id, arrayJoin(arrayFlatten(arrayMap(
         (first, last) -> arrayMap(n -> first + n, range(toUInt32(last - first + 1))), first_days, last_days))) AS day
       FROM meta_imports FINAL WHERE withdrawn_at IS NULL AND field IN ('pricing_analytics', 'conversation_analytics')
     )
     WHERE day >= {from:Date} AND day < {to:Date}
     ORDER BY month DESC, waba_id LIMIT ${MAX_MONTHS}`,
    { from, to },
  );
}

/** Meta's charge for a month of an account, by the days for which it gives one. */
async function chargedDays(database: Database, month: MatchedMonth): Promise<ReadonlyMap<string, bigint>> {
  const grain = (await readGrain(database, month)).filter(
    // Left out: a number for the whole month belongs to no day, and days in UTC (from some partners) are not the
    // account's days.
    ({ is_monthly, days }) => !is_monthly && (days === 'account' || month.time_zone === 'UTC'),
  );
  if (grain.length === 0) return new Map();
  const rows = await database.query(
    z.object({ day: z.string(), cost: z.string(), without: z.coerce.number(), charged: z.coerce.number() }),
    `SELECT toString(points.day) AS day, ifNull(toString(sum(points.cost)), '0') AS cost,
        -- An amount that Meta leaves out, or names as 0 for all that it charges, is not known.
        countIf(points.cost IS NULL AND points.volume > 0) AS without,
        countIf(pricing_type IN ('REGULAR', '') AND points.volume > 0 AND ifNull(points.cost, 0) = 0) AS charged
     FROM (SELECT * FROM meta_points FINAL WHERE day >= {first_day:Date} AND day < {end_day:Date}) AS points
     INNER JOIN
     (
       SELECT import_id, day, phone_number FROM (${MONTH_IN_FORCE})
       WHERE concat(toString(day), ' ', days, ' ', toString(is_monthly), ' ', arrayStringConcat(split, ' ')) IN {chosen:Array(String)}
     ) AS held ON points.import_id = held.import_id AND points.day = held.day AND points.phone_number = held.phone_number
     GROUP BY points.day`,
    { ...monthParameters(month), chosen: chosenParameter(grain) },
  );
  const byDay = new Map(rows.map((row) => [row.day, row]));
  const isCostless = rows.some(({ charged }) => charged > 0) && rows.every(({ cost }) => readAmount(cost) === 0n);
  if (isCostless) return new Map();
  return new Map(
    grain.flatMap(({ day }) => {
      const row = byDay.get(day);
      return row !== undefined && row.without > 0 ? [] : [[day, readAmount(row?.cost ?? '0')] as const];
    }),
  );
}

const invoicedRow = z.object({ waba_id: z.string(), month: z.string(), currency: z.string(), amount: z.string() });

/** Charges on invoices by account, month and currency, for months that are completely in a range. */
function invoiced(
  database: Database,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<z.infer<typeof invoicedRow>[]> {
  return database.query(
    invoicedRow,
    `SELECT waba_id, substring(toString(first_day), 1, 7) AS month, currency, toString(sum(amount)) AS amount
     FROM
     (
       SELECT import_id, invoice_lines.month AS first_day, toString(currency) AS currency, amount FROM invoice_lines FINAL
       WHERE kind = 'charge' AND invoice_lines.month >= {from:Date} AND addMonths(invoice_lines.month, 1) <= {to:Date}
     ) AS lines
     INNER JOIN (SELECT import_id, waba_id FROM invoices FINAL WHERE withdrawn_at IS NULL AND waba_id != '') AS held USING import_id
     GROUP BY waba_id, first_day, currency ORDER BY first_day, waba_id`,
    { from, to },
  );
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
const daysBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 86_400_000;
const dayKey = ({ waba_id, day }: { readonly waba_id: string; readonly day: string }): string => `${day} ${waba_id}`;

/**
 * The numbers of Meta and of invoices beside what is expected, for the range and the account of the filters; by
 * currency.
 */
export async function metaSide(database: Database, filters: ReportFilters): Promise<MetaSide[]> {
  const { from, to, waba_id: only } = filters;
  if (from === null || to === null) return [];
  const isAsked = (waba_id: string): boolean => only == null || givenValues(only).includes(waba_id);
  const [months, bills] = await Promise.all([monthsSaid(database, { from, to }), invoiced(database, { from, to })]);
  const said = months.filter(({ waba_id }) => isAsked(waba_id));
  const billed = bills.filter(({ waba_id }) => isAsked(waba_id));
  if (said.length === 0 && billed.length === 0) return [];
  const accounts = new Map(((await readConfiguration(database))?.accounts ?? []).map((one) => [one.waba_id, one]));
  const expected = await expectedByDay(database, filters);
  const charged: DayAmount[] = [];
  for (const { waba_id, month } of said) {
    const { time_zone = 'UTC', currency } = accounts.get(waba_id) ?? {};
    if (currency === undefined) continue;
    const first_day = `${month}-01`;
    const of = { waba_id, field: fieldOfMonth(month), first_day, end_day: monthAfter(first_day), time_zone };
    for (const [day, amount] of await chargedDays(database, of))
      if (day >= from && day < to) charged.push({ waba_id, day, currency, amount });
  }
  const currencies = [...new Set([...charged, ...billed].map(({ currency }) => currency))].sort();
  return currencies.map((currency) => ({
    currency,
    meta: metaOf(currency, expected, charged, daysBetween(from, to)),
    invoice: invoiceOf(currency, expected, billed),
  }));
}

/** Meta's charge beside ours, on days of accounts for which both are known. */
function metaOf(
  currency: string,
  expected: readonly DayAmount[],
  charged: readonly DayAmount[],
  days: number,
): MetaSide['meta'] {
  const ours = new Map(
    expected.flatMap((one) => (one.currency === currency ? [[dayKey(one), one.amount] as const] : [])),
  );
  const metas = charged.filter((one) => one.currency === currency);
  const known = metas.flatMap((one) => {
    const amount = ours.get(dayKey(one)) ?? (ours.has(dayKey(one)) ? null : 0n);
    return amount === null || one.amount === null ? [] : [{ ours: amount, metas: one.amount }];
  });
  if (known.length === 0) return null;
  const [mine, its] = [sum(known.map((one) => one.ours)), sum(known.map((one) => one.metas))];
  const accounts = new Set([...expected, ...metas].flatMap((one) => (one.currency === currency ? [one.waba_id] : [])));
  return {
    cost: amountText(its),
    expected: amountText(mine),
    difference: amountText(mine - its),
    days: known.length,
    of_days: days * accounts.size,
  };
}

/** The invoiced charge beside the expected one, for months of accounts in which both are complete. */
function invoiceOf(
  currency: string,
  expected: readonly DayAmount[],
  bills: readonly z.infer<typeof invoicedRow>[],
): MetaSide['invoice'] {
  const known = bills.flatMap((bill) => {
    if (bill.currency !== currency) return [];
    const days = expected.filter(
      (one) => one.waba_id === bill.waba_id && one.currency === currency && one.day.startsWith(bill.month),
    );
    const amounts = days.flatMap(({ amount }) => (amount === null ? [] : [amount]));
    return amounts.length < days.length ? [] : [{ ...bill, ours: sum(amounts) }];
  });
  if (known.length === 0) return null;
  const [mine, its] = [sum(known.map((one) => one.ours)), sum(known.map(({ amount }) => readAmount(amount)))];
  return {
    amount: amountText(its),
    expected: amountText(mine),
    difference: amountText(mine - its),
    months: [...new Set(known.map(({ month }) => month))],
  };
}
