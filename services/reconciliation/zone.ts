import { DateTime } from 'luxon';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { sizeOf } from './amounts.ts';
import { keyInGrain, pointKey, type JudgedRow } from './differences.ts';
import { monthParameters, type DayGrain, type MatchedMonth } from './grain.ts';
import type { NumberNames } from './numbers.ts';
import { usualZones } from './whole-days.ts';

/** A zone in which our days agree with Meta's. */
export interface FittingZone {
  readonly zone: string;
  /** ours − Meta's by `pointKey`, with the days of that zone. */
  readonly differenceOf: (key: string) => bigint;
}

/** A zone fits if no more than one in so many of the differences is left. */
const LEAVES_ONE_IN = 10n;

/** Whether hourly charges can be separated at the midnights of a zone. */
function isOfWholeHours(zone: string, { first_day, end_day }: MatchedMonth): boolean {
  return [first_day, end_day].every((day) => DateTime.fromISO(day, { zone }).offset % 60 === 0);
}

const cellRow = z.object({
  of_day: z.string(),
  number: z.string(),
  country: z.string(),
  category: z.string(),
  pricing_type: z.string(),
  volume: z.string().transform((text) => BigInt(text)),
});
type Cell = z.infer<typeof cellRow>;

/** Our messages by the days of a zone; by day alone, or by all dimensions of Meta's points. */
function readCells(
  database: Database,
  month: MatchedMonth,
  days: readonly string[],
  numbers: NumberNames,
  zone: string,
  isSplit: boolean,
): Promise<Cell[]> {
  const day = zone === month.time_zone ? 'day' : `toDate(hour_at, '${zone}')`;
  const split = (sql: string): string => (isSplit ? sql : "''");
  return database.query(
    cellRow,
    `SELECT toString(${day}) AS of_day,
        ${split('transform(toString(phone_number_id), {ids:Array(String)}, {displays:Array(String)}, toString(phone_number_id))')} AS number,
        ${split('toString(charge_hours.country)')} AS country, ${split('toString(meta_category)')} AS category,
        ${split('toString(meta_type)')} AS pricing_type, toString(sum(charge_hours.volume)) AS volume
     FROM charge_hours FINAL
     WHERE waba_id = {waba_id:String} AND day >= {first_day:Date} - 2 AND day <= {end_day:Date} + 1
       AND meta_type NOT IN ('', 'COVERED') AND NOT startsWith(toString(meta_type), 'CONVERSATION_')
     GROUP BY of_day, number, country, category, pricing_type
     HAVING of_day IN {days:Array(String)} AND sum(charge_hours.volume) > 0`,
    {
      ...monthParameters(month),
      days,
      ids: [...numbers.displayOf.keys()],
      displays: [...numbers.displayOf.values()],
    },
  );
}

class Sums {
  readonly #sums = new Map<string, bigint>();

  add(key: string, volume: bigint): void {
    this.#sums.set(key, this.of(key) + volume);
  }

  of(key: string): bigint {
    return this.#sums.get(key) ?? 0n;
  }

  /** Sum of the absolute differences to other sums. */
  awayFrom(others: Sums): bigint {
    const keys = new Set([...this.#sums.keys(), ...others.#sums.keys()]);
    return [...keys].reduce((sum, key) => sum + sizeOf(this.of(key) - others.of(key)), 0n);
  }
}

function sumsOf(
  rows: readonly JudgedRow[],
  key: (row: JudgedRow) => string,
): { readonly ours: Sums; readonly metas: Sums } {
  const [ours, metas] = [new Sums(), new Sums()];
  for (const row of rows) {
    ours.add(key(row), row.our_volume);
    metas.add(key(row), row.meta_volume);
  }
  return { ours, metas };
}

/**
 * The zone that explains the differences of a month, among the usual zones of accounts: the one that leaves the fewest,
 * if these are few enough.
 * @param rows all rows of the month, also those that agree, because another zone must not make them differ
 */
export async function readZone(
  database: Database,
  month: MatchedMonth,
  grain: readonly DayGrain[],
  numbers: NumberNames,
  rows: readonly JudgedRow[],
): Promise<FittingZone | null> {
  if (grain.some(({ is_monthly }) => is_monthly)) return null;
  const own = grain.some(({ days }) => days === 'utc') ? 'UTC' : month.time_zone;
  const days = grain.map(({ day }) => day);
  const daily = sumsOf(rows, ({ day }) => day);
  const before = daily.ours.awayFrom(daily.metas);
  // First by day alone: few numbers show which zone it may be.
  let best: { readonly zone: string; readonly left: bigint } | null = null;
  for (const zone of usualZones(month.time_zone)) {
    if (zone === own || (zone !== month.time_zone && !isOfWholeHours(zone, month))) continue;
    const ours = new Sums();
    for (const { of_day, volume } of await readCells(database, month, days, numbers, zone, false))
      ours.add(of_day, volume);
    const left = ours.awayFrom(daily.metas);
    if (best === null || left < best.left) best = { zone, left };
  }
  if (best === null || best.left * LEAVES_ONE_IN > before || before === 0n) return null;
  const { zone } = best;
  const grainOf = new Map(grain.map((day) => [day.day, day]));
  const { ours: current, metas } = sumsOf(rows, pointKey);
  const ours = new Sums();
  for (const { of_day, number, volume, ...message } of await readCells(database, month, days, numbers, zone, true)) {
    const day = grainOf.get(of_day);
    if (day !== undefined) ours.add(pointKey(keyInGrain(day, { ...message, phone_number: number })), volume);
  }
  if (ours.awayFrom(metas) * LEAVES_ONE_IN > current.awayFrom(metas)) return null;
  return { zone, differenceOf: (key) => ours.of(key) - metas.of(key) };
}
