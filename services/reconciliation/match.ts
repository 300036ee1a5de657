import type { Dimension } from '@ctwa-ledger/schemas/meta.ts';
import type { Database, Parameters } from '../clickhouse/database.ts';
import { readRatingBasis } from '../rating/basis.ts';
import { billedSql, pricedSql } from '../rating/pricing.ts';
import { readAmount } from './amounts.ts';
import { MONTH_IN_FORCE, monthParameters, type DayGrain, type MatchedMonth } from './grain.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import type { NumberNames } from './numbers.ts';

/** Rows of one month that are held in memory. */
const MAX_ROWS = 2_000_000;

/** The key by which both sides are summed up. A dimension that Meta's points lack is empty. */
export interface MatchKey {
  /** Empty = the whole month. */
  readonly day: string;
  /** The displayed number, or our id if the displayed number is not known. */
  readonly phone_number: string;
  readonly country: string;
  readonly category: string;
  readonly pricing_type: string;
  /** `from:to` */
  readonly tier: string;
}

/** Our side and Meta's for one key. Amounts are in units of the twelfth decimal; null = not known. */
export interface MatchedRow extends MatchKey {
  readonly our_volume: bigint;
  readonly meta_volume: bigint;
  /** Cost of the messages with an amount; null when none has one. */
  readonly our_cost: bigint | null;
  readonly meta_cost: bigint | null;
  /** How many of our messages have no amount. */
  readonly unrated: bigint;
  /** Lowest and highest price of one of our messages; null when none has one. */
  readonly lowest_rate: bigint | null;
  readonly highest_rate: bigint | null;
  /** Whether Meta has a point for it. */
  readonly has_point: boolean;
  /** Whether the import has a cost of 0 for everything that is charged. */
  readonly is_costless: boolean;
}

const BITS: Readonly<Record<Dimension, number>> = {
  phone_number: 1,
  country: 2,
  category: 4,
  pricing_type: 8,
  tier: 16,
};
const BY_MONTH = 32;
/** Replaces the category if the two sides have different names for it. */
export const ANY = 'ANY';

/** The dimensions of a day as a bit mask. */
function maskOf(grain: DayGrain): number {
  const bits = grain.split.reduce((mask, dimension) => mask | BITS[dimension], 0);
  return bits | (grain.has_tier ? BITS.tier : 0) | (grain.is_monthly ? BY_MONTH : 0);
}

const MASK = 'transform(toString(of_day), {grain_days:Array(String)}, {grain_masks:Array(UInt8)}, toUInt8(0))';
const has = (bit: number): string => `bitAnd(mask, ${bit}) != 0`;

/**
 * The key of a row with `of_day`, `number`, `of_country`, `of_type`, `of_category` and `of_tier`. A tier is identified
 * by its upper bound, because the lower bound of the first tier may be written as 0 or as 1.
 */
const KEY = `
    if(${has(BY_MONTH)}, '', toString(of_day)) AS day,
    if(${has(BITS.phone_number)}, number, '') AS phone_number,
    if(${has(BITS.country)}, of_country, '') AS country,
    multiIf(NOT ${has(BITS.category)}, '', ${has(BITS.pricing_type)} AND of_type = 'FREE_ENTRY_POINT', '${ANY}', of_category) AS category,
    if(${has(BITS.pricing_type)}, of_type, '') AS pricing_type,
    multiIf(
      NOT ${has(BITS.tier)}, '',
      ${has(BITS.pricing_type)} AND of_type != 'REGULAR', '',
      of_tier = '', if(${has(BITS.pricing_type)}, 'MAX', ''),
      splitByChar(':', of_tier)[-1]) AS upper_bound`;

const CHARGED =
  'waba_id, market, category, billing, model, basis, place, phone_number_id, country, meta_type, meta_category';

const isOfField = {
  pricing_analytics: "meta_type NOT IN ('', 'COVERED') AND NOT startsWith(toString(meta_type), 'CONVERSATION_')",
  conversation_analytics: "startsWith(toString(meta_type), 'CONVERSATION_')",
} as const;

