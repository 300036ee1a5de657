import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { recomputeSome, settle, type Derived, type Recomputation } from '../ledger/derived/derived.ts';
import { readFact, writeFact } from '../ledger/configuration/facts.ts';
import { inMetaTerms } from './meta-terms.ts';
import { readRatingBasis, type RatingBasis } from './basis.ts';
import { arePriced, priceDays } from './priced-days.ts';
import { DIRTY_HOURS, FEW_MESSAGES, placeBounds } from './places.ts';
import { placedSql, ratableSql } from './ratable.ts';
import { newStamp } from '../clickhouse/stamp.ts';

/** The fact with the hash of the basis of the charges. When the basis has another hash, all charges are recomputed. */
const RATED_UNDER = 'rated_under';

const MESSAGES_OF_HOURS = `
    SELECT phone_number_id, message_id FROM messages_by_time
    WHERE (phone_number_id, cell_at) IN
        (SELECT phone_number_id, hour_at + arrayJoin([0, 900, 1800, 2700]) FROM (${DIRTY_HOURS}))`;

/** Delivered messages of the dirty hours, selected by their ids while they are few. */
function ofDirtyHours(isFew: boolean): string {
  const ofHours = `delivered_at IS NOT NULL AND (phone_number_id, toStartOfHour(time)) IN (${DIRTY_HOURS})`;
  return isFew ? `(phone_number_id, message_id) IN (${MESSAGES_OF_HOURS}) AND ${ofHours}` : ofHours;
}

/** The days that an hour may belong to, in the zones of all accounts. */
function daysOfHour(basis: RatingBasis): string {
  const days = ['UTC', ...basis.zones].flatMap((zone) => [
    `toDate(hour_at, '${zone}')`,
    `toDate(hour_at + 3599, '${zone}')`,
  ]);
  return `SELECT DISTINCT phone_number_id, arrayJoin([${days.join(', ')}]) AS day FROM (${DIRTY_HOURS})`;
}

/** Counts the messages of the dirty hours again. */
function countedSql(basis: RatingBasis, isFew: boolean): string {
  return `
INSERT INTO counted_hours (group_key, side, hour_at, phone_number_id, scope, market, category, version, messages)
SELECT group_key, side, hour, phone_number_id, any(scope), any(market), any(category), {version:UInt64}, sum(n)
FROM
(
    SELECT group_key, side, toStartOfHour(time) AS hour, toString(phone_number_id) AS phone_number_id, scope,
        toString(market) AS market, toString(rated_category) AS category, 1 AS n
    FROM (${ratableSql(basis, ofDirtyHours(isFew))}) WHERE group_key != 0
    UNION ALL
    SELECT group_key, toString(side), hour_at, toString(phone_number_id), toString(scope), toString(market), toString(category), 0
    FROM counted_hours FINAL
    WHERE (phone_number_id, hour_at) IN (${DIRTY_HOURS}) AND messages > 0
)
GROUP BY group_key, side, hour, phone_number_id`;
}

/** The key of a row of `charge_hours`. */
const KEY = [
  'phone_number_id',
  'day',
  'hour',
  'waba_id',
  'market',
  'category',
  'billing',
  'model',
  'basis',
  'place',
  'ad_id',
  'source_type',
  'country',
  'meta_type',
  'meta_category',
];

/** Recomputes the dirty hours. A key that an hour no longer has is written with a volume of 0. */
function hoursSql(basis: RatingBasis, isFew: boolean): string {
  return `
INSERT INTO charge_hours (${KEY.join(', ').replace('hour,', 'hour_at,')}, version, volume)
SELECT ${KEY.map((column) => `any(${column})`).join(', ')}, {version:UInt64}, sum(n)
FROM
(
    SELECT toString(phone_number_id) AS phone_number_id, day, toStartOfHour(time) AS hour, toString(waba_id) AS waba_id,
        toString(market) AS market, toString(rated_category) AS category, toString(billing) AS billing, toString(model) AS model,
        toString(basis) AS basis, place,
        -- What was saved is the merit of the ad whose window it was saved in.
        if(billing = 'FREE_ENTRY', toString(ad_id), '') AS ad_id, if(billing = 'FREE_ENTRY', toString(source_type), '') AS source_type,
        country, meta_type, meta_category, 1 AS n
    FROM (${inMetaTerms(basis, placedSql(basis, ofDirtyHours(isFew)))})
    UNION ALL
    SELECT toString(phone_number_id), day, hour_at, toString(waba_id), toString(market), toString(category), toString(billing),
        toString(model), toString(basis), place, toString(ad_id), toString(source_type), toString(country), toString(meta_type), toString(meta_category), 0
    FROM charge_hours FINAL
    WHERE (phone_number_id, day) IN (${daysOfHour(basis)}) AND (phone_number_id, hour_at) IN (${DIRTY_HOURS}) AND volume > 0
)
-- One number in place of all columns of the key: half the work.
GROUP BY sipHash128(${KEY.join(', ')})`;
}

const DAY_KEY =
  'phone_number_id, day, waba_id, market, category, billing, model, basis, place, ad_id, source_type, country, meta_type, meta_category';

