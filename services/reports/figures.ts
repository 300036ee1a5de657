import { DateTime, Info, type Zone } from 'luxon';
import { z } from 'zod';
import {
  adsRow,
  dailyRow,
  dayTotalsRow,
  overviewRow,
  type AdsRow,
  type BucketRows,
  hourTotalsRow,
  weekTotalsRow,
  type DailyRow,
  type DayTotalsRow,
  type Figures,
  type HourTotalsRow,
  type OverviewRow,
  type WeekTotalsRow,
} from '@ctwa-ledger/schemas/figures.ts';
import { REPLY_WITHIN_SECONDS } from '@ctwa-ledger/schemas/durations.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { Database } from '../clickhouse/database.ts';
import { CELL_SECONDS } from '../ledger/derived/summaries.ts';
import { whole } from './report.ts';
import { AS_OF, FROM, isoTime, ofAdSql, parametersOf, rangeOf, TO } from './sql.ts';
import { SUMMARY_TABLES } from './tables.ts';
import { END_DAY, FIRST_DAY_OF_EVENTS } from '@ctwa-ledger/schemas/time-limits.ts';

/** A decimal as people and CSV print it: no trailing zeros, no exponent; null stays null. */
const decimalText = (sql: string): string =>
  `if(isNull(${sql}), NULL, toString(toDecimal64(round(assumeNotNull(${sql}), 4), 4)))`;

/** Quantile over whole conversations, linear between the two middle ones; null over none. */
const quantile = (level: string): string => {
  const value = `quantileExactInclusiveArray(${level})(seconds_to_reply)`;
  return `if(sum(length(seconds_to_reply)) = 0, NULL, ${decimalText(value)})`;
};

const REPLIED = 'sum(length(seconds_to_reply))';
const MATURE_UNREPLIED = `sum(arrayCount(at -> at + INTERVAL ${REPLY_WITHIN_SECONDS} SECOND <= ${AS_OF}, unreplied_last_entry_at))`;

/** Ten-thousandths of replied / mature, rounded half up in whole numbers, as a decimal with four places. */
const TEN_THOUSANDTHS = `intDiv(20000 * ${REPLIED} + ${REPLIED} + ${MATURE_UNREPLIED}, 2 * greatest(${REPLIED} + ${MATURE_UNREPLIED}, 1))`;
const RATE = `concat(toString(intDiv(${TEN_THOUSANDTHS}, 10000)), '.', leftPad(toString(${TEN_THOUSANDTHS} % 10000), 4, '0'))`;

/** rules.md 6, over whatever cells a query groups. */
const CONVERSATION_FIGURES = `
    toUInt32(sum(summary_cells.ad_conversations)) AS ad_conversations,
    toUInt32(${REPLIED}) AS replied,
    toUInt32(${REPLIED} + ${MATURE_UNREPLIED}) AS mature,
    toUInt32(sum(summary_cells.ad_conversations) - ${REPLIED} - ${MATURE_UNREPLIED}) AS pending,
    if(${REPLIED} + ${MATURE_UNREPLIED} = 0, NULL, ${RATE}) AS reply_rate,
    ${quantile('0.5')} AS median_seconds_to_reply`;

const P90 = `${quantile('0.9')} AS p90_seconds_to_reply`;

const WINDOWS = `
    toUInt32(sum(summary_cells.windows_opened)) AS windows_opened,
    toUInt32(sum(summary_cells.windows_confirmed)) AS windows_confirmed`;

const MESSAGES = ['messages', 'delivered', 'billable', 'free_entry', 'free_service', 'covered', 'unknown', 'mismatches']
  .map((column) => `toUInt32(sum(summary_cells.${column})) AS ${column}`)
  .join(',\n    ');

const SAVED = 'toUInt32(sum(summary_cells.saved_from_charge)) AS saved_from_charge';

const REPORTED = ['reported_messages', 'allowance_differences', 'odd_reports']
  .map((column) => `toUInt32(sum(summary_cells.${column})) AS ${column}`)
  .join(', ');

