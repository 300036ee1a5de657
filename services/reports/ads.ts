import type { SavingsAdsRow } from '@ctwa-ledger/schemas/bill.ts';
import {
  adFiguresRow,
  adNameRow,
  REPORTED_ONLY,
  type AdFiguresRow,
  type AdNameRow,
  type AdsRow,
} from '@ctwa-ledger/schemas/figures.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { spendImportRow } from '@ctwa-ledger/schemas/spend.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { perOne, quotient, scaled } from '../imports/decimals.ts';
import { LABELS_IN_FORCE, listSpendImports, SPEND_IN_FORCE } from '../spend/spend.ts';
import { figuresOfSources } from './figures.ts';
import { OF_CONVERSATIONS, ofImportsOfAdsSql } from './of-conversations.ts';
import { whole } from './report.ts';
import { savingsOfFreeEntry } from './savings.ts';
import { daysOf, isOfAds, ofAdsSql, parametersOf } from './sql.ts';
import { chargeTables, SPEND_TABLES, spendTables, summaryTables } from './tables.ts';

/** Titles of ads and posts from their referrals, and names from imports. */
const NAMES = `
  SELECT ad_id, toString(source_type) AS source_type, ad_name, adset_name, campaign_name,
    argMaxIfMerge(ad_referrals.headline) AS headline, argMaxIfMerge(ad_referrals.media_type) AS media_type,
    argMaxIfMerge(ad_referrals.source_url) AS source_url
  FROM ad_referrals
  LEFT JOIN (${LABELS_IN_FORCE}) AS labels USING ad_id
  WHERE ad_id != ''`;

/** The names of some ads and posts. An id that no message of a customer came from has none. */
export async function adNames(database: Database, ad_ids: readonly string[]): Promise<AdNameRow[]> {
  if (ad_ids.length === 0) return [];
  return database.query(
    adNameRow,
    `${NAMES} AND ad_id IN {ad_ids:Array(String)} GROUP BY ad_id, source_type, ad_name, adset_name, campaign_name`,
    { ad_ids: [...ad_ids] },
  );
}

const spendRow = z.object({
  ad_id: z.string(),
  currency: z.string(),
  spend: z.string().nullable(),
  left_out: z.number(),
  shared: z.number(),
  ad_name: z.string(),
  adset_name: z.string(),
  campaign_name: z.string(),
});
type SpendRow = z.infer<typeof spendRow>;

/**
 * The cost of ads on the days of the range, in whole days of the ad account's calendar; and how many amounts cover days
 * outside the range too. With filters of numbers or markets: the cost of ads that brought entries of these alone, and how
 * many amounts are of ads that brought others too. Costs are never of conversations with some kind of message alone.
 */
function spendOf(database: Database, filters: ReportFilters): Promise<SpendRow[]> {
  // An ad without messages has no known address, and an import has no addresses.
  const isWithin = 'spend.first_day >= {first_day:Date} AND spend.last_day < {end_day:Date}';
  const { any, alone } = ofImportsOfAdsSql(filters);
  const isInside = `${isWithin} AND ${alone}`;
  return database.query(
    spendRow,
    `SELECT ad_id, toString(currency) AS currency, if(countIf(${isInside}) = 0, NULL, toString(sumIf(toDecimal128(amount, 8), ${isInside}))) AS spend,
        toUInt32(countIf(NOT (${isWithin}))) AS left_out, toUInt32(countIf(${isWithin} AND NOT ${alone})) AS shared,
        any(ad_name) AS ad_name, any(adset_name) AS adset_name, any(campaign_name) AS campaign_name
     FROM (${SPEND_IN_FORCE}) AS spend
     LEFT JOIN (${LABELS_IN_FORCE}) AS labels USING ad_id
     WHERE spend.first_day < {end_day:Date} AND spend.last_day >= {first_day:Date} AND ${ofAdsSql(filters)} AND ${any}
     GROUP BY ad_id, currency ORDER BY ad_id, currency`,
    { ...parametersOf(filters), ...daysOf(filters) },
  );
}

const NO_FIGURES: Omit<AdsRow, 'ad_id' | 'source_type'> = {
  ad_conversations: 0,
  replied: 0,
  mature: 0,
  pending: 0,
  reply_rate: null,
  median_seconds_to_reply: null,
  p90_seconds_to_reply: null,
  windows_opened: 0,
  windows_confirmed: 0,
  free_messages: 0,
  first_entry_at: null,
  last_entry_at: null,
};

type Names = Omit<AdNameRow, 'ad_id' | 'source_type'>;
const NO_NAMES: Names = {
  ad_name: '',
  adset_name: '',
  campaign_name: '',
  headline: '',
  media_type: '',
  source_url: '',
};

type Saved = Pick<SavingsAdsRow, 'savings' | 'unrated'>;

function costs(
  figures: Pick<AdsRow, 'ad_conversations' | 'replied'>,
  spent: SpendRow | undefined,
  saved: Saved | undefined,
): Omit<AdFiguresRow, keyof AdsRow | keyof AdNameRow | 'currency'> {
  const spend = spent?.spend ?? null;
  const savings = saved?.savings ?? null;
  return {
    spend,
    cost_per_conversation: spend === null ? null : perOne(spend, figures.ad_conversations),
    cost_per_replied: spend === null ? null : perOne(spend, figures.replied),
    savings,
    unrated: saved?.unrated ?? 0,
    savings_per_spend: spend === null || savings === null ? null : quotient(scaled(savings), scaled(spend)),
    spend_left_out: spent?.left_out ?? 0,
    windows_reported_only: 0,
    spend_shared: spent?.shared ?? 0,
  };
}

