import { z } from 'zod';
import { amount, count } from '@ctwa-ledger/schemas/cells.ts';
import { chargeRow, type ChargeRow, type ChargeSort } from '@ctwa-ledger/schemas/bill.ts';
import type { AskedPage, PageOf, ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { Database, Parameters } from '../clickhouse/database.ts';
import { readRatingBasis } from '../rating/basis.ts';
import { BILLED_OR_SAVED, pricedSql } from '../rating/pricing.ts';
import { arePriced, storedDays } from '../rating/priced-days.ts';
import { placedSql } from '../rating/ratable.ts';
import {
  CLOSED,
  IS_OF_CLOSING_IN_FORCE,
  isClosedSql,
  NO_CLOSINGS,
  readClosingsInForce,
  type ClosingsInForce,
} from './closings.ts';
import { paging, reportPaging, type PageKey } from './paging.ts';
import { columnsOf, streamed, type AskedRows, type Batch } from './report.ts';
import { daysOf, FROM, isOfAds, narrowedSql, ofAdSql, ofWindowsSql, parametersOf, TO } from './sql.ts';
import { chargeTables } from './tables.ts';
import { filledQuery, readQuery } from '../clickhouse/sql.ts';

/** A row of `charges`, with the types that JSON has. */
export const chargesRow = z.object({
  day: z.string(),
  waba_id: z.string(),
  phone_number_id: z.string(),
  market: z.string(),
  category: z.string().describe('Category by which the messages are priced.'),
  billing: z.string(),
  tier: z.string(),
  volume: count,
  rate: amount,
  list_cost: amount,
  billed_cost: amount,
  savings: amount,
  currency: z.string(),
  rate_card: z.string(),
  unrated: count,
  period: z.string(),
});
export const CHARGES_COLUMNS = columnsOf(chargesRow);

/** Columns by which messages and charges can be narrowed before they are priced. */
export const OF_MESSAGES = ['waba_id', 'phone_number_id', 'market', 'category', 'billing'] as const;
export const OF_CHARGES = [...OF_MESSAGES, 'tier', 'rate', 'rate_card', 'tag', 'campaign', 'adset', 'ad'] as const;

/** The key of a row of charges; rows are printed in its order. */
export const CHARGES_KEY = [
  'day',
  'waba_id',
  'phone_number_id',
  'market',
  'category',
  'billing',
  'tier',
  'rate',
  'currency',
  'rate_card',
] as const;

const CHARGES = filledQuery(readQuery('charges'), { ...BILLED_OR_SAVED, priced: '%priced%' });

/**
 * The rows of `charges` from messages as `pricedSql` returns them: live, in no order, all columns except `period`, as
 * text.
 */
export function chargeRowsSql(priced: string): string {
  return filledQuery(CHARGES, { priced });
}

/** The same columns in `closed_charges`. */
export const CLOSED_CHARGE = CHARGES_COLUMNS.slice(0, -1)
  .map((column) => (column === 'day' ? 'toString(closed_charges.day) AS day' : column))
  .join(', ');

/** Columns that narrow messages before they are priced: those that charges are stored by. */
const NARROWED_BEFORE = {
  waba_id: 'toString(waba_id)',
  phone_number_id: 'toString(phone_number_id)',
  market: 'toString(market)',
  category: 'toString(category)',
  billing: 'toString(billing)',
} as const;

/** Columns that narrow rows of charges, also frozen ones. */
const NARROWED_ROWS = { ...NARROWED_BEFORE, tier: 'tier', rate: 'rate', rate_card: 'rate_card' } as const;

/** Columns that charges are stored by, without the ad. */
const KEPT = 'day, waba_id, phone_number_id, market, category, billing, model, basis, place';

/** Charges by days of the accounts' own zones, as they are stored. Without ads there are fewer rows to price. */
function keptDays(withAds: boolean, where: string): string {
  const key = withAds ? `${KEPT}, ad_id, source_type` : KEPT;
  return `
  SELECT ${key}, day AS charge_day, sum(charge_days.volume) AS volume
  FROM charge_days FINAL
  WHERE day >= {first_day:Date} AND day < {end_day:Date} AND ${where}
  GROUP BY ${key}
  SETTINGS do_not_merge_across_partitions_select_final = 1`;
}

/**
 * A query of delivered messages with their price, in the range of the filters: `charge_day`, `waba_id`,
 * `phone_number_id`, `market`, `category` (rated), `billing`, `volume`, with ads also `ad_id` and `source_type` (of
 * free entry messages), and the columns of `pricedSql`. Live, also for closed months. Narrowed to accounts, numbers,
 * markets, categories and marks; to ads: to the messages of their free entry windows.
 */
export async function pricedCharges(
  database: Database,
  filters: ReportFilters,
  options: { readonly withAds?: boolean } = {},
): Promise<{ readonly sql: string; readonly parameters: Parameters }> {
  const basis = await readRatingBasis(database);
  const narrowed = narrowedSql(filters, NARROWED_BEFORE);
  const where = `${narrowed.where} AND ${ofAdSql(filters)}`;
  const parameters = { ...parametersOf(filters), ...basis.parameters, ...narrowed.parameters };
  // Charges are not stored by tag, because each message may have another one.
  const isByMessage = filters.is_tz_given === true || filters.tag != null;
  if (!isByMessage) {
    const days = { ...parameters, ...daysOf(filters) };
    if (await arePriced(database, basis)) {
      const stored = storedDays(basis, where);
      return { sql: stored.sql, parameters: { ...days, ...stored.parameters } };
    }
    return { sql: pricedSql(keptDays(options.withAds === true, where), 'category'), parameters: days };
  }
  // The price depends on the account's own day, whatever days are requested.
  const isOwnDay = filters.is_tz_given !== true;
  // In seconds: without a range its ends are the first and last DateTime, and a day more would come out at the other end.
  const near = isOwnDay
    ? `toUnixTimestamp(delivered_at) + ${DAY} >= {from:UInt32} AND toUnixTimestamp(delivered_at) < {to:UInt32} + ${DAY}`
    : `delivered_at >= ${FROM} AND delivered_at < ${TO}`;
  const range = isOwnDay ? 'charge_day >= {first_day:Date} AND charge_day < {end_day:Date}' : 'true';
  const messages = `
  SELECT day, ${isOwnDay ? 'day' : 'toDate(assumeNotNull(delivered_at), {tz:String})'} AS charge_day, waba_id, phone_number_id, market, rated_category AS category,
    billing, model, basis, place, if(billing = 'FREE_ENTRY', ad_id, '') AS ad_id,
    if(billing = 'FREE_ENTRY', source_type, '') AS source_type, toUInt64(1) AS volume, tag
  FROM (${placedSql(basis, near)})`;
  const tagged = narrowedSql(filters, { tag: 'tag' });
  return {
    sql: pricedSql(`SELECT * FROM (${messages}) WHERE ${range} AND ${where} AND ${tagged.where}`, 'category'),
    parameters: { ...parameters, ...daysOf(filters), ...tagged.parameters },
  };
}

/** Zones are less than a day from UTC, on both sides. */
const DAY = 86_400;
const TWO_DAYS = 2 * DAY;

/**
 * Reads the closings in force of months that may reach into the days of the filters, in whatever zone they were closed.
 * With a zone in the filters there are none: days of that zone belong to no closed month, so charges and messages are
 * live.
 */
export function closingsOf(database: Database, filters: ReportFilters): Promise<ClosingsInForce> {
  if (filters.is_tz_given === true) return Promise.resolve(NO_CLOSINGS);
  return readClosingsInForce(database, Math.max(parametersOf(filters).from - TWO_DAYS, 0));
}

const live = (priced: string): string => `SELECT *, 'live' AS period FROM (${chargeRowsSql(priced)})`;

/**
 * The frozen rows of closed months. With a tag or an ad they are made from the frozen messages, because charges have
 * none. An account's month has one closing in force, so account and month identify it.
 */
function frozen(filters: ReportFilters): string {
  if (filters.tag == null && !isOfAds(filters))
    return `
    SELECT ${CLOSED_CHARGE}, ${CLOSED}
    FROM closed_charges FINAL
    WHERE ${IS_OF_CLOSING_IN_FORCE} AND closed_charges.day >= {first_day:Date} AND closed_charges.day < {end_day:Date}`;
  const messages = `
    SELECT day AS charge_day, waba_id, phone_number_id, market, rated_category AS category, billing, tier, rate, currency,
      rate_card AS card, toUInt64(1) AS volume, unrated
    FROM closed_messages FINAL
    WHERE ${IS_OF_CLOSING_IN_FORCE} AND ${filters.tag == null ? 'true' : 'tag IN {only_tag:Array(String)}'}
      AND ${ofWindowsSql(filters)}
      AND closed_messages.day >= {first_day:Date} AND closed_messages.day < {end_day:Date}`;
  const month = "concat(waba_id, ' ', toString(toStartOfMonth(toDate(day))))";
  return `
    SELECT *, transform(${month}, {closed_months:Array(String)}, {closed_texts:Array(String)}, '')
    FROM (${chargeRowsSql(messages)})`;
}

/** Live rows, and for closed months the frozen rows. */
function liveAndFrozen(priced: string, filters: ReportFilters): string {
  return `
SELECT * FROM
(
    ${live(`SELECT * FROM (${priced}) WHERE NOT ${isClosedSql('waba_id', 'charge_day')}`)}
    UNION ALL
    ${frozen(filters)}
)`;
}

/**
 * The rows of report `charges` as a query, in no order: `CHARGES_COLUMNS` as text. For a closed month these are the
 * frozen rows, and `period` says so.
 */
export async function printedCharges(
  database: Database,
  filters: ReportFilters,
): Promise<{ readonly sql: string; readonly parameters: Parameters }> {
  const [{ sql, parameters }, closings] = await Promise.all([
    pricedCharges(database, filters),
    closingsOf(database, filters),
  ]);
  const narrowed = narrowedSql(filters, NARROWED_ROWS);
  return {
    sql: `SELECT * FROM (${closings.isAny ? liveAndFrozen(sql, filters) : live(sql)}) WHERE ${narrowed.where}`,
    parameters: { ...parameters, ...closings.parameters, ...narrowed.parameters },
  };
}

const text = (sql: string): PageKey => ({ sql: `toString(${sql})`, type: 'String' });

/** The order of report `charges`. */
const KEYS: readonly PageKey[] = [...CHARGES_KEY, 'period'].map(text);

/**
 * Report `charges`, streamed: `CHARGES_COLUMNS` as text. Days are those of each account's zone, unless a zone is asked for.
 * Settle the charges first.
 */
export async function* charges(database: Database, { filters, page }: AskedRows): AsyncGenerator<Batch> {
  const { sql, parameters } = await printedCharges(database, filters);
  const { also, where, order, parameters: place } = reportPaging(page, KEYS);
  const rows = page === null ? sql : `SELECT *${also} FROM (${sql}) WHERE ${where}`;
  yield* database.stream(`${rows} ${order}`, { ...parameters, ...place });
}

export const chargesReport = streamed({
  name: 'charges',
  one_row_per: 'day, account, number, market, category, mark, tier, rate and currency: volume and amounts',
  row: chargesRow,
  days: 'accounts',
  filters: OF_CHARGES,
  settles: ['charges'],
  reads: chargeTables,
  rows: charges,
});

const AMOUNT_COLUMNS = ['rate', 'list_cost', 'billed_cost', 'savings'] as const;

/** The keys that order charges: the requested column, then the rest of the charges' key. */
function keysOf({ column, descending }: AskedPage<ChargeSort>['sort']): readonly PageKey[] {
  const rest = [...CHARGES_KEY, 'period'].filter((key) => key !== column).map(text);
  if (column === 'volume' || column === 'unrated') return [{ sql: `toUInt64(${column})`, type: 'UInt64' }, ...rest];
  if (!AMOUNT_COLUMNS.some((amount) => amount === column)) return [text(column), ...rest];
  // Rows without an amount come last in both directions. Amounts are ordered within a currency only.
  const none = descending ? '-1' : '999999999999999999';
  return [
    text('currency'),
    { sql: `toDecimal128(if(${column} = '', '${none}', ${column}), 8)`, type: 'Decimal(38, 8)' },
    ...[...CHARGES_KEY, 'period'].filter((key) => key !== 'currency').map(text),
  ];
}

const pagedRow = chargeRow.extend({ page_cursor: z.array(z.string()) });

/** A page of report `charges`, in the order asked for. Settle the charges first. */
export async function chargesPage(
  database: Database,
  filters: ReportFilters,
  asked: AskedPage<ChargeSort>,
): Promise<PageOf<ChargeRow>> {
  const { sql, parameters } = await printedCharges(database, filters);
  const page = paging(asked, keysOf(asked.sort));
  const rows = await database.query(
    pagedRow,
    `SELECT ${CHARGES_COLUMNS.join(', ')}, ${page.cursor} FROM (${sql}) WHERE ${page.where} ${page.order}`,
    { ...parameters, ...page.parameters },
  );
  return page.pageOf(rows);
}

/** How many rows report `charges` has. Settle the charges first. */
export async function chargesCount(database: Database, filters: ReportFilters): Promise<number> {
  const { sql, parameters } = await printedCharges(database, filters);
  const [row] = await database.query(
    z.object({ n: z.number() }),
    `SELECT toUInt32(count()) AS n FROM (${sql})`,
    parameters,
  );
  return row?.n ?? 0;
}
