import { FREE_PLACES } from '@ctwa-ledger/schemas/durations.ts';
import { RATE_CATEGORIES, TIERED_CATEGORIES } from '@ctwa-ledger/schemas/rate-file.ts';
import type { RatingBasis } from './basis.ts';
import { marketSql } from './markets.ts';

function quoted(values: readonly string[]): string {
  return values.map((value) => `'${value}'`).join(', ');
}

/**
 * The local day of `time`, in the zone of the account `waba_id`. It is an expression with constants, because ClickHouse
 * takes no column as a zone. It needs the parameters of the basis.
 */
export function accountDaySql(basis: RatingBasis, time: string, waba_id: string): string {
  if (basis.zones.length === 0) return `toDate(${time}, 'UTC')`;
  const zone = `transform(${waba_id}, {wabas:Array(String)}, {zones:Array(UInt32)}, toUInt32(0))`;
  const cases = basis.zones.map((name, i) => `${zone} = ${i + 1}, toDate(${time}, '${name}')`);
  return `multiIf(${cases.join(', ')}, toDate(${time}, 'UTC'))`;
}

/** rules.md F8: the rated category of a group message. */
function withoutGroup(category: string): string {
  return `if(startsWith(${category}, 'group_') AND ${category} != 'group_', substring(${category}, ${'group_'.length + 1}), toString(${category}))`;
}

/**
 * rules.md M1a: the category that Meta reports, if its report decides that the message is charged; else the message's
 * own.
 */
const DECIDING_CATEGORY = `
    if(billing = 'BILLABLE' AND reported = 'BILLABLE'
        AND ${withoutGroup('reported_category')} IN (${quoted(RATE_CATEGORIES)}, 'marketing_lite'),
      ${withoutGroup('reported_category')}, ${withoutGroup('category')})`;

/** The same as priced: rates of marketing are those of its variant too. It reads columns of `message_marks`. */
export const RATED_CATEGORY = `transform(toString(${DECIDING_CATEGORY}), ['marketing_lite'], ['marketing'])`;

/**
 * rules.md M4: the basis of the list cost, before places are looked at. Only free entry messages are rated by their
 * mark without free entry.
 */
const NEEDS = `
    transform(toString(if(billing = 'FREE_ENTRY', without_free_entry, billing)), ['BILLABLE', 'UNKNOWN'], ['rate', 'none'], 'free')`;

const MARKS = 'message_marks FINAL';

/**
 * The group of messages that are counted together (rules.md M3), by `scope`: conditions and keys of a `multiIf`, for a
 * row with `named_portfolio`, `phone_number_id`, `waba_id`, `market`, `rated_category` and `month`.
 */
export const GROUP_KEYS = `
      scope = 'tier', sipHash64(1, if(named_portfolio = '', concat('waba ', waba_id), named_portfolio), market, rated_category, month),
      scope = 'allowance', sipHash64(2, toString(phone_number_id), month),
      scope = 'conversations', sipHash64(3, toString(waba_id), month),`;

/**
 * The current marks with the columns that decide their price: `time`, `day`, `market`, `rated_category`, `model`,
 * `needs`, `scope`, `side` and `group_key`, as in the tables of `sql/0007_charges.sql`. One row per message (of a group
 * message: per participant), delivered or not.
 * @param where selects rows of `message_marks`; "time" is the time of delivery, else of sending
 * @param marks a relation to use in place of the marks
 */
export function ratableSql(basis: RatingBasis, where: string, marks = MARKS): string {
  return `
  SELECT *,
    toStartOfMonth(day) AS month,
    transform(waba_id, {wabas:Array(String)}, {portfolios:Array(String)}, '') AS named_portfolio,
    multiIf(
      ${GROUP_KEYS}
      toUInt64(0)) AS group_key
  FROM
  (
    SELECT *,
      ${marketSql('recipient', 'day')} AS market,
      multiIf(
        model = 'message' AND needs = 'rate' AND rated_category IN (${quoted(TIERED_CATEGORIES)}), 'tier',
        policy = 'PMP-2026-10' AND rated_category = 'service' AND type != 'reaction'${basis.echoes === 'apart' ? ' AND is_echo = 0' : ''}, 'allowance',
        policy = 'CBP-2023-06' AND rated_category = 'service' AND needs = 'rate', 'conversations',
        '') AS scope,
      if(billing = 'FREE_ENTRY', 'free_entry', 'charged') AS side
    FROM
    (
      SELECT *,
        ${accountDaySql(basis, 'time', 'waba_id')} AS day,
        ${RATED_CATEGORY} AS rated_category,
        if(startsWith(policy, 'CBP'), 'conversation', 'message') AS model,
        ${NEEDS} AS needs
      FROM (SELECT *, ifNull(delivered_at, sent_at) AS time FROM ${marks} WHERE ${where})
    )
  )`;
}

/** Whether a message has one of the free places of its month. */
const IN_FREE_PLACE = `scope IN ('allowance', 'conversations') AND reached <= ${FREE_PLACES}`;

/**
 * `ratableSql` with `place` and `basis`: the place at which the message's stretch of equal prices begins, found by
 * comparing the message with those that begin a stretch (rules.md M3, M4).
 */
export function placedSql(basis: RatingBasis, where: string, marks = MARKS): string {
  return `
  SELECT *,
    arrayMax(arrayPushBack(
      arrayMap(bound -> if(bound.1 <= (assumeNotNull(delivered_at), toString(phone_number_id), message_id, participant), bound.2, toUInt64(1)), bounds),
      toUInt64(1))) AS reached,
    if(scope = 'tier', reached, toUInt64(0)) AS place,
    multiIf(
      NOT (needs = 'rate' AND ${IN_FREE_PLACE}), needs,
      side = 'free_entry', 'free',
      -- Where Meta's report decides the mark, our count of the allowance does not change it.
      reported IN ('', 'UNKNOWN'), 'allowance',
      needs) AS basis
  FROM (${ratableSql(basis, where, marks)}) AS ratable
  LEFT JOIN
  (
    SELECT group_key, toString(side) AS side,
      groupArray(((delivered_at, phone_number_id, message_id, participant), place)) AS bounds
    FROM place_bounds FINAL WHERE is_reached = 1 GROUP BY group_key, side
  ) AS reached_places
  ON ratable.group_key = reached_places.group_key AND ratable.side = reached_places.side`;
}
