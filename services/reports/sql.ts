import { DateTime } from 'luxon';
import type { Narrowing, ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { Parameters } from '../clickhouse/database.ts';
import { END_DAY, FIRST_DAY, LAST_SECOND } from '@ctwa-ledger/schemas/time-limits.ts';

/**
 * SQL that prints a time column as in contract.md 3: ISO 8601 with offset in the zone `{tz:String}`, empty = not known.
 * @param column of type DateTime, qualified, so that an alias of the same name is not used
 */
export function isoTime(column: string): string {
  const time = `assumeNotNull(${column})`;
  // Local time less UTC. timeZoneOffset and %z are wrong by a day in zones that once changed sides of the date line
  // (Kiritimati, Apia).
  const offset = `(toDateTime(formatDateTime(${time}, '%F %T', {tz:String}), 'UTC') - ${time})`;
  const inZone = `concat(
    formatDateTime(${time}, '%FT%T', {tz:String}),
    if(${offset} < 0, '-', '+'),
    formatDateTime(toDateTime(abs(${offset}), 'UTC'), '%R'))`;
  // The zone is a constant of the query, so only one of the two is computed.
  const inUtc = `concat(formatDateTime(${time}, '%FT%T', 'UTC'), '+00:00')`;
  return `if(${column} IS NULL, '', if({tz:String} = 'UTC', ${inUtc}, ${inZone}))`;
}

/** The first moment of a day in a zone. Where clocks go back over midnight, this is the first of the two midnights. */
export function firstMoment(day: string, zone: string): DateTime {
  const start = DateTime.fromISO(day, { zone }).startOf('day');
  const before = start.minus({ hours: 1 });
  return before.hasSame(start, 'day') ? before : start;
}

/** The range of the filters in Unix seconds, from midnight to midnight in their zone. */
export function rangeOf(filters: ReportFilters): { readonly from: number; readonly to: number } {
  const midnight = (day: string): number =>
    Math.min(Math.max(firstMoment(day, filters.tz).toSeconds(), 0), LAST_SECOND);
  return {
    from: filters.from === null ? 0 : midnight(filters.from),
    to: filters.to === null ? LAST_SECOND : midnight(filters.to),
  };
}

/**
 * The days of a range as parameters of type Date, limited to the days that the type can hold.
 * @param days the first day and the day after the last one; null: no bound
 */
export function daysOf({ from, to }: Pick<ReportFilters, 'from' | 'to'>): {
  readonly first_day: string;
  readonly end_day: string;
} {
  const within = (day: string): string => (day < FIRST_DAY ? FIRST_DAY : day > END_DAY ? END_DAY : day);
  return { first_day: within(from ?? FIRST_DAY), end_day: within(to ?? END_DAY) };
}

/** The parameters used by the fragments of this module and the queries of `sql/queries`. */
export function parametersOf(filters: ReportFilters): {
  from: number;
  to: number;
  tz: string;
  as_of: number;
  ad: string;
} {
  return { ...rangeOf(filters), tz: filters.tz, as_of: filters.as_of, ad: filters.ad ?? '' };
}

const DAY_SECONDS = 86_400;

/** {@link parametersOf} with one more day on both sides, so that the days of every zone are inside. */
export function widened(filters: ReportFilters): ReturnType<typeof parametersOf> {
  const { from, to, ...others } = parametersOf(filters);
  return { ...others, from: Math.max(from - DAY_SECONDS, 0), to: Math.min(to + DAY_SECONDS, LAST_SECOND) };
}

/** A condition on rows, with its parameters. */
export interface Condition {
  readonly where: string;
  readonly parameters: Parameters;
}

/**
 * A condition that narrows rows to the filters. Filters on columns that are not in `columns` are ignored. An empty
 * value is a value: messages of no account have an empty `waba_id`.
 * @param columns by the name of a filter, the expression that it compares, as text
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
 * Condition on rows with `ad_id` and `source_type`: those of the filters' ad or post. For an address these are all ads
 * with an entry from it.
 */
export function ofAdSql(filters: ReportFilters): string {
  const ad = filters.ad ?? '';
  if (ad === '') return 'true';
  return /^https?:/i.test(ad)
    ? "source_type != '' AND ad_id IN (SELECT ad_id FROM entry_marks FINAL WHERE source_url = {ad:String})"
    : "source_type != '' AND ad_id = {ad:String}";
}

/**
 * Condition on `message_marks`: messages that are or were in some quarter hours. The current row may have moved to
 * another one, so compare its time too.
 * @param where selects rows of `messages_by_time`; `cell_at` is the quarter hour of the delivery, else of the sending
 */
export function inQuarterHours(where: string): string {
  return `(message_marks.phone_number_id, message_marks.message_id) IN
    (SELECT phone_number_id, message_id FROM messages_by_time WHERE ${where})`;
}

export const FROM = "toDateTime({from:UInt32}, 'UTC')";
export const TO = "toDateTime({to:UInt32}, 'UTC')";
export const AS_OF = "toDateTime({as_of:UInt32}, 'UTC')";
