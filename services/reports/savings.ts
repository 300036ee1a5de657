import { z } from 'zod';
import {
  savingsAdsRow,
  savingsCategoriesRow,
  savingsDaysRow,
  savingsMarketsRow,
  savingsNumbersRow,
  savingsRow,
  unratedRow,
  type Bill,
  type SavingsAdsRow,
  type SavingsCategoriesRow,
  type SavingsDaysRow,
  type SavingsMarketsRow,
  type SavingsNumbersRow,
  type SavingsRow,
  savingsTagsRow,
  type SavingsTagsRow,
  type UnratedRow,
} from '@ctwa-ledger/schemas/bill.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { Database } from '../clickhouse/database.ts';
import { readRatingBasis } from '../rating/basis.ts';
import { closingsOf, OF_CHARGES, OF_MESSAGES, pricedCharges, printedCharges } from './charges.ts';
import { whole } from './report.ts';
import { printedMessages } from './printed-messages.ts';
import { ofAdSql } from './sql.ts';
import { chargeTables, MESSAGE_TABLES } from './tables.ts';

/**
 * Whether a group has a sum. A sum over no amounts is empty, not 0. So is a sum over messages that are free by rule
 * when other messages have no price.
 */
const RATED = `(sum(toDecimal128OrZero(charges.list_cost, 8)) > 0
    OR (countIf(charges.list_cost != '') > 0 AND sum(toUInt64(charges.unrated)) = 0))`;

const sumOf = (cost: string): string =>
  `if(${RATED}, ifNull(toString(sum(toDecimal128OrNull(charges.${cost}, 8))), '0'), NULL)`;

/** Sums of the rows that report `charges` prints, so that closed months stay as they were. */
const AMOUNTS = `
    toUInt32(sum(toUInt64(charges.volume))) AS messages,
    ${sumOf('list_cost')} AS list_total,
    ${sumOf('billed_cost')} AS billed_total,
    ${sumOf('savings')} AS savings_total,
    toUInt32(sum(toUInt64(charges.unrated))) AS unrated_messages`;

/** AMOUNTS under their names in reports; inside the query these names belong to the rows summed. */
const NAMED = `messages AS volume, list_total AS list_cost, billed_total AS billed_cost, savings_total AS savings,
    unrated_messages AS unrated`;

/** Sums of charges, grouped and ordered by some of their columns. */
async function sums<T>(
  database: Database,
  filters: ReportFilters,
  row: z.ZodType<T>,
  columns: readonly string[],
): Promise<T[]> {
  const { sql, parameters } = await printedCharges(database, filters);
  const key = columns.join(', ');
  return database.query(
    row,
    `SELECT ${key}, ${NAMED} FROM (SELECT ${key}, ${AMOUNTS} FROM (${sql}) AS charges GROUP BY ${key}) ORDER BY ${key}`,
    parameters,
  );
}

/** The columns by which each report of sums is grouped and ordered. */
const CUTS = {
  totals: ['currency'],
  days: ['day', 'currency'],
  categories: ['category', 'billing', 'currency'],
  markets: ['market', 'currency'],
  numbers: ['waba_id', 'phone_number_id', 'currency'],
} as const;

/** Report `savings`: what was billed and saved in each currency. Settle the charges first, as for all reports of this module. */
export function savings(database: Database, filters: ReportFilters): Promise<SavingsRow[]> {
  return sums(database, filters, savingsRow, CUTS.totals);
}

/** Report `savings-days`: the same by day, without days on which nothing was delivered. */
function savingsDays(database: Database, filters: ReportFilters): Promise<SavingsDaysRow[]> {
  return sums(database, filters, savingsDaysRow, CUTS.days);
}

/** Report `savings-categories`: by rated category and mark. */
function savingsCategories(database: Database, filters: ReportFilters): Promise<SavingsCategoriesRow[]> {
  return sums(database, filters, savingsCategoriesRow, CUTS.categories);
}

/** Report `savings-markets`: by market. */
function savingsMarkets(database: Database, filters: ReportFilters): Promise<SavingsMarketsRow[]> {
  return sums(database, filters, savingsMarketsRow, CUTS.markets);
}

