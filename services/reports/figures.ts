import { DateTime } from 'luxon';
import { z } from 'zod';
import {
  adsRow,
  dailyRow,
  dayTotalsRow,
  hourTotalsRow,
  overviewRow,
  weekTotalsRow,
  type AdsRow,
  type DailyRow,
  type DayTotalsRow,
  type HourTotalsRow,
  type OverviewRow,
  type ReportFilters,
  type WeekTotalsRow,
} from '@ctwa-ledger/schemas/reports.ts';
import type { Database } from '../ledger/database.ts';
import { AS_OF, FROM, isoTime, ofAdSql, parametersOf, rangeOf, TO } from './sql.ts';

/** A decimal as people and CSV print it: no trailing zeros, no exponent; null stays null. */
const decimalText = (sql: string): string =>
  `if(isNull(${sql}), NULL, toString(toDecimal64(round(assumeNotNull(${sql}), 4), 4)))`;

/** Quantile over whole conversations, linear between the two middle ones; null over none. */
const quantile = (level: string): string => {
  const value = `quantileExactInclusiveArray(${level})(seconds_to_reply)`;
  return `if(sum(length(seconds_to_reply)) = 0, NULL, ${decimalText(value)})`;
};

const REPLIED = 'sum(length(seconds_to_reply))';
const MATURE_UNREPLIED = `sum(arrayCount(at -> at + INTERVAL 24 HOUR <= ${AS_OF}, unreplied_last_entry_at))`;

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

/** Summaries of the range. FINAL: a cell that was recomputed stands there twice until the next merge. */
const cellsOf = (filters: ReportFilters): string =>
  `summary_cells FINAL WHERE cell_at >= ${FROM} AND cell_at < ${TO} AND ${ofAdSql(filters)}`;

const DAY = "formatDateTime(cell_at, '%F', {tz:String})";

const ANYTHING = `sum(summary_cells.messages) + sum(summary_cells.ad_conversations) + sum(summary_cells.windows_opened)`;

