import type { z } from 'zod';
import {
  savingsAdsRow,
  savingsCategoriesRow,
  savingsDaysRow,
  savingsRow,
  unratedRow,
  type ReportFilters,
  type SavingsAdsRow,
  type SavingsCategoriesRow,
  type SavingsDaysRow,
  type SavingsRow,
  type UnratedRow,
} from '@ctwa-ledger/schemas/reports.ts';
import type { Database } from '../ledger/database.ts';
import { pricedCharges } from './charges.ts';

/** Total over messages, never rounded; a Nullable Decimal: null when none of them has an amount. */
const total = (condition: string): string => `sumIf(toDecimal128(rate, 8) * volume, ${condition})`;

const VOLUME = 'toUInt32(sum(priced.volume))';
const UNRATED = "toUInt32(sumIf(priced.volume, unrated != ''))";
const RATED = "countIf(unrated = '') > 0";

/** A part of the list cost as text. A sum over no message is nothing, and 0 where others of the row have an amount. */
const part = (condition: string): string => `if(${RATED}, ifNull(toString(${total(condition)}), '0'), NULL)`;

const SAVINGS = part("billing != 'BILLABLE'");

/** `list_cost = billed_cost + savings` (M4), because every message is in exactly one of the two. */
const AMOUNTS = `
    ${VOLUME} AS messages,
    ${part('1')} AS list_total,
    ${part("billing = 'BILLABLE'")} AS billed_total,
    ${SAVINGS} AS savings_total,
    ${UNRATED} AS unrated_messages`;

/** The columns of AMOUNTS by their names in reports, which inside are those of the rows summed. */
const NAMED = `messages AS volume, list_total AS list_cost, billed_total AS billed_cost, savings_total AS savings,
    unrated_messages AS unrated`;

async function charged<T>(
  database: Database,
  filters: ReportFilters,
  row: z.ZodType<T>,
  select: (priced: string) => string,
): Promise<T[]> {
  const { sql, parameters } = await pricedCharges(database, filters);
  return database.query(row, select(`(${sql}) AS priced WHERE priced.volume > 0`), parameters);
}

/** Report `savings`: what was billed and saved in each currency. Settle the charges first, as for all reports of this module. */
export function savings(database: Database, filters: ReportFilters): Promise<SavingsRow[]> {
  return charged(
    database,
    filters,
    savingsRow,
    (priced) => `
SELECT currency, ${NAMED} FROM (SELECT currency, ${AMOUNTS} FROM ${priced} GROUP BY currency) ORDER BY currency`,
  );
}

/** Report `savings-days`: the same by day, without days on which nothing was delivered. */
export function savingsDays(database: Database, filters: ReportFilters): Promise<SavingsDaysRow[]> {
  return charged(
    database,
    filters,
    savingsDaysRow,
    (priced) => `
SELECT toString(charge_day) AS day, currency, ${NAMED}
FROM (SELECT charge_day, currency, ${AMOUNTS} FROM ${priced} GROUP BY charge_day, currency)
ORDER BY charge_day, currency`,
  );
}

/** Report `savings-ads`: what the windows of each ad or post saved. */
export function savingsAds(database: Database, filters: ReportFilters): Promise<SavingsAdsRow[]> {
  return charged(
    database,
    filters,
    savingsAdsRow,
    (priced) => `
SELECT ad_id, source_type, currency, messages AS free_messages, savings_total AS savings, unrated_messages AS unrated
FROM
(
    SELECT ad_id, source_type, currency, ${VOLUME} AS messages, ${SAVINGS} AS savings_total, ${UNRATED} AS unrated_messages
    FROM ${priced} AND billing = 'FREE_ENTRY' AND source_type != ''
    GROUP BY ad_id, source_type, currency
)
ORDER BY ad_id, source_type, currency`,
  );
}

/** Report `savings-categories`: by rated category and mark. */
export function savingsCategories(database: Database, filters: ReportFilters): Promise<SavingsCategoriesRow[]> {
  return charged(
    database,
    filters,
    savingsCategoriesRow,
    (priced) => `
SELECT category, billing, currency, ${NAMED}
FROM (SELECT category, billing, currency, ${AMOUNTS} FROM ${priced} GROUP BY category, billing, currency)
ORDER BY category, billing, currency`,
  );
}

/** Report `unrated`: messages without an amount, by what is missing (M5), the most first. */
export function unrated(database: Database, filters: ReportFilters): Promise<UnratedRow[]> {
  return charged(
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