/** Report `savings-numbers`: by account and business number. */
function savingsNumbers(database: Database, filters: ReportFilters): Promise<SavingsNumbersRow[]> {
  return sums(database, filters, savingsNumbersRow, CUTS.numbers);
}

/** Report `savings-tags`: by the tags of messages. Charges have no tag, so the messages are priced one by one. */
async function savingsTags(database: Database, filters: ReportFilters): Promise<SavingsTagsRow[]> {
  const [basis, closings] = await Promise.all([readRatingBasis(database), closingsOf(database, filters)]);
  const { sql, parameters } = printedMessages({ basis, closings, filters, by: 'charged' });
  const sum = (condition: string): string =>
    `if(sum(toDecimal128(ifNull(rate, 0), 8)) > 0 OR countIf(reason != '') = 0,
        toString(sumIf(toDecimal128(ifNull(rate, 0), 8), ${condition})), NULL)`;
  return database.query(
    savingsTagsRow,
    `SELECT tag, currency, toUInt32(count()) AS volume, ${sum('true')} AS list_cost,
       ${sum("billing = 'BILLABLE'")} AS billed_cost, ${sum("billing != 'BILLABLE'")} AS savings,
       toUInt32(countIf(reason != '')) AS unrated
     FROM (SELECT tag, toString(currency) AS currency, toString(billing) AS billing, rate, toString(unrated) AS reason FROM (${sql}))
     GROUP BY tag, currency ORDER BY tag, currency`,
    parameters,
  );
}

/** A row of any grouping; the columns of other groupings are empty. */
const billRow = z.object({
  cut: z.enum(['totals', 'days', 'categories', 'markets', 'numbers']),
  ...savingsDaysRow.shape,
  ...savingsCategoriesRow.shape,
  ...savingsMarketsRow.shape,
  ...savingsNumbersRow.shape,
});

/** The reports of sums in one query: the same rows, with every charge priced once instead of once for each report. */
export async function bill(database: Database, filters: ReportFilters): Promise<Bill> {
  const { sql, parameters } = await printedCharges(database, filters);
  // Each row once for every grouping. GROUPING SETS do the same and take three times as long to plan.
  // The currency is last, as in every grouping.
  const keys = [...new Set(Object.values(CUTS).flatMap((columns) => columns.slice(0, -1))), 'currency'];
  const parts = Object.entries(CUTS).map(([cut, columns]) => {
    const values = keys.map((key) => (columns.some((column) => column === key) ? `toString(charges.${key})` : "''"));
    return `('${cut}', ${values.join(', ')})`;
  });
  const rows = await database.query(
    billRow,
    `SELECT part.1 AS cut, ${keys.map((key, i) => `part.${i + 2} AS ${key}`).join(', ')}, ${NAMED}
     FROM (SELECT part, ${AMOUNTS} FROM (${sql}) AS charges ARRAY JOIN [${parts.join(', ')}] AS part GROUP BY part)
     ORDER BY part`,
    parameters,
  );
  const of = <T>(cut: keyof typeof CUTS, row: z.ZodType<T>): T[] =>
    rows.filter((one) => one.cut === cut).map((one) => row.parse(one));
  return {
    totals: of('totals', savingsRow),
    days: of('days', savingsDaysRow),
    categories: of('categories', savingsCategoriesRow),
    markets: of('markets', savingsMarketsRow),
    numbers: of('numbers', savingsNumbersRow),
  };
}

/** Sums of messages as they are priced now, because closed months store neither ads nor reasons. */
async function live<T>(
  database: Database,
  filters: ReportFilters,
  row: z.ZodType<T>,
  select: (priced: string) => string,
): Promise<T[]> {
  const { sql, parameters } = await pricedCharges(database, filters, { withAds: true });
  return database.query(row, select(`(${sql}) AS priced WHERE priced.volume > 0`), parameters);
}

const VOLUME = 'toUInt32(sum(priced.volume))';