/** The headline figures over the whole range. */
export async function overview(database: Database, filters: ReportFilters): Promise<OverviewRow> {
  const [row] = await database.query(
    overviewRow,
    `SELECT ${CONVERSATION_FIGURES}, ${P90}, ${WINDOWS}, ${MESSAGES}, ${SAVED}, ${REPORTED} FROM ${cellsOf(filters)}`,
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

/** No event is before or after these days, so no range needs more rows. */
const FIRST_DAY = '2015-01-01';
const LAST_DAY = '2106-01-01';

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

/** Figures over all numbers by what `key` makes of a cell's time, where there are any. */
function totalsBy<Row>(database: Database, filters: ReportFilters, row: z.ZodType<Row>, key: string): Promise<Row[]> {
  return database.query(
    row,
    `SELECT ${key}, ${CONVERSATION_FIGURES}, ${WINDOWS}, ${MESSAGES}, ${SAVED}
     FROM ${cellsOf(filters)} GROUP BY 1 HAVING ${ANYTHING} > 0 ORDER BY 1`,
    parametersOf(filters),
  );
}

/** Every day of the range, all numbers together; an open end of the range is the outermost day with anything. */
export async function dayTotals(database: Database, filters: ReportFilters): Promise<DayTotalsRow[]> {
  const rows = await totalsBy(database, filters, dayTotalsRow, `${DAY} AS day`);
  const [first, last] = [rows[0]?.day, rows.at(-1)?.day];
  const from = latest(filters.from ?? first, FIRST_DAY);
  const to = earliest(filters.to ?? (last === undefined ? undefined : dayAfter(last)), LAST_DAY);
  if (from === undefined || to === undefined) return rows;
  const known = new Map(rows.map((row) => [row.day, row]));
  const days: DayTotalsRow[] = [];
  for (let day = from; day < to; day = dayAfter(day)) days.push(known.get(day) ?? { day, ...NOTHING });
  return days;
}

const hourRow = hourTotalsRow.omit({ hour: true }).extend({ starts_at: z.number() });

/** Longer ranges begin and end with their data: a row for every hour of a century is nobody's report. */
const MAX_FILLED_SECONDS = 366 * 86_400;

/**
 * Every hour of the range in the zone asked for, all numbers together; an open end, and both ends of a range of more than
 * a year, are the outermost hours with anything.
 */
export async function hourTotals(database: Database, filters: ReportFilters): Promise<HourTotalsRow[]> {
  // Grouped by the moment and not by its name: where clocks go back, two hours have one name.
  const key = 'toUnixTimestamp(toStartOfHour(cell_at, {tz:String})) AS starts_at';
  const rows = await totalsBy(database, filters, hourRow, key);
  const [first, last] = [rows[0], rows.at(-1)];
  const range = rangeOf(filters);
  const isShort = filters.from !== null && filters.to !== null && range.to - range.from <= MAX_FILLED_SECONDS;
  if (!isShort && (first === undefined || last === undefined)) return [];
  const known = new Map(rows.map(({ starts_at, ...figures }) => [starts_at, figures]));
  const begin = isShort || first === undefined ? range.from : first.starts_at;
  const end = isShort || last === undefined ? range.to : last.starts_at + 1;
  const hours: HourTotalsRow[] = [];
  let at = DateTime.fromSeconds(begin, { zone: filters.tz });
  while (at.toSeconds() < end) {
    const hour = at.toFormat("yyyy-MM-dd'T'HH:mm:ssZZ");
    hours.push({ ...NOTHING, ...known.get(at.toSeconds()), hour });
    at = at.plus({ hours: 1 }).startOf('hour');
  }
  return hours;
}

function mondayOf(day: string): string {
  return DateTime.fromISO(day, { zone: 'utc' }).startOf('week').toFormat('yyyy-MM-dd');
}

/** Every week with a day of the range, Monday to Sunday; an open end is the outermost week with anything. */
export async function weekTotals(database: Database, filters: ReportFilters): Promise<WeekTotalsRow[]> {
  const key = 'toString(toMonday(toDate(cell_at, {tz:String}))) AS week';
  const rows = await totalsBy(database, filters, weekTotalsRow, key);
  const [first, last] = [rows[0]?.week, rows.at(-1)?.week];
  const from = latest(filters.from ?? first, FIRST_DAY);
  const to = earliest(filters.to ?? (last === undefined ? undefined : dayAfter(last)), LAST_DAY);
  if (from === undefined || to === undefined) return rows;
  const known = new Map(rows.map((row) => [row.week, row]));
  const weeks: WeekTotalsRow[] = [];
  for (let monday = mondayOf(from); monday < to; monday = weekAfter(monday))
    weeks.push(known.get(monday) ?? { week: monday, ...NOTHING });
  return weeks;
}

/** Report `daily`: one row per day and number on which anything happened. */
export async function daily(database: Database, filters: ReportFilters): Promise<DailyRow[]> {
  return database.query(
    dailyRow,
    `SELECT ${DAY} AS day, phone_number_id, ${CONVERSATION_FIGURES}, ${WINDOWS}, ${MESSAGES}
     FROM ${cellsOf(filters)} GROUP BY day, phone_number_id HAVING ${ANYTHING} > 0 ORDER BY day, phone_number_id`,
    parametersOf(filters),
  );
}

/** Report `ads`: one row per ad or post with an entry, a window or a free message in the range. */
export async function ads(database: Database, filters: ReportFilters): Promise<AdsRow[]> {
  return database.query(
    adsRow,
    `SELECT ad_id, source_type, ${CONVERSATION_FIGURES}, ${P90}, ${WINDOWS},
         toUInt32(sum(summary_cells.free_messages)) AS free_messages,
         ${isoTime('min(summary_cells.first_entry_at)')} AS first_entry,
         ${isoTime('max(summary_cells.last_entry_at)')} AS last_entry,
         nullIf(first_entry, '') AS first_entry_at,
         nullIf(last_entry, '') AS last_entry_at
     FROM ${cellsOf(filters)} AND source_type != ''
     GROUP BY ad_id, source_type
     HAVING sum(summary_cells.entries) + sum(summary_cells.windows_opened) + sum(summary_cells.free_messages) > 0
     ORDER BY min(summary_cells.first_entry_at) NULLS FIRST, ad_id, source_type`,
    parametersOf(filters),
  );
}

/** The columns of a report in their order, from its schema: the header of the CSV. */
export function columnsOf(row: z.ZodObject): string[] {
  return Object.keys(row.shape);
}
