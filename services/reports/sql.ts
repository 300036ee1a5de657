import { DateTime } from 'luxon';
import type { Narrowing, ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { Parameters } from '../clickhouse/database.ts';
import { END_DAY, FIRST_DAY, LAST_SECOND } from '@ctwa-ledger/schemas/time-limits.ts';

/**
 * SQL for a time column as contract.md 3 prints it: ISO 8601 with offset in the zone `{tz:String}`, empty = not known.
 * @param column a qualified column, so that an alias of the same name is not meant
 */
export function isoTime(column: string): string {
  const time = `assumeNotNull(${column})`;
  // Local time less UTC: timeZoneOffset is a day off in zones that are or were across the date line (Kiritimati, Apia).
  const offset = `dateDiff('second', ${time}, toDateTime(formatDateTime(${time}, '%F %T', {tz:String}), 'UTC'))`;
  return `if(${column} IS NULL, '', concat(
    formatDateTime(${time}, '%FT%T', {tz:String}),
    if(${offset} < 0, '-', '+'),
    leftPad(toString(intDiv(abs(${offset}), 3600)), 2, '0'), ':',
    leftPad(toString(intDiv(abs(${offset}) % 3600, 60)), 2, '0')))`;
}

/** The first moment of a day in a zone: where clocks go back over midnight, the day begins the first time round. */
export function firstMoment(day: string, zone: string): DateTime {
  const start = DateTime.fromISO(day, { zone }).startOf('day');
  const before = start.minus({ hours: 1 });
  return before.hasSame(start, 'day') ? before : start;
}

/** The range of the filters in Unix seconds, midnight to midnight in their zone. */
export function rangeOf(filters: ReportFilters): { readonly from: number; readonly to: number } {
  const midnight = (day: string): number =>
    Math.min(Math.max(firstMoment(day, filters.tz).toSeconds(), 0), LAST_SECOND);
  return {
    from: filters.from === null ? 0 : midnight(filters.from),
    to: filters.to === null ? LAST_SECOND : midnight(filters.to),
  };
}

/**
 * The days of a range as parameters of type Date, which hold no day before the first or far after the last one.
 * @param days the first day and the day after the last one; null: no bound
 */
export function daysOf({ from, to }: Pick<ReportFilters, 'from' | 'to'>): {
  readonly first_day: string;
  readonly end_day: string;
} {
  const within = (day: string): string => (day < FIRST_DAY ? FIRST_DAY : day > END_DAY ? END_DAY : day);
  return { first_day: within(from ?? FIRST_DAY), end_day: within(to ?? END_DAY) };
}

/** The parameters that the fragments of this module and the queries of `sql/queries` take. */
export function parametersOf(filters: ReportFilters): {
  from: number;
  to: number;
  tz: string;
  as_of: number;
  ad: string;
} {
  return { ...rangeOf(filters), tz: filters.tz, as_of: filters.as_of, ad: filters.ad ?? '' };
}

/** A condition on rows, with the parameters that it takes. */
export interface Condition {
  readonly where: string;
  readonly parameters: Parameters;
}

/**
 * Rows that are what the filters are narrowed to. What the filters say of a column that is not among `columns` is not
 * looked at. An empty value is one: messages of no account have an empty `waba_id`.
 * @param columns by the name of a narrowing, the expression that it compares, as text
 */
export function narrowedSql(filters: ReportFilters, columns: Readonly<Partial<Record<Narrowing, string>>>): Condition {
  const asked = Object.entries(columns).flatMap(([name, sql]) => {
    const value = filters[name as Narrowing];
    return value == null ? [] : [{ parameter: `only_${name}`, sql, value }];
  });
  return {
    where: ['true', ...asked.map(({ parameter, sql }) => `${sql} = {${parameter}:String}`)].join(' AND '),
    parameters: Object.fromEntries(asked.map(({ parameter, value }) => [parameter, value])),
  };
}

/**
 * Condition on rows with `ad_id` and `source_type`: what belongs to the ad or post of the filters. Of an address these are
 * all ads with an entry from it.
 */
export function ofAdSql(filters: ReportFilters): string {
  const ad = filters.ad ?? '';
  if (ad === '') return 'true';
  return /^https?:/i.test(ad)
    ? "source_type != '' AND ad_id IN (SELECT ad_id FROM entry_marks FINAL WHERE source_url = {ad:String})"
    : "source_type != '' AND ad_id = {ad:String}";
}

/**
 * Condition on `message_marks`: messages that some quarter hours have or had. The current row may have left them, so ask its
 * time too.
 * @param where which rows of `messages_by_time`; `cell_at` is the quarter hour of the delivery, else of the sending
 */
export function inQuarterHours(where: string): string {
  return `(message_marks.phone_number_id, message_marks.message_id) IN
    (SELECT phone_number_id, message_id FROM messages_by_time WHERE ${where})`;
}

export const FROM = "toDateTime({from:UInt32}, 'UTC')";
export const TO = "toDateTime({to:UInt32}, 'UTC')";
export const AS_OF = "toDateTime({as_of:UInt32}, 'UTC')";
