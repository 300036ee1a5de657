import { DateTime } from 'luxon';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { REMOVED_HOURS } from './removed.ts';

/** Hours in a row that must be missing: shorter gaps may be chance. */
const GAP_HOURS = 6;

/** Weeks before and after a month that show which hours usually have events. */
export const USUAL_WEEKS = 4;

const HOUR = 3_600;

/** A time without events, Unix seconds; `to` is exclusive. */
export interface Gap {
  readonly from: number;
  readonly to: number;
  /** Hours in it that usually have events. */
  readonly missing_hours: number;
}

function countBy(hours: Iterable<number>, slotOf: (hour: number) => number): Map<number, number> {
  const counts = new Map<number, number>();
  for (const hour of hours) counts.set(slotOf(hour), (counts.get(slotOf(hour)) ?? 0) + 1);
  return counts;
}

function* hoursBetween(from: number, to: number): Generator<number> {
  for (let hour = from; hour < to; hour += HOUR) yield hour;
}

/** Returns whether an hour usually has events: in more than half of the other weeks, and in two at least. */
function usualHours(active: ReadonlySet<number>, slotOf: (hour: number) => number): (hour: number) => boolean {
  const first = Math.min(...active);
  const end = Math.max(...active) + HOUR;
  const usual = countBy(active, slotOf);
  const all = countBy(hoursBetween(first, end), slotOf);
  return (hour) => {
    const weeks = usual.get(slotOf(hour)) ?? 0;
    return weeks >= 2 && weeks * 2 > (all.get(slotOf(hour)) ?? 0) - 1;
  };
}

/**
 * Whether a gap of a number could be noticed in a month: `GAP_HOURS` of its hours usually have events. Pure.
 * @param active as for {@link gapsOf}
 */
export function isWatched(
  active: ReadonlySet<number>,
  month: { readonly from: number; readonly to: number },
  slotOf: (hour: number) => number,
): boolean {
  const isUsual = usualHours(active, slotOf);
  let usual = 0;
  for (const hour of active) if (hour >= month.from && hour < month.to && isUsual(hour)) usual += 1;
  return usual >= GAP_HOURS;
}

/**
 * Gaps in the events of a number. An hour is missing when it has no event, although the same hour of the week has some
 * in more than half of the other weeks, and in two at least. Only hours between the first and the last given event can
 * be missing. A gap is `GAP_HOURS` missing hours or more with no event between them. Pure.
 * @param active the begins of the hours with events, in the month and some weeks around it, Unix seconds
 * @param month the month to search, Unix seconds
 * @param slotOf gives each hour of the week another name
 */
export function gapsOf(
  active: ReadonlySet<number>,
  month: { readonly from: number; readonly to: number },
  slotOf: (hour: number) => number,
): Gap[] {
  const first = Math.min(...active);
  const end = Math.max(...active) + HOUR;
  const isMissing = usualHours(active, slotOf);
  const gaps: Gap[] = [];
  let missing: number[] = [];
  const close = (): void => {
    const [from] = missing;
    const last = missing.at(-1);
    if (from !== undefined && last !== undefined && missing.length >= GAP_HOURS)
      gaps.push({ from, to: last + HOUR, missing_hours: missing.length });
    missing = [];
  };
  for (const hour of hoursBetween(first, end)) {
    if (hour < month.from || hour >= month.to) continue;
    if (active.has(hour)) close();
    else if (isMissing(hour)) missing.push(hour);
  }
  close();
  return gaps;
}

/** A number in a month, with the gaps in its events. */
export interface WatchedNumber {
  readonly phone_number_id: string;
  /** Whether a gap could be noticed. */
  readonly is_watched: boolean;
  readonly gaps: readonly Gap[];
}

interface ZonedMonth {
  readonly from: number;
  readonly to: number;
  readonly time_zone: string;
}

/** Gaps in the events of some numbers in a month; Unix seconds. */
export async function streamGaps(
  database: Database,
  numbers: readonly string[],
  month: ZonedMonth,
): Promise<(Gap & { readonly phone_number_id: string })[]> {
  return (await watchNumbers(database, numbers, month)).flatMap(({ phone_number_id, gaps }) =>
    gaps.map((gap) => ({ phone_number_id, ...gap })),
  );
}

/** Gaps in the events of all numbers in a month. A number without any event around the month is left out. */
export async function watchNumbers(
  database: Database,
  numbers: readonly string[],
  month: ZonedMonth,
): Promise<WatchedNumber[]> {
  const around = 7 * 24 * USUAL_WEEKS * HOUR;
  const rows = await database.query(
    z.object({ phone_number_id: z.string(), hours: z.array(z.number()) }),
    `SELECT toString(phone_number_id) AS phone_number_id, groupUniqArray(toUnixTimestamp(toStartOfHour(timestamp))) AS hours
     FROM
     (
       SELECT phone_number_id, timestamp FROM events
       WHERE phone_number_id IN {numbers:Array(String)}
         AND timestamp >= toDateTime({from:UInt32}, 'UTC') AND timestamp < toDateTime({to:UInt32}, 'UTC')
       UNION ALL
       SELECT phone_number_id, hour FROM ${REMOVED_HOURS}
       WHERE phone_number_id IN {numbers:Array(String)}
         AND hour >= toStartOfHour(toDateTime({from:UInt32}, 'UTC')) AND hour < toDateTime({to:UInt32}, 'UTC')
     )
     GROUP BY phone_number_id ORDER BY phone_number_id`,
    { numbers, from: month.from - around, to: month.to + around },
  );
  const slots = new Map<number, number>();
  const slotOf = (hour: number): number => {
    const known = slots.get(hour);
    if (known !== undefined) return known;
    const { weekday, hour: ofDay } = DateTime.fromSeconds(hour, { zone: month.time_zone });
    slots.set(hour, weekday * 24 + ofDay);
    return weekday * 24 + ofDay;
  };
  return rows.map(({ phone_number_id, hours }) => {
    const active = new Set(hours);
    return { phone_number_id, is_watched: isWatched(active, month, slotOf), gaps: gapsOf(active, month, slotOf) };
  });
}
