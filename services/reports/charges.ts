import type { ReportFilters } from '@ctwa-ledger/schemas/reports.ts';
import type { Database, Parameters } from '../ledger/database.ts';
import { readRatingBasis } from '../rating/basis.ts';
import { pricedSql } from '../rating/pricing.ts';
import { placedSql } from '../rating/ratable.ts';
import { FROM, parametersOf, readQuery, TO } from './sql.ts';

export const CHARGES_COLUMNS = [
  'day',
  'waba_id',
  'phone_number_id',
  'market',
  'category',
  'billing',
  'tier',
  'volume',
  'rate',
  'list_cost',
  'billed_cost',
  'savings',
  'currency',
  'rate_card',
  'unrated',
] as const;

const CHARGES = readQuery('charges');

/** Days of the accounts' own zones, as they are kept. */
const KEPT_DAYS = `
  SELECT day, day AS charge_day, waba_id, phone_number_id, market, category, billing, model, basis, place, ad_id, source_type, volume
  FROM charge_days FINAL
  WHERE day >= {first_day:Date} AND day < {end_day:Date}
  SETTINGS do_not_merge_across_partitions_select_final = 1`;

const FIRST_DAY = '1970-01-01';
const END_DAY = '2149-06-01';

/**
 * A query of delivered messages with their price, for the range of the filters: `charge_day`, `waba_id`, `phone_number_id`,
 * `market`, `category` (rated), `billing`, `ad_id` and `source_type` (of free entry messages), `volume`, and what
 * `pricedSql` adds. Every report of amounts sums these.
 */
export async function pricedCharges(
  database: Database,
  filters: ReportFilters,
): Promise<{ readonly sql: string; readonly parameters: Parameters }> {
  const basis = await readRatingBasis(database);
  const parameters = { ...parametersOf(filters), ...basis.parameters };
  if (filters.is_tz_given !== true)
    return {
      sql: pricedSql(KEPT_DAYS, 'category'),
      parameters: { ...parameters, first_day: filters.from ?? FIRST_DAY, end_day: filters.to ?? END_DAY },
    };
  // A price is that of the account's own day, whatever days are asked for.
  const messages = `
  SELECT day, toDate(delivered_at, {tz:String}) AS charge_day, waba_id, phone_number_id, market, rated_category AS category,
    billing, model, basis, place, if(billing = 'FREE_ENTRY', ad_id, '') AS ad_id,
    if(billing = 'FREE_ENTRY', source_type, '') AS source_type, toUInt64(1) AS volume
  FROM (${placedSql(basis, `delivered_at >= ${FROM} AND delivered_at < ${TO}`)})`;
  return { sql: pricedSql(messages, 'category'), parameters };
}

/**
 * Report `charges`, streamed: `CHARGES_COLUMNS` as text. Days are those of each account's zone, unless a zone is asked for.
 * Settle the charges first.
 */
export async function* charges(database: Database, filters: ReportFilters): AsyncGenerator<(readonly unknown[])[]> {
  const { sql, parameters } = await pricedCharges(database, filters);
  yield* database.stream(
    CHARGES.replace('%priced%', () => sql),
    parameters,
  );
}