/** Computes days from their hours. */
function daysSql(where: string): string {
  return `
INSERT INTO charge_days (${DAY_KEY}, version, volume)
SELECT ${DAY_KEY}, {version:UInt64}, sum(n)
FROM
(
    SELECT ${DAY_KEY}, volume AS n FROM charge_hours FINAL WHERE ${where}
    UNION ALL
    SELECT ${DAY_KEY}, 0 FROM charge_days FINAL WHERE ${where} AND volume > 0
)
GROUP BY ${DAY_KEY}
SETTINGS do_not_merge_across_partitions_select_final = 1`;
}

/**
 * Notes the dirty hours in which prices moved, so that readers of changes get their messages. After the places were
 * written: who reads the new prices before this note gets the messages once more, never once too few.
 */
const REPRICED = `
INSERT INTO repriced_hours (phone_number_id, hour_at)
SELECT DISTINCT phone_number_id, hour_at FROM dirty_charges
WHERE has(arrayMap(s -> toUInt64(s), {stamps:Array(String)}), stamp) AND is_repriced = 1`;

async function areFew(database: Database, stamps: readonly string[]): Promise<boolean> {
  const [messages] = await database.query(
    z.object({ n: z.coerce.number() }),
    `SELECT count() AS n FROM (${MESSAGES_OF_HOURS})`,
    { stamps },
  );
  return messages !== undefined && messages.n <= FEW_MESSAGES;
}

/**
 * Makes every hour with a message dirty, and deletes what was counted in other groups and days, so that it is not read
 * again. Reports read the old days until the new ones are written.
 */
async function beginAnew(database: Database): Promise<string> {
  // Written before the work, so that a process killed in the middle leaves it marked as unfinished.
  await writeFact(database, RATED_UNDER, '');
  for (const table of ['counted_hours', 'place_bounds', 'charge_hours'])
    await database.command(`TRUNCATE TABLE ${table}`);
  const stamp = newStamp().toString();
  await database.command(
    `INSERT INTO dirty_charges (stamp, phone_number_id, hour_at, is_repriced)
     SELECT DISTINCT {stamp:UInt64}, phone_number_id, toStartOfHour(cell_at), 1 FROM messages_by_time`,
    { stamp },
  );
  return stamp;
}

/** The cost of messages per hour and day (rules.md 5). Recomputed when marks, accounts, cards or markets change. */
const CHARGES: Derived = {
  name: 'charges',
  dirt: 'dirty_charges',
  time: 'hour_at',
  // A place depends on all hours before it in its month: recomputing the last ones first would do most of them twice.
  most: Infinity,
  async recompute(database, { stamps }, version) {
    const basis = await readRatingBasis(database);
    const isOther = (await readFact(database, RATED_UNDER)) !== basis.hash;
    const seen = isOther ? [...stamps, await beginAnew(database)] : stamps;
    const isFew = await areFew(database, seen);
    await database.command(countedSql(basis, isFew), { ...basis.parameters, stamps: seen, version });
    const moved = await placeBounds(database, basis, seen, version);
    const dirty = moved === null ? seen : [...seen, moved];
    const parameters = { ...basis.parameters, stamps: dirty, version };
    await database.command(REPRICED, { stamps: dirty });
    await database.command(hoursSql(basis, isFew && (await areFew(database, dirty))), parameters);
    const days = isOther ? 'true' : `(phone_number_id, day) IN (${daysOfHour(basis)})`;
    await database.command(daysSql(days), parameters);
    await priceDays(database, basis, days, parameters);
    if (isOther) await writeFact(database, RATED_UNDER, basis.hash);
    return dirty;
  },
};

/** How many hours of numbers have dirty charges. */
export async function dirtyChargeHours(database: Database): Promise<number> {
  const [row] = await database.query(
    z.object({ n: z.coerce.number() }),
    'SELECT uniqExact(phone_number_id, hour_at) AS n FROM dirty_charges',
  );
  return row?.n ?? 0;
}

/** Makes charges dirty that were computed or priced under other accounts, cards or markets. */
async function noticeOtherBasis(database: Database): Promise<void> {
  const basis = await readRatingBasis(database);
  const [ratedUnder, isPriced] = await Promise.all([readFact(database, RATED_UNDER), arePriced(database, basis)]);
  if (ratedUnder === basis.hash && isPriced) return;
  // A row without a number stands for all hours. Which ones these are is found under the lease.
  await database.insertLines(
    'dirty_charges',
    ['stamp', 'phone_number_id', 'hour_at'],
    `${JSON.stringify([newStamp().toString(), '', 0])}\n`,
  );
}

/** Recomputes the charges of the dirty hours, or of all hours when the basis has changed. */
export async function recomputeCharges(database: Database): Promise<Recomputation> {
  await noticeOtherBasis(database);
  return recomputeSome(database, CHARGES);
}

/** Recomputes until nothing is dirty that was dirty when it was called. */
export async function settleCharges(database: Database): Promise<void> {
  await noticeOtherBasis(database);
  await settle(database, CHARGES);
}
