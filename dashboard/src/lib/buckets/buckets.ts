import type { BucketRows, DayTotalsRow } from '@ctwa-ledger/schemas/figures.ts';
import { DateTime } from 'luxon';

import { addDays, type Day } from '../filters/days.ts';
import type { Grain } from '../filters/filters.ts';
import type { DayRange } from '../filters/range.ts';
import { dayNames, longDay, shortDay, weekday } from '../format/dates.ts';

/** One hour, day or week in the chart and its table. */
export interface Bucket extends Omit<DayTotalsRow, 'day'> {
  readonly key: string;
  /** Name in the table and in sentences. */
  readonly name: string;
  /** Shown beside the name: the day of the week, the hour's offset, or the days of the week that count. */
  readonly detail: string;
  /** Text below the bar. */
  readonly label: string;
  /** The days that a click selects; null for hours, because no range is shorter than a day. */
  readonly days: DayRange | null;
  /** Mature and not replied: the 24 h have passed. */
  readonly unanswered: number;
  /**
   * Whether the data ends within it, so that its figures still grow: by the clock, or because the last event is in it.
   */
  readonly unfinished: boolean;
  /** Whether only a part of it is in the range. */
  readonly is_cut: boolean;
  /** The one that it is compared with; null without a comparison. */
  readonly before: Pick<Bucket, 'name' | 'ad_conversations'> | null;
}

/** The time that a bucket covers, and its names. */
interface Span extends Pick<Bucket, 'key' | 'name' | 'detail' | 'label' | 'days' | 'is_cut'> {
  /** Unix seconds; `ends_at` is exclusive. */
  readonly starts_at: number;
  readonly ends_at: number;
}

type LabelOf = (day: Day) => string;

const midnight = (day: Day, tz: string): number => DateTime.fromISO(day, { zone: tz }).toSeconds();

function hourSpan(iso: string): Span {
  const starts_at = DateTime.fromISO(iso).toSeconds();
  const [day, time] = [iso.slice(0, 10), iso.slice(11, 16)];
  return {
    key: iso,
    name: `${longDay(day)}, ${time}`,
    // Where clocks go back, only the offset distinguishes two hours with one name.
    detail: `${weekday(day)}, ${iso.slice(19)}`,
    label: time === '00:00' ? shortDay(day) : time,
    days: null,
    is_cut: false,
    starts_at,
    ends_at: starts_at + 3600,
  };
}

function daySpan(day: Day, tz: string, labelOf: LabelOf): Span {
  const next = addDays(day, 1);
  return {
    key: day,
    name: longDay(day),
    detail: weekday(day),
    label: labelOf(day),
    days: { from: day, to: next },
    is_cut: false,
    starts_at: midnight(day, tz),
    ends_at: midnight(next, tz),
  };
}

function weekSpan(monday: Day, tz: string, range: DayRange, labelOf: LabelOf): Span {
  const next = addDays(monday, 7);
  const from = monday < range.from ? range.from : monday;
  const to = next > range.to ? range.to : next;
  const is_cut = from !== monday || to !== next;
  return {
    key: monday,
    name: `Week of ${longDay(monday)}`,
    detail: is_cut ? `only ${shortDay(from)} to ${shortDay(addDays(to, -1))}` : '',
    label: labelOf(monday),
    days: { from, to },
    is_cut,
    starts_at: midnight(from, tz),
    ends_at: midnight(to, tz),
  };
}

function spansOf(buckets: BucketRows, range: DayRange, tz: string): Span[] {
  const labelOf = dayNames(range.from, addDays(range.to, -1));
  switch (buckets.grain) {
    case 'hour':
      return buckets.rows.map((row) => hourSpan(row.hour));
    case 'day':
      return buckets.rows.map((row) => daySpan(row.day, tz, labelOf));
    case 'week':
      return buckets.rows.map((row) => weekSpan(row.week, tz, range, labelOf));
  }
}

/** `as_of` and `last_event_at` in Unix seconds. */
export function bucketsOf(
  asked: BucketRows,
  range: DayRange,
  tz: string,
  as_of: number,
  last_event_at: number | null,
): Bucket[] {
  const spans = spansOf(asked, range, tz);
  return asked.rows.flatMap((row, i) => {
    const span = spans[i];
    if (span === undefined) return [];
    const { starts_at, ends_at, ...names } = span;
    const holds_last = last_event_at !== null && last_event_at >= starts_at && last_event_at < ends_at;
    const unfinished = holds_last || ends_at > as_of;
    return [{ ...row, ...names, unanswered: row.mature - row.replied, unfinished, before: null }];
  });
}

/** Buckets beside those of the range before: the first beside the first, and so on. */
export function comparedBuckets(buckets: readonly Bucket[], before: readonly Bucket[]): Bucket[] {
  return buckets.map((bucket, i) => {
    const { name, ad_conversations } = before[i] ?? {};
    return {
      ...bucket,
      before: name === undefined || ad_conversations === undefined ? null : { name, ad_conversations },
    };
  });
}

/** `By hour`, `By day`, `By week`. */
export const GRAIN_TITLES: Readonly<Record<Grain, string>> = { hour: 'By hour', day: 'By day', week: 'By week' };

/** The report behind each table. */
export const GRAIN_REPORTS = { hour: 'hours', day: 'days', week: 'weeks' } as const satisfies Record<Grain, string>;