/** Delivered messages with their price, by the days of the account's zone or of UTC. */
function chargedSql(month: MatchedMonth, grain: readonly DayGrain[]): string {
  const own = `
    SELECT ${CHARGED}, day, day AS of_day, sum(charge_days.volume) AS volume
    FROM charge_days FINAL
    WHERE waba_id = {waba_id:String} AND day >= {first_day:Date} AND day < {end_day:Date} AND ${isOfField[month.field]}
      AND toString(day) IN {own_days:Array(String)}
    GROUP BY ${CHARGED}, day`;
  const utc = `
    SELECT ${CHARGED}, day, toDate(hour_at, 'UTC') AS of_day, sum(charge_hours.volume) AS volume
    FROM charge_hours FINAL
    WHERE waba_id = {waba_id:String} AND day >= {first_day:Date} - 1 AND day <= {end_day:Date} AND ${isOfField[month.field]}
      AND toString(toDate(hour_at, 'UTC')) IN {utc_days:Array(String)}
    GROUP BY ${CHARGED}, day, of_day`;
  return grain.some(({ days }) => days === 'utc') ? `${own} UNION ALL ${utc}` : own;
}

function matchSql(month: MatchedMonth, grain: readonly DayGrain[]): string {
  return `
SELECT day, phone_number, country, category, pricing_type,
  if(upper_bound = '', '', if(countIf(meta_tier != '') > 0, minIf(meta_tier, meta_tier != ''), minIf(our_tier, our_tier != ''))) AS tier,
  toString(sum(ours)) AS our_volume, toString(sum(metas)) AS meta_volume,
  toString(sum(our_amount)) AS our_cost, toString(sum(meta_amount)) AS meta_cost,
  toString(sumIf(ours, our_rate IS NULL)) AS unrated,
  toString(min(our_rate)) AS lowest_rate, toString(max(our_rate)) AS highest_rate,
  toUInt8(max(is_point)) AS has_point, toUInt8(max(costless)) AS is_costless
FROM
(
  SELECT ${KEY}, ours, metas, our_rate * ours AS our_amount, our_rate, meta_amount, our_tier, meta_tier, is_point, costless
  FROM
  (
    SELECT of_day, ${MASK} AS mask, transform(toString(phone_number_id), {ids:Array(String)}, {displays:Array(String)}, toString(phone_number_id)) AS number,
      toString(country) AS of_country, replaceOne(toString(meta_type), 'CONVERSATION_', '') AS of_type,
      toString(meta_category) AS of_category, tier AS of_tier,
      volume AS ours, toUInt64(0) AS metas, ${billedSql(12)} AS our_rate, CAST(NULL AS Nullable(Decimal(38, 12))) AS meta_amount,
      if(tier = '', '0:MAX', replaceRegexpOne(tier, '^1:', '0:')) AS our_tier, '' AS meta_tier, 0 AS is_point, 0 AS costless
    FROM (${pricedSql(`SELECT * FROM (${chargedSql(month, grain)}) WHERE volume > 0`, 'category')})
    UNION ALL
    SELECT points.day AS of_day, ${MASK} AS mask, toString(points.phone_number) AS number,
      toString(points.country) AS of_country,
      -- Asked for, it is called by the one name, answered by the other.
      if(points.pricing_type = 'FREE_ENTRY', 'FREE_ENTRY_POINT', toString(points.pricing_type)) AS of_type,
      toString(points.category) AS of_category, toString(points.tier) AS of_tier,
      toUInt64(0) AS ours, points.volume AS metas, CAST(NULL AS Nullable(Decimal(38, 12))) AS our_rate, points.cost AS meta_amount,
      '' AS our_tier, of_tier AS meta_tier, 1 AS is_point, facts.costless AS costless
    FROM (SELECT * FROM meta_points FINAL WHERE day >= {first_day:Date} AND day < {end_day:Date}) AS points
    INNER JOIN
    (
      SELECT import_id, day, phone_number FROM (${MONTH_IN_FORCE})
      WHERE concat(toString(day), ' ', days, ' ', toString(is_monthly), ' ', arrayStringConcat(split, ' ')) IN {chosen:Array(String)}
    ) AS held ON points.import_id = held.import_id AND points.day = held.day AND points.phone_number = held.phone_number
    INNER JOIN
    (
      SELECT import_id, toUInt8(countIf(cost > 0 AND pricing_type IN ('REGULAR', '')) = 0) AS costless
      FROM meta_points FINAL GROUP BY import_id
    ) AS facts ON points.import_id = facts.import_id
  )
)
GROUP BY day, phone_number, country, category, pricing_type, upper_bound
ORDER BY day, phone_number, country, category, pricing_type, tier`;
}