const REPORTED_ONLY = ['lost_referrals', 'windows_reported_only', 'messages_reported_only']
  .map((column) => `toUInt32(sum(summary_cells.${column})) AS ${column}`)
  .join(', ');

const CUSTOMERS_DIFFER = 'toUInt32(sum(summary_cells.customers_differ)) AS customers_differ';

/** Summaries of the range. FINAL: a cell that was recomputed stands there twice until the next merge. */
const cellsOf = (filters: ReportFilters): string =>
  `summary_cells FINAL WHERE cell_at >= ${FROM} AND cell_at < ${TO} AND ${ofAdSql(filters)}`;

const DAY = "formatDateTime(cell_at, '%F', {tz:String})";

const ANYTHING = `sum(summary_cells.messages) + sum(summary_cells.ad_conversations) + sum(summary_cells.windows_opened)`;

/** The headline figures over the whole range. */
export async function overview(database: Database, filters: ReportFilters): Promise<OverviewRow> {
  const [row] = await database.query(
    overviewRow,
    `SELECT ${CONVERSATION_FIGURES}, ${P90}, ${WINDOWS}, ${MESSAGES}, ${SAVED}, ${REPORTED},
       ${REPORTED_ONLY}, ${CUSTOMERS_DIFFER}
     FROM ${cellsOf(filters)}`,
    parametersOf(filters),
  );
  if (row === undefined) throw new TypeError('The overview query gave no row.');
  return row;
}

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

/** What a cell's time is grouped by, as text. */
const BUCKET: Readonly<Record<BucketRows['grain'], string>> = {
  // When the clock would have shown a whole hour, and which: where clocks go back, two hours have one name, and where they
  // do by half an hour, one begins at half past.
  hour: "concat(toString(toUnixTimestamp(cell_at) - 60 * toMinute(cell_at, {tz:String})), ' ', toString(toHour(cell_at, {tz:String})))",
  day: DAY,
  week: 'toString(toMonday(toDate(cell_at, {tz:String})))',
};

const totals = dayTotalsRow.omit({ day: true });
const bucketRow = totals.extend({
  bucket: z.string(),
  /** Its first cell, Unix seconds. */
  first_at: z.number(),
});
const FIRST_AT = 'toUnixTimestamp(min(cell_at))';
type BucketRow = z.infer<typeof bucketRow>;

/** Figures over all numbers by hour, day or week, where there are any, in order. */
function totalsBy(database: Database, filters: ReportFilters, grain: BucketRows['grain']): Promise<BucketRow[]> {
  return database.query(
    bucketRow,
    `SELECT ${BUCKET[grain]} AS bucket, ${FIRST_AT} AS first_at, ${CONVERSATION_FIGURES}, ${WINDOWS}, ${MESSAGES}, ${SAVED}
     FROM ${cellsOf(filters)} GROUP BY bucket HAVING ${ANYTHING} > 0 ORDER BY first_at`,
    parametersOf(filters),
  );
}

/** Buckets named by their first day, and those between them on which nothing happened. */
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

function dayRows(rows: readonly BucketRow[], filters: ReportFilters): DayTotalsRow[] {
  return filled(rows, filters, (day) => day, dayAfter).map(({ name, figures }) => ({ day: name, ...figures }));
}

function mondayOf(day: string): string {
  return DateTime.fromISO(day, { zone: 'utc' }).startOf('week').toFormat('yyyy-MM-dd');
}

function weekRows(rows: readonly BucketRow[], filters: ReportFilters): WeekTotalsRow[] {
  return filled(rows, filters, mondayOf, weekAfter).map(({ name, figures }) => ({ week: name, ...figures }));
}

/** Longer ranges begin and end with their data: a row for every hour of a century is nobody's report. */
const MAX_FILLED_SECONDS = 366 * 86_400;

/** A moment, Unix seconds, as clocks of a zone show it. Reckoned in numbers: a range has thousands of hours. */
interface Clock {
  readonly at: number;
  /** Minutes ahead of UTC. */
  readonly offset: number;
}

