/**
 * Charges of days with their prices, as they are stored: a report of amounts sums them up instead of searching for the
 * card of each row. Rows carry the prices under which they were written, so that a report that reads while cards change
 * sees one state of the cards or the other, never some rows of each.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Database, Parameters } from '../clickhouse/database.ts';
import { newStamp } from '../clickhouse/stamp.ts';
import type { RatingBasis } from './basis.ts';
import { pricedSql } from './pricing.ts';

/** Stands for no prices: days are being written. */
export const BEING_WRITTEN = '0';

const KEY = 'day, phone_number_id, waba_id, market, category, billing, model, basis, place, ad_id, source_type';
const PRICE = 'currency, card, tier, rate, unrated';

/** Identifies cards, currencies and the way in which a price is found; decimal digits that fit UInt64. */
function pricesOf(basis: RatingBasis): string {
  const hash = createHash('sha256').update(basis.prices).update(pricedSql('', '')).digest('hex');
  return BigInt(`0x${hash.slice(0, 16)}`).toString();
}

/** The prices under which all days are stored; {@link BEING_WRITTEN} while they are being written. */
export async function pricedUnder(database: Database): Promise<string> {
  const [row] = await database.query(
    z.object({ prices: z.string() }),
    'SELECT toString(prices) AS prices FROM priced_under FINAL',
  );
  return row?.prices ?? BEING_WRITTEN;
}

/** Says under which prices all days are stored, decimal digits; {@link BEING_WRITTEN} before they are written anew. */
export function setPricedUnder(database: Database, prices: string): Promise<void> {
  return database.command('INSERT INTO priced_under (prices, version) SELECT {prices:UInt64}, {version:UInt64}', {
    prices,
    version: newStamp().toString(),
  });
}

/** Whether all days are stored under the prices of the basis. */
export async function arePriced(database: Database, basis: RatingBasis): Promise<boolean> {
  return (await pricedUnder(database)) === pricesOf(basis);
}

/**
 * A query of stored days with the columns of `pricedSql`, `charge_day` and `volume`, for a basis under which they are
 * priced.
 * @param where selects rows by the columns of charges
 */
export function storedDays(
  basis: RatingBasis,
  where: string,
): { readonly sql: string; readonly parameters: Parameters } {
  return {
    sql: `
  SELECT ${KEY}, ${PRICE}, day AS charge_day, priced_days.volume AS volume
  FROM priced_days FINAL
  WHERE prices = {prices:UInt64} AND day >= {first_day:Date} AND day < {end_day:Date} AND ${where}
  SETTINGS do_not_merge_across_partitions_select_final = 1`,
    parameters: { prices: pricesOf(basis) },
  };
}

function storeDays(database: Database, basis: RatingBasis, where: string, parameters: Parameters): Promise<void> {
  const charges = `
  SELECT ${KEY}, sum(charge_days.volume) AS volume
  FROM charge_days FINAL WHERE ${where}
  GROUP BY ${KEY}
  SETTINGS do_not_merge_across_partitions_select_final = 1`;
  return database.command(
    `INSERT INTO priced_days (prices, ${KEY}, ${PRICE}, version, volume)
     SELECT {prices:UInt64}, ${KEY}, ${PRICE}, {version:UInt64}, volume FROM (${pricedSql(charges, 'category')})`,
    { ...basis.parameters, ...parameters, prices: pricesOf(basis) },
  );
}

/**
 * Stores the days again whose charges were recomputed, or all days if they are stored under other prices.
 * @param recomputed selects the rows of `charge_days` that were recomputed
 * @param parameters of `recomputed`, and `version` of what is written
 */
export async function priceDays(
  database: Database,
  basis: RatingBasis,
  recomputed: string,
  parameters: Parameters,
): Promise<void> {
  const prices = pricesOf(basis);
  const before = await pricedUnder(database);
  if (before === prices) {
    await storeDays(database, basis, recomputed, parameters);
    return;
  }
  // Reports may still read the rows of the last prices; those of older ones are read by nobody.
  await database.command('DELETE FROM priced_days WHERE prices NOT IN ({last:UInt64}, {prices:UInt64})', {
    last: before,
    prices,
  });
  // Written before the work: a process killed in the middle leaves days of these prices that are out of date.
  await setPricedUnder(database, BEING_WRITTEN);
  await storeDays(database, basis, 'true', parameters);
  await setPricedUnder(database, prices);
}
