import { DIMENSIONS, type CountedField, type DayCut, type Dimension } from '@ctwa-ledger/schemas/meta.ts';
import { z } from 'zod';
import type { Database, Parameters } from '../clickhouse/database.ts';
import { META_IN_FORCE } from './in-force.ts';
import { dayAfter } from './whole-days.ts';

/** A month of an account that is held against Meta's numbers. */
export interface MatchedMonth {
  readonly waba_id: string;
  readonly field: CountedField;
  /** First day of the month and of the next one, `YYYY-MM-DD`. */
  readonly first_day: string;
  readonly end_day: string;
  /** The zone of the account. */
  readonly time_zone: string;
}

/** The dimensions by which a day is matched, and the imports that give them. */
export interface DayGrain {
  readonly day: string;
  readonly days: DayCut;
  /** Whether its points are for the whole month. */
  readonly is_monthly: boolean;
  /** Dimensions that distinguish its imports from others of the same day. */
  readonly split: readonly Dimension[];
  readonly has_tier: boolean;
  /** When the latest of its imports was stored, Unix milliseconds. */
  readonly stored_at: number;
}

const grainRow = z.object({
  day: z.string(),
  days: z.enum(['account', 'utc']),
  is_monthly: z.number().transform((flag) => flag === 1),
  split: z.array(z.enum(DIMENSIONS)),
  has_tier: z.number().transform((flag) => flag === 1),
  has_points: z.number().transform((flag) => flag === 1),
  stored_at: z.coerce.number(),
});
type GrainRow = z.infer<typeof grainRow>;

/** Whether an import has charged points with a tier, and some without. */
const TIERED = `
  SELECT import_id, countIf(tier != '') AS tiered, countIf(tier = '' AND pricing_type = 'REGULAR') AS untiered, count() AS n
  FROM meta_points FINAL GROUP BY import_id`;

export const MONTH_IN_FORCE = `
  SELECT * FROM (${META_IN_FORCE})
  WHERE waba_id = {waba_id:String} AND field = {field:String} AND day >= {first_day:Date} AND day < {end_day:Date}
    AND (days = 'utc' OR time_zone = {time_zone:String})`;

export function monthParameters(month: MatchedMonth): Parameters {
  return { ...month };
}

/** The finest numbers for a day; of equally fine ones the latest. */
function finest(rows: readonly GrainRow[]): GrainRow | undefined {
  return rows.toSorted((a, b) => b.split.length - a.split.length || b.stored_at - a.stored_at)[0];
}

export function* daysOfMonth({ first_day, end_day }: Pick<MatchedMonth, 'first_day' | 'end_day'>): Generator<string> {
  for (let day = first_day; day < end_day; day = dayAfter(day)) yield day;
}

/**
 * How each day of a month is matched: by day if all days have numbers, else by month if Meta gives one number for the
 * whole month. Days without numbers of Meta's are left out.
 */
export async function readGrain(database: Database, month: MatchedMonth): Promise<readonly DayGrain[]> {
  const rows = await database.query(
    grainRow,
    `SELECT toString(day) AS day, days, is_monthly, split,
        -- Of several imports one without any tier was not asked for it.
        toUInt8(sum(tiered) > 0 AND max(tiered = 0 AND untiered > 0) = 0) AS has_tier, toUInt8(sum(n) > 0) AS has_points,
        toUnixTimestamp64Milli(max(latest_at)) AS stored_at
     FROM (${MONTH_IN_FORCE}) AS in_force LEFT JOIN (${TIERED}) AS facts USING import_id
     GROUP BY day, days, is_monthly, split`,
    monthParameters(month),
  );
  const byDay = (all: readonly GrainRow[]): DayGrain[] =>
    [...daysOfMonth(month)].flatMap((day) => finest(all.filter((row) => row.day === day)) ?? []);
  const daily = byDay(rows.filter((row) => !row.is_monthly));
  const monthly = byDay(rows.filter((row) => row.is_monthly));
  return daily.length === [...daysOfMonth(month)].length || monthly.length === 0 ? daily : monthly;
}