const clockAt = (zone: Zone, at: number): Clock => ({ at, offset: zone.offset(at * 1000) });
const minutesOf = ({ at, offset }: Clock): number => Math.floor(at / 60 + offset);
const isSameHour = (a: Clock, b: Clock): boolean =>
  a.offset === b.offset && Math.floor(minutesOf(a) / 60) === Math.floor(minutesOf(b) / 60);

/** The first moment after `from` at which clocks show another hour or go by another offset: that is on a quarter hour. */
function hourAfter(zone: Zone, from: Clock): Clock {
  const whole = from.at + 60 * (60 - (minutesOf(from) % 60));
  if (isSameHour(clockAt(zone, whole - CELL_SECONDS), from)) return clockAt(zone, whole);
  let next = from;
  do next = clockAt(zone, next.at + CELL_SECONDS);
  while (isSameHour(next, from));
  return next;
}

/** The begin of the hour that a quarter of it is in. */
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

function hourRows(rows: readonly BucketRow[], filters: ReportFilters): HourTotalsRow[] {
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

/** Every day of the range, all numbers together; an open end of the range is the outermost day with anything. */
export async function dayTotals(database: Database, filters: ReportFilters): Promise<DayTotalsRow[]> {
  return dayRows(await totalsBy(database, filters, 'day'), filters);
}

/**
 * Every hour of the range in the zone asked for, all numbers together; an open end, and both ends of a range of more than
 * a year, are the outermost hours with anything.
 */
export async function hourTotals(database: Database, filters: ReportFilters): Promise<HourTotalsRow[]> {
  return hourRows(await totalsBy(database, filters, 'hour'), filters);
}

/** Every week with a day of the range, Monday to Sunday; an open end is the outermost week with anything. */
async function weekTotals(database: Database, filters: ReportFilters): Promise<WeekTotalsRow[]> {
  return weekRows(await totalsBy(database, filters, 'week'), filters);
}

/** Report `daily`: one row per day and number on which anything happened. */
export async function daily(database: Database, filters: ReportFilters): Promise<DailyRow[]> {
  return database.query(
    dailyRow,
    `SELECT ${DAY} AS day, phone_number_id, ${CONVERSATION_FIGURES}, ${WINDOWS}, ${MESSAGES}, ${REPORTED_ONLY}
     FROM ${cellsOf(filters)} GROUP BY day, phone_number_id
     HAVING ${ANYTHING} + sum(summary_cells.lost_referrals) > 0 ORDER BY day, phone_number_id`,
    parametersOf(filters),
  );
}

const OF_AN_AD = `${P90}, ${WINDOWS},
    toUInt32(sum(summary_cells.free_messages)) AS free_messages,
    ${isoTime('min(summary_cells.first_entry_at)')} AS first_entry,
    ${isoTime('max(summary_cells.last_entry_at)')} AS last_entry,
    nullIf(first_entry, '') AS first_entry_at,
    nullIf(last_entry, '') AS last_entry_at`;

const ANYTHING_OF_AN_AD =
  'sum(summary_cells.entries) + sum(summary_cells.windows_opened) + sum(summary_cells.free_messages)';

const BY_FIRST_ENTRY = 'min(summary_cells.first_entry_at) NULLS FIRST, ad_id, source_type';

/** Report `ads`: one row per ad or post with an entry, a window or a free message in the range. */
export async function ads(database: Database, filters: ReportFilters): Promise<AdsRow[]> {
  return database.query(
    adsRow,
    `SELECT ad_id, source_type, ${CONVERSATION_FIGURES}, ${OF_AN_AD}
     FROM ${cellsOf(filters)} AND source_type != ''
     GROUP BY ad_id, source_type
     HAVING ${ANYTHING_OF_AN_AD} > 0
     ORDER BY ${BY_FIRST_ENTRY}`,
    parametersOf(filters),
  );
}

/** A row of any cut; what other cuts are by is empty. */
const cutRow = z.object({
  cut: z.enum(['all', 'buckets', 'ads']),
  ...overviewRow.shape,
  ...bucketRow.shape,
  ...adsRow.shape,
});

function bucketRows(grain: BucketRows['grain'], rows: readonly BucketRow[], filters: ReportFilters): BucketRows {
  switch (grain) {
    case 'hour':
      return { grain, rows: hourRows(rows, filters) };
    case 'day':
      return { grain, rows: dayRows(rows, filters) };
    case 'week':
      return { grain, rows: weekRows(rows, filters) };
  }
}

/**
 * `overview`, `days` (or `hours`, `weeks`) and `ads` in one read: while events arrive, two reads are of two moments, and
 * what a page shows together would not add up.
 */
export async function figures(
  database: Database,
  filters: ReportFilters,
  grain: BucketRows['grain'],
): Promise<Figures> {
  const rows = await database.query(
    cutRow,
    `SELECT multiIf(grouping(bucket) = 0, 'buckets', grouping(ad_id) = 0, 'ads', 'all') AS cut, bucket, ad_id, source_type,
       ${FIRST_AT} AS first_at, ${CONVERSATION_FIGURES}, ${OF_AN_AD}, ${MESSAGES}, ${SAVED}, ${REPORTED},
       ${REPORTED_ONLY}, ${CUSTOMERS_DIFFER}
     FROM (SELECT *, ${BUCKET[grain]} AS bucket FROM ${cellsOf(filters)}) AS summary_cells
     GROUP BY GROUPING SETS ((), (bucket), (ad_id, source_type))
     HAVING multiIf(cut = 'buckets', ${ANYTHING} > 0, cut = 'ads', source_type != '' AND ${ANYTHING_OF_AN_AD} > 0, true)
     ORDER BY if(cut = 'buckets', first_at, 0), ${BY_FIRST_ENTRY}`,
    parametersOf(filters),
  );
  const of = <T>(cut: z.infer<typeof cutRow>['cut'], row: z.ZodType<T>): T[] =>
    rows.filter((one) => one.cut === cut).map((one) => row.parse(one));
  const [whole] = of('all', overviewRow);
  if (whole === undefined) throw new TypeError('The query of all figures gave no row over all.');
  return {
    overview: whole,
    buckets: bucketRows(grain, of('buckets', bucketRow), filters),
    ads: of('ads', adsRow),
  };
}

/** What all reports of summaries have in common. */
const OF_SUMMARIES = {
  days: 'zone',
  has_clock: true,
  filters: ['ad'],
  settles: ['summaries'],
  reads: SUMMARY_TABLES,
} as const;

export const dailyReport = whole({
  ...OF_SUMMARIES,
  name: 'daily',
  one_row_per: 'day and business number on which anything happened',
  row: dailyRow,
  key: ['day', 'phone_number_id'],
  rows: daily,
});

export const adsReport = whole({
  ...OF_SUMMARIES,
  name: 'ads',
  one_row_per: 'ad or post with an entry, a window or a free message, by its first entry',
  row: adsRow,
  key: ['ad_id', 'source_type'],
  rows: ads,
});

export const daysReport = whole({
  ...OF_SUMMARIES,
  name: 'days',
  one_row_per: 'day of the range, over all numbers',
  row: dayTotalsRow,
  key: ['day'],
  rows: dayTotals,
});

export const hoursReport = whole({
  ...OF_SUMMARIES,
  name: 'hours',
  one_row_per: 'hour of the range, over all numbers',
  row: hourTotalsRow,
  key: ['hour'],
  rows: hourTotals,
});

export const weeksReport = whole({
  ...OF_SUMMARIES,
  name: 'weeks',
  one_row_per: 'week with a day of the range, over all numbers',
  row: weekTotalsRow,
  key: ['week'],
  rows: weekTotals,
});

export const overviewReport = whole({
  ...OF_SUMMARIES,
  name: 'overview',
  one_row_per: 'range: what the first page shows',
  row: overviewRow,
  key: [],
  rows: async (database, filters) => [await overview(database, filters)],
});