/** The savings of free entry, by ad or post and currency. The source type is empty when no ad or post is known. */
export function savingsOfFreeEntry(database: Database, filters: ReportFilters): Promise<SavingsAdsRow[]> {
  return live(
    database,
    filters,
    savingsAdsRow,
    (priced) => `
SELECT ad_id, source_type, currency, messages AS free_messages, savings_total AS savings, unrated_messages AS unrated
FROM
(
    SELECT ad_id, source_type, currency, ${VOLUME} AS messages,
        ifNull(sum(toDecimal128(rate, 8) * priced.volume), 0) AS amount,
        if(amount > 0 OR countIf(unrated != '') = 0, toString(amount), NULL) AS savings_total,
        toUInt32(sumIf(priced.volume, unrated != '')) AS unrated_messages
    FROM ${priced} AND billing = 'FREE_ENTRY' AND ${ofAdSql(filters)}
    GROUP BY ad_id, source_type, currency
)
ORDER BY ad_id, source_type, currency`,
  );
}

/** Report `savings-ads`: the savings of each ad's or post's windows. */
async function savingsAds(database: Database, filters: ReportFilters): Promise<SavingsAdsRow[]> {
  return (await savingsOfFreeEntry(database, filters)).filter(({ source_type }) => source_type !== '');
}

/** Report `unrated`: messages without an amount, by what is missing (M5), the most frequent first. */
export function unrated(database: Database, filters: ReportFilters): Promise<UnratedRow[]> {
  return live(
    database,
    filters,
    unratedRow,
    (priced) => `
SELECT unrated AS reason, waba_id, currency, toString(model) AS model, market, category, ${VOLUME} AS messages,
    toString(min(charge_day)) AS first_day, toString(max(charge_day)) AS last_day
FROM ${priced} AND unrated != ''
GROUP BY unrated, waba_id, currency, model, market, category
ORDER BY messages DESC, reason, waba_id, currency, model, market, category`,
  );
}

/** Fields that all reports of sums of charges share. */
const OF_SUMS = {
  days: 'accounts',
  filters: OF_CHARGES,
  settles: ['charges'],
  reads: chargeTables,
} as const;

export const savingsReport = whole({
  ...OF_SUMS,
  name: 'savings',
  one_row_per: 'currency: what was billed and saved',
  row: savingsRow,
  key: CUTS.totals,
  rows: savings,
});

export const savingsDaysReport = whole({
  ...OF_SUMS,
  name: 'savings-days',
  one_row_per: 'day and currency',
  row: savingsDaysRow,
  key: CUTS.days,
  rows: savingsDays,
});

export const savingsAdsReport = whole({
  ...OF_SUMS,
  name: 'savings-ads',
  one_row_per: 'ad or post and currency: what its free entry windows saved',
  row: savingsAdsRow,
  filters: ['ad'],
  key: ['ad_id', 'source_type', 'currency'],
  rows: savingsAds,
});

export const savingsCategoriesReport = whole({
  ...OF_SUMS,
  name: 'savings-categories',
  one_row_per: 'rated category, mark and currency',
  row: savingsCategoriesRow,
  key: CUTS.categories,
  rows: savingsCategories,
});

export const savingsMarketsReport = whole({
  ...OF_SUMS,
  name: 'savings-markets',
  one_row_per: 'market and currency',
  row: savingsMarketsRow,
  key: CUTS.markets,
  rows: savingsMarkets,
});

export const savingsNumbersReport = whole({
  ...OF_SUMS,
  name: 'savings-numbers',
  one_row_per: 'account, business number and currency',
  row: savingsNumbersRow,
  key: CUTS.numbers,
  rows: savingsNumbers,
});

export const savingsTagsReport = whole({
  ...OF_SUMS,
  name: 'savings-tags',
  one_row_per: 'tag of messages and currency',
  row: savingsTagsRow,
  reads: MESSAGE_TABLES,
  key: ['tag', 'currency'],
  rows: savingsTags,
});

export const unratedReport = whole({
  ...OF_SUMS,
  name: 'unrated',
  one_row_per: 'reason, account, currency, model, market and category of messages without an amount, the most first',
  row: unratedRow,
  filters: OF_MESSAGES,
  key: ['reason', 'waba_id', 'currency', 'model', 'market', 'category'],
  rows: unrated,
});
