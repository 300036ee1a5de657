import { restatementRow } from '@ctwa-ledger/schemas/meta.ts';
import type { Database } from '../clickhouse/database.ts';
import { givenValues } from '@ctwa-ledger/schemas/asked.ts';
import { daysOf } from '../reports/sql.ts';
import { reportPaging, type PageKey } from '../reports/paging.ts';
import { streamed, type AskedRows, type Batch } from '../reports/report.ts';
import { NAMED_NUMBERS, SPOKEN_DAYS } from './in-force.ts';
import { utcText } from '../clickhouse/sql.ts';

const KEYS: readonly PageKey[] = [
  'waba_id',
  'field',
  'day',
  'phone_number',
  'country',
  'category',
  'pricing_type',
  'tier',
  'after_at',
  'after_id',
].map((column) => ({ sql: `toString(${column})`, type: 'String' }));

/**
 * Imports that cover the days of the filters, one row for each day. Sets of dimensions are not distinguished by tier.
 */
const SPOKEN = `
  SELECT import_id, waba_id, field, days, time_zone, is_monthly, day, imported_at,
    arrayFilter(dimension -> dimension != 'tier', dimensions) AS split, toUInt8(has(dimensions, 'tier')) AS has_tier
  FROM (${SPOKEN_DAYS})
  WHERE day >= {first_day:Date} AND day < {end_day:Date} AND ({is_any_account:UInt8} OR waba_id IN {accounts:Array(String)})`;

const SEQUENCE = 'waba_id, field, days, time_zone, is_monthly, split, day';
const BEFORE = `
    lagInFrame(import_id) OVER snapshots AS before_id, lagInFrame(imported_at) OVER snapshots AS before_at,
    lagInFrame(has_tier) OVER snapshots AS before_has_tier`;
const inOrder = (key: string): string =>
  `WINDOW snapshots AS (PARTITION BY ${key} ORDER BY imported_at, import_id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)`;

/** For a day and number, each import with the number beside the one before it with that number. */
const NAMED_AGAIN = `
  SELECT waba_id, field, day, phone_number, before_id, after_id, before_at, after_at,
    toUInt8(before_has_tier AND has_tier) AS by_tier, toUInt8(0) AS is_gone
  FROM
  (
    SELECT ${SEQUENCE}, phone_number, import_id AS after_id, imported_at AS after_at, has_tier, ${BEFORE}
    FROM (${SPOKEN}) AS spoken
    INNER JOIN (${NAMED_NUMBERS}) AS named USING import_id
    ${inOrder(`${SEQUENCE}, phone_number`)}
  )
  WHERE before_id != ''`;

/** For a day, each import beside the one before, with the numbers that only the earlier one has. */
const NAMED_NO_MORE = `
  SELECT waba_id, field, day, phone_number, before_id, after_id, before_at, after_at, toUInt8(before_has_tier) AS by_tier, toUInt8(1) AS is_gone
  FROM
  (
    SELECT ${SEQUENCE}, import_id AS after_id, imported_at AS after_at, has_tier, ${BEFORE}
    FROM (${SPOKEN}) AS spoken
    ${inOrder(SEQUENCE)}
  ) AS pairs
  INNER JOIN (${NAMED_NUMBERS}) AS named ON pairs.before_id = named.import_id
  WHERE before_id != '' AND (after_id, phone_number) NOT IN (${NAMED_NUMBERS})`;

const PAIR = 'waba_id, field, day, phone_number, before_id, after_id, before_at, after_at, is_gone';

/** The points of one side of the pairs. */
function sideOf(side: 'before' | 'after'): string {
  const other = side === 'before' ? 'after' : 'before';
  return `
    SELECT pairs.waba_id AS waba_id, pairs.field AS field, pairs.day AS day, pairs.phone_number AS phone_number,
      before_id, after_id, before_at, after_at, is_gone,
      toString(points.country) AS country, toString(points.category) AS category, toString(points.pricing_type) AS pricing_type,
      if(by_tier, toString(points.tier), '') AS tier,
      toInt64(points.volume) AS ${side}_n, toInt64(0) AS ${other}_n, toUInt8(1) AS has_${side}, toUInt8(0) AS has_${other},
      points.cost AS ${side}_amount, CAST(NULL AS Nullable(Decimal(38, 12))) AS ${other}_amount
    FROM pairs
    INNER JOIN (SELECT * FROM meta_points FINAL WHERE day >= {first_day:Date} AND day < {end_day:Date}) AS points
      ON points.import_id = pairs.${side}_id AND points.day = pairs.day AND points.phone_number = pairs.phone_number`;
}

const SIDES = `SELECT ${PAIR}, country, category, pricing_type, tier, before_n, after_n, has_before, has_after, before_amount, after_amount`;

/**
 * Report `restatements`, streamed: days for which Meta's later numbers differ from earlier ones, in imports of the
 * account that are not withdrawn. Each import is compared with the one before it for the same day, number and
 * dimensions.
 */
export async function* restatements(database: Database, { filters, page }: AskedRows): AsyncGenerator<Batch> {
  const { also, where, order, parameters } = reportPaging(page, KEYS);
  yield* database.stream(
    `WITH pairs AS (SELECT * FROM (${NAMED_AGAIN}) UNION ALL SELECT * FROM (${NAMED_NO_MORE}))
     SELECT waba_id, field, toString(day), phone_number, country, category, pricing_type, tier,
       multiIf(is_gone, 'number_gone', NOT was_there, 'appeared', NOT is_there, 'vanished', 'changed') AS change,
       if(was_there, toString(before_volume), '0') AS volume_before, if(is_gone, '', toString(after_volume)) AS volume_after,
       if(is_gone, '', toString(after_volume - before_volume)) AS volume_change,
       ifNull(toString(before_cost), '') AS cost_before, ifNull(toString(after_cost), '') AS cost_after,
       -- What has no point costs nothing, what has no cost is not known.
       if(is_gone OR (was_there AND before_cost IS NULL) OR (is_there AND after_cost IS NULL), '',
         toString(ifNull(after_cost, 0) - ifNull(before_cost, 0))) AS cost_change,
       before_id, ${utcText('before_at')}, after_id, ${utcText('after_at')}${also}
     FROM
     (
       SELECT ${PAIR}, country, category, pricing_type, tier, sum(before_n) AS before_volume, sum(after_n) AS after_volume,
         sum(before_amount) AS before_cost, sum(after_amount) AS after_cost, max(has_before) AS was_there, max(has_after) AS is_there
       FROM (${SIDES} FROM (${sideOf('before')}) UNION ALL ${SIDES} FROM (${sideOf('after')} WHERE NOT is_gone))
       GROUP BY ${PAIR}, country, category, pricing_type, tier
       HAVING is_gone OR before_volume != after_volume OR isNull(before_cost) != isNull(after_cost) OR ifNull(before_cost, 0) != ifNull(after_cost, 0)
     )
     WHERE ${where}
     ${order}`,
    {
      ...daysOf(filters),
      ...parameters,
      accounts: givenValues(filters.waba_id),
      is_any_account: filters.waba_id == null ? 1 : 0,
    },
  );
}

export const restatementsReport = streamed({
  name: 'restatements',
  one_row_per: 'figure of a day that Meta says otherwise than in the import before',
  row: restatementRow,
  days: 'own',
  filters: ['waba_id'],
  settles: [],
  reads: ['meta_imports', 'meta_points'],
  rows: restatements,
});
