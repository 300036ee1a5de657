import { z } from 'zod';
import type { Database } from '../ledger/database.ts';
import { newStamp, recompute, settle, type Derived, type Recomputation } from '../ledger/derived.ts';
import { readFact, writeFact } from '../ledger/facts.ts';
import { readRatingBasis, type RatingBasis } from './basis.ts';
import { FEW_MESSAGES, placeBounds } from './places.ts';
import { placedSql } from './ratable.ts';

/** The hash of what the charges stand on; with another one all of them are recomputed. */
const RATED_UNDER = 'rated_under';

const DIRTY_HOURS =
  'SELECT phone_number_id, hour_at FROM dirty_charges WHERE has(arrayMap(s -> toUInt64(s), {stamps:Array(String)}), stamp)';

const MESSAGES_OF_HOURS = `
    SELECT phone_number_id, message_id FROM message_cells
    WHERE (phone_number_id, cell_at) IN
        (SELECT phone_number_id, hour_at + arrayJoin([0, 900, 1800, 2700]) FROM (${DIRTY_HOURS}))`;

/** What a row of `charge_hours` is keyed by, after its number and hour. */
const KEY = 'day, waba_id, market, category, billing, model, basis, scope, place, ad_id, source_type';

/** Recomputes the dirty hours. Keys that stood in an hour and stand in it no more are written with a volume of 0. */
function hoursSql(basis: RatingBasis, isFew: boolean): string {
  const ofHours = `(phone_number_id, toStartOfHour(time)) IN (${DIRTY_HOURS})`;
  const where = isFew ? `(phone_number_id, message_id) IN (${MESSAGES_OF_HOURS}) AND ${ofHours}` : ofHours;
  return `
INSERT INTO charge_hours (phone_number_id, hour_at, ${KEY}, group_key, version, volume)
SELECT phone_number_id, hour, ${KEY}, max(group), {version:UInt64}, sum(n)
FROM
(
    SELECT toString(phone_number_id) AS phone_number_id, toStartOfHour(time) AS hour, day, toString(waba_id) AS waba_id,
        toString(market) AS market, toString(rated_category) AS category, toString(billing) AS billing, toString(model) AS model,
        toString(basis) AS basis, toString(scope) AS scope, place,
        -- What was saved is the merit of the ad whose window it was saved in.
        if(billing = 'FREE_ENTRY', toString(ad_id), '') AS ad_id, if(billing = 'FREE_ENTRY', toString(source_type), '') AS source_type,
        group_key AS group, 1 AS n
    FROM (${placedSql(basis, `delivered_at IS NOT NULL AND ${where}`)})
    UNION ALL
    SELECT toString(phone_number_id), hour_at, day, toString(waba_id), toString(market), toString(category), toString(billing),
        toString(model), toString(basis), toString(scope), place, toString(ad_id), toString(source_type), group_key, 0
    FROM charge_hours FINAL
    WHERE (phone_number_id, hour_at) IN (${DIRTY_HOURS}) AND volume > 0
)
GROUP BY phone_number_id, hour, ${KEY}`;
}

/** The days of the dirty hours, from their hours. */
const DAYS = `
INSERT INTO charge_days (phone_number_id, day, waba_id, market, category, billing, model, basis, place, ad_id, source_type, version, volume)
SELECT phone_number_id, day, waba_id, market, category, billing, model, basis, place, ad_id, source_type, {version:UInt64}, sum(charge_hours.volume)
FROM charge_hours FINAL
WHERE (phone_number_id, day) IN
    (SELECT DISTINCT phone_number_id, day FROM charge_hours WHERE (phone_number_id, hour_at) IN (${DIRTY_HOURS}))
GROUP BY phone_number_id, day, waba_id, market, category, billing, model, basis, place, ad_id, source_type
SETTINGS do_not_merge_across_partitions_select_final = 1`;

async function writeHours(
  database: Database,
  basis: RatingBasis,
  stamps: readonly string[],
  version: string,
): Promise<void> {
  const [messages] = await database.query(
    z.object({ n: z.coerce.number() }),
    `SELECT count() AS n FROM (${MESSAGES_OF_HOURS})`,
    { stamps },
  );
  await database.command(hoursSql(basis, (messages?.n ?? 0) <= FEW_MESSAGES), {
    ...basis.parameters,
    stamps,
    version,
  });
}

/** Makes every hour with a message dirty, and those that hold charges. */
async function soilAll(database: Database): Promise<string> {
  const stamp = newStamp().toString();
  await database.command(
    `INSERT INTO dirty_charges
     SELECT DISTINCT {stamp:UInt64}, phone_number_id, hour
     FROM (SELECT phone_number_id, toStartOfHour(cell_at) AS hour FROM message_cells
           UNION ALL SELECT phone_number_id, hour_at FROM charge_hours)`,
    { stamp },
  );
  return stamp;
}

/** What messages cost, per hour and day (rules.md 5): re-run whenever marks, accounts, tiers or markets change. */
const CHARGES: Derived = {
  name: 'charges',
  dirt: 'dirty_charges',
  async recompute(database, stamps, version) {
    const basis = await readRatingBasis(database);
    const isOther = (await readFact(database, RATED_UNDER)) !== basis.hash;
    const clean = isOther ? [...stamps, await soilAll(database)] : [...stamps];
    let dirty: readonly string[] = clean;
    for (;;) {
      await writeHours(database, basis, dirty, version);
      const moved = await placeBounds(database, basis, dirty, version);
      await database.command(DAYS, { stamps: dirty, version });
      if (moved === null) break;
      clean.push(moved);
      dirty = [moved];
    }
    if (isOther) await writeFact(database, RATED_UNDER, basis.hash);
    return clean;
  },
};

/** Sees to it that charges computed under other accounts, tiers or markets are not taken for clean. */
async function noticeOtherBasis(database: Database): Promise<void> {
  const { hash } = await readRatingBasis(database);
  if ((await readFact(database, RATED_UNDER)) === hash) return;
  // An hour of no number: which hours that means is found under the lease.
  await database.insertLines(
    'dirty_charges',
    ['stamp', 'phone_number_id', 'hour_at'],
    `${JSON.stringify([newStamp().toString(), '', 0])}\n`,
  );
}

/** Recomputes the charges of the dirty hours, of all hours when what they stand on has changed. */
export async function recomputeCharges(database: Database): Promise<Recomputation> {
  await noticeOtherBasis(database);
  return recompute(database, CHARGES);
}

/** Recomputes until no charge is dirty that was dirty when it was called. */
export async function settleCharges(database: Database): Promise<void> {
  await noticeOtherBasis(database);
  await settle(database, CHARGES);
}