/** A row as ClickHouse streams it. It is not validated by a schema, because that would take longer than the match. */
type Cells = readonly [
  day: string,
  phone_number: string,
  country: string,
  category: string,
  pricing_type: string,
  tier: string,
  our_volume: string,
  meta_volume: string,
  our_cost: string | null,
  meta_cost: string | null,
  unrated: string,
  lowest_rate: string | null,
  highest_rate: string | null,
  has_point: number,
  is_costless: number,
];

const amountOf = (text: string | null): bigint | null => (text === null ? null : readAmount(text));

function rowOf(cells: Cells): MatchedRow {
  const [day, phone_number, country, category, pricing_type, tier, our_volume, meta_volume] = cells;
  return {
    ...{ day, phone_number, country, category, pricing_type, tier },
    our_volume: BigInt(our_volume),
    meta_volume: BigInt(meta_volume),
    our_cost: amountOf(cells[8]),
    meta_cost: amountOf(cells[9]),
    unrated: BigInt(cells[10]),
    lowest_rate: amountOf(cells[11]),
    highest_rate: amountOf(cells[12]),
    has_point: cells[13] === 1,
    is_costless: cells[14] === 1,
  };
}

/** For each day, the sets of imports by which it is matched, as a parameter of the query for imports in force. */
export function chosenParameter(grain: readonly DayGrain[]): string[] {
  return grain.map(({ day, days, is_monthly, split }) =>
    [day, days, is_monthly ? '1' : '0', split.join(' ')].join(' '),
  );
}

/** The parameters that say how each day is matched. */
function grainParameters(grain: readonly DayGrain[]): Parameters {
  const daysCut = (cut: DayGrain['days']): string[] => grain.flatMap(({ day, days }) => (days === cut ? [day] : []));
  return {
    grain_days: grain.map(({ day }) => day),
    grain_masks: grain.map(maskOf),
    own_days: daysCut('account'),
    utc_days: daysCut('utc'),
    chosen: chosenParameter(grain),
  };
}

/**
 * Our side and Meta's for the days of the grain, sorted by day, then by the rest of the key. The sums of all rows are
 * those of both sides. Settle the charges first.
 */
export async function matchMonth(
  database: Database,
  month: MatchedMonth,
  grain: readonly DayGrain[],
  numbers: NumberNames,
): Promise<readonly MatchedRow[]> {
  if (grain.length === 0) return [];
  const basis = await readRatingBasis(database);
  const batches = database.stream(matchSql(month, grain), {
    ...basis.parameters,
    ...monthParameters(month),
    ...grainParameters(grain),
    ids: [...numbers.displayOf.keys()],
    displays: [...numbers.displayOf.values()],
  });
  const rows: MatchedRow[] = [];
  for await (const batch of batches)
    for (const cells of batch) {
      if (rows.length === MAX_ROWS)
        throw new ActionableError(
          `The match has more than ${MAX_ROWS} rows: import Meta's numbers with fewer dimensions, or account by account.`,
        );
      rows.push(rowOf(cells as unknown as Cells));
    }
  return rows;
}
