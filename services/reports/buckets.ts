import { DateTime, Info, type Zone } from 'luxon';
import { z } from 'zod';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import {
  dayTotalsRow,
  type BucketRows,
  type DayTotalsRow,
  type HourTotalsRow,
  type WeekTotalsRow,
} from '@ctwa-ledger/schemas/figures.ts';
import { END_DAY, FIRST_DAY_OF_EVENTS } from '@ctwa-ledger/schemas/time-limits.ts';
import { CELL_SECONDS } from '../ledger/derived/summaries.ts';
import { rangeOf } from './sql.ts';

/** Hours, days and weeks of a range: named in a zone, in order, including those in which nothing happened. */

const totals = dayTotalsRow.omit({ day: true });
export const bucketRow = totals.extend({
  bucket: z.string(),
  /** Its first cell, Unix seconds. */
  first_at: z.number(),
});
export type BucketRow = z.infer<typeof bucketRow>;

const NOTHING: Omit<DayTotalsRow, 'day'> = {
  ad_conversations: 0,
  replied: 0,
  mature: 0,
  pending: 0,
  reply_rate: null,
  median_seconds_to_reply: null,
  windows_opened: 0,
  windows_confirmed: 0,
  messages: 0,
  delivered: 0,
  billable: 0,
  free_entry: 0,
  free_service: 0,
  covered: 0,
  unknown: 0,
  mismatches: 0,
  saved_from_charge: 0,
};

function latest(day: string | undefined, bound: string): string | undefined {
  return day !== undefined && day < bound ? bound : day;
}

function earliest(day: string | undefined, bound: string): string | undefined {
  return day !== undefined && day > bound ? bound : day;
}

function dayAfter(day: string): string {
  return DateTime.fromISO(day, { zone: 'utc' }).plus({ days: 1 }).toFormat('yyyy-MM-dd');
}

function weekAfter(day: string): string {
  return DateTime.fromISO(day, { zone: 'utc' }).plus({ weeks: 1 }).toFormat('yyyy-MM-dd');
}

/** Buckets named by their first day, including those between them in which nothing happened. */
function filled(
  rows: readonly BucketRow[],
  filters: ReportFilters,
  firstOf: (day: string) => string,
  after: (day: string) => string,
): { readonly name: string; readonly figures: Omit<DayTotalsRow, 'day'> }[] {
  const [first, last] = [rows[0]?.bucket, rows.at(-1)?.bucket];
  const from = latest(filters.from ?? first, FIRST_DAY_OF_EVENTS);
  const to = earliest(filters.to ?? (last === undefined ? undefined : dayAfter(last)), END_DAY);
  if (from === undefined || to === undefined) return [];
  const known = new Map(rows.map(({ bucket, first_at: _, ...figures }) => [bucket, figures]));
  const buckets = [];
  for (let name = firstOf(from); name < to; name = after(name))
    buckets.push({ name, figures: known.get(name) ?? NOTHING });
  return buckets;
}

export function dayRows(rows: readonly BucketRow[], filters: ReportFilters): DayTotalsRow[] {
  return filled(rows, filters, (day) => day, dayAfter).map(({ name, figures }) => ({ day: name, ...figures }));
}

function mondayOf(day: string): string {
  return DateTime.fromISO(day, { zone: 'utc' }).startOf('week').toFormat('yyyy-MM-dd');
}

export function weekRows(rows: readonly BucketRow[], filters: ReportFilters): WeekTotalsRow[] {
  return filled(rows, filters, mondayOf, weekAfter).map(({ name, figures }) => ({ week: name, ...figures }));
}

/** A longer range is filled only from its first to its last data: nobody reads a row for every hour of a century. */
const MAX_FILLED_SECONDS = 366 * 86_400;

/** A moment, Unix seconds, with the local time of a zone. Kept as numbers, because a range has thousands of hours. */
interface Clock {
  readonly at: number;
  /** Minutes ahead of UTC. */
  readonly offset: number;
}

const clockAt = (zone: Zone, at: number): Clock => ({ at, offset: zone.offset(at * 1000) });
const minutesOf = ({ at, offset }: Clock): number => Math.floor(at / 60 + offset);
const isSameHour = (a: Clock, b: Clock): boolean =>
  a.offset === b.offset && Math.floor(minutesOf(a) / 60) === Math.floor(minutesOf(b) / 60);

/** The first moment after `from` with another local hour or offset. It lies on a quarter hour. */
function hourAfter(zone: Zone, from: Clock): Clock {
  const whole = from.at + 60 * (60 - (minutesOf(from) % 60));
  if (isSameHour(clockAt(zone, whole - CELL_SECONDS), from)) return clockAt(zone, whole);
  let next = from;
  do next = clockAt(zone, next.at + CELL_SECONDS);
  while (isSameHour(next, from));
  return next;
}

/** The begin of the hour that contains a quarter hour. */
function hourOf(zone: Zone, quarter: Clock): Clock {
  const whole = clockAt(zone, quarter.at - 60 * (minutesOf(quarter) % 60));
  if (isSameHour(whole, quarter)) return whole;
  let begin = quarter;
  for (let before = begin; isSameHour(before, quarter); before = clockAt(zone, before.at - CELL_SECONDS))
    begin = before;
  return begin;
}

/** ISO 8601 with offset. */
function hourName({ at, offset }: Clock): string {
  const text = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const [sign, ahead] = [offset < 0 ? '-' : '+', Math.abs(offset)];
  return `${new Date((at + offset * 60) * 1000).toISOString().slice(0, 19)}${sign}${text(ahead / 60)}:${text(ahead % 60)}`;
}

export function hourRows(rows: readonly BucketRow[], filters: ReportFilters): HourTotalsRow[] {
  const zone = Info.normalizeZone(filters.tz);
  const hourAt = (at: number): Clock => hourOf(zone, clockAt(zone, at));
  const known = new Map(rows.map(({ bucket: _, first_at, ...figures }) => [hourAt(first_at).at, figures] as const));
  const [first, last] = [rows[0]?.first_at, rows.at(-1)?.first_at];
  const range = rangeOf(filters);
  const isShort = filters.from !== null && filters.to !== null && range.to - range.from <= MAX_FILLED_SECONDS;
  if (!isShort && (first === undefined || last === undefined)) return [];
  const begin = isShort || first === undefined ? range.from : first;
  const end = isShort || last === undefined ? range.to : last + 1;
  const hours: HourTotalsRow[] = [];
  for (let hour = hourAt(begin); hour.at < end; hour = hourAfter(zone, hour))
    hours.push({ ...NOTHING, ...known.get(hour.at), hour: hourName(hour) });
  return hours;
}

export function bucketRows(grain: BucketRows['grain'], rows: readonly BucketRow[], filters: ReportFilters): BucketRows {
  switch (grain) {
    case 'hour':
      return { grain, rows: hourRows(rows, filters) };
    case 'day':
      return { grain, rows: dayRows(rows, filters) };
    case 'week':
      return { grain, rows: weekRows(rows, filters) };
  }
}