/**
 * The rows of one ad or post, one for each of its currencies. A row without currency comes last, if the ad has no
 * currency, or has messages without a price whose account has no currency: otherwise these messages would be missing
 * from the sums.
 */
function rowsOf(
  ad: AdsRow,
  names: Names,
  spend: readonly SpendRow[],
  savings: readonly SavingsAdsRow[],
): AdFiguresRow[] {
  const currencies = [...new Set([...spend, ...savings].map(({ currency }) => currency))].sort();
  const named = currencies.filter((currency) => currency !== '');
  const isMore = savings.some(({ currency, unrated }) => currency === '' && unrated > 0);
  return (named.length === 0 || isMore ? [...named, ''] : named).map((currency) => ({
    ...ad,
    ...names,
    currency,
    ...costs(
      ad,
      spend.find((row) => row.currency === currency),
      savings.find((row) => row.currency === currency),
    ),
  }));
}

/** Rows by a key, in their order. */
export function grouped<Row>(rows: readonly Row[], keyOf: (row: Row) => string): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const known = groups.get(keyOf(row));
    if (known === undefined) groups.set(keyOf(row), [row]);
    else known.push(row);
  }
  return groups;
}

/**
 * Report `ad-figures`: every ad or post with an entry, a window, a free message or an amount in the range, and one row
 * for what belongs to no ad. Ordered by first entry, then id.
 * @param saved_by_ad the result of {@link savingsOfFreeEntry} for the same filters, if it is already known
 */
export async function adFigures(
  database: Database,
  filters: ReportFilters,
  saved_by_ad: Promise<SavingsAdsRow[]> = savingsOfFreeEntry(database, filters),
): Promise<AdFiguresRow[]> {
  const isWhole = !isOfAds(filters);
  const [{ ads: figures, of_no_ad }, spend, savings] = await Promise.all([
    figuresOfSources(database, filters),
    spendOf(database, filters),
    saved_by_ad,
  ]);
  const keyOf = (row: Pick<AdsRow, 'ad_id' | 'source_type'>): string => `${row.source_type} ${row.ad_id}`;
  const ad_ids = [...new Set([...figures, ...spend].map(({ ad_id }) => ad_id))];
  const names = new Map((await adNames(database, ad_ids)).map((row) => [keyOf(row), row]));
  const saved = grouped(savings, keyOf);
  const spent = grouped(spend, ({ ad_id }) => ad_id);
  // An id is an ad's or a post's. If entries of both kinds name it, the ad has the cost.
  const owner = new Map<string, string>();
  for (const { ad_id, source_type } of figures)
    if (source_type === 'ad' || !owner.has(ad_id)) owner.set(ad_id, source_type);
  // Of an ad without figures that brought entries to other numbers too, nothing is known about these.
  const unseen = [...spent.keys()]
    .filter((ad_id) => !owner.has(ad_id) && spent.get(ad_id)?.some((row) => row.spend !== null || row.left_out > 0))
    .map((ad_id): AdsRow => ({ ad_id, source_type: 'ad', ...NO_FIGURES }));
  const rows = [...unseen, ...figures].flatMap((ad) => {
    const own = spent.get(ad.ad_id) ?? [];
    const isOwner = own.length > 0 && (owner.get(ad.ad_id) ?? 'ad') === ad.source_type;
    const { ad_id: _, source_type: __, ...known } = names.get(keyOf(ad)) ?? { ad_id: '', source_type: '', ...NO_NAMES };
    const { ad_name = '', adset_name = '', campaign_name = '' } = own[0] ?? {};
    return rowsOf(
      ad,
      names.has(keyOf(ad)) ? known : { ...NO_NAMES, ad_name, adset_name, campaign_name },
      isOwner ? own : [],
      saved.get(keyOf(ad)) ?? [],
    );
  });
  const savedUnexplained = isWhole ? savings.filter(({ source_type }) => source_type === '') : [];
  const { free_messages, windows_reported_only } = of_no_ad;
  const nobody: AdsRow = { ad_id: '', source_type: REPORTED_ONLY, ...NO_FIGURES, free_messages };
  if (free_messages === 0 && savedUnexplained.length === 0) return rows;
  return [...rows, ...rowsOf(nobody, NO_NAMES, [], savedUnexplained).map((row) => ({ ...row, windows_reported_only }))];
}

/** Results and cost of ads, for a comparison: the same rows without savings, which take longest to read. */
export function adCosts(database: Database, filters: ReportFilters): Promise<AdFiguresRow[]> {
  return adFigures(database, filters, Promise.resolve([]));
}

export const adFiguresReport = whole({
  name: 'ad-figures',
  one_row_per: 'ad or post and currency: what it brought, cost and saved',
  row: adFiguresRow,
  days: 'accounts',
  has_clock: true,
  filters: OF_CONVERSATIONS,
  settles: ['summaries', 'charges'],
  reads: (filters) => [...summaryTables(filters), ...spendTables(filters), ...chargeTables(filters)],
  key: ['ad_id', 'source_type', 'currency'],
  rows: (database, filters) => adFigures(database, filters),
});

export const adSpendImportsReport = whole({
  name: 'ad-spend-imports',
  one_row_per: 'import of what ads cost, the latest first',
  row: spendImportRow,
  days: 'none',
  filters: [],
  settles: [],
  reads: SPEND_TABLES,
  key: ['import_id'],
  rows: async (database) =>
    (await listSpendImports(database)).map((one) => ({
      ...one,
      totals: one.totals.map(({ currency, amount }) => `${currency} ${amount}`).join('; '),
    })),
});
