import { z } from 'zod';
import {
  adsRow,
  dailyRow,
  dayTotalsRow,
  hourTotalsRow,
  overviewRow,
  weekTotalsRow,
  type AdsRow,
  type BucketRows,
  type DailyRow,
  type DayTotalsRow,
  type Figures,
  type HourTotalsRow,
  type OverviewRow,
  type WeekTotalsRow,
} from '@ctwa-ledger/schemas/figures.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { Database } from '../clickhouse/database.ts';
import { bucketRow, bucketRows, dayRows, hourRows, weekRows, type BucketRow } from './buckets.ts';
import { readCells } from './cells.ts';
import {
  ANYTHING,
  ANYTHING_OF_AN_AD,
  BUCKET,
  BY_FIRST_ENTRY,
  CONVERSATION_FIGURES,
  CUSTOMERS_DIFFER,
  DAY,
  FIRST_AT,
  MESSAGES,
  OF_AN_AD,
  P90,
  REPORTED,
  REPORTED_ONLY,
  SAVED,
  WINDOWS,
} from './figure-sql.ts';
import { OF_CONVERSATIONS } from './of-conversations.ts';
import { whole } from './report.ts';
import { summaryTables } from './tables.ts';

/** The headline figures over the whole range. */
export async function overview(database: Database, filters: ReportFilters): Promise<OverviewRow> {
  const cells = await readCells(database, filters);
  const [row] = await database.query(
    overviewRow,
    `SELECT ${CONVERSATION_FIGURES}, ${P90}, ${WINDOWS}, ${MESSAGES}, ${SAVED}, ${REPORTED},
       ${REPORTED_ONLY}, ${CUSTOMERS_DIFFER}
     FROM ${cells.from}`,
    cells.parameters,
  );
  if (row === undefined) throw new TypeError('The overview query gave no row.');
  return row;
}

/** Figures over all numbers by hour, day or week, without empty ones, in order. */
async function totalsBy(database: Database, filters: ReportFilters, grain: BucketRows['grain']): Promise<BucketRow[]> {
  const cells = await readCells(database, filters);
  return database.query(
    bucketRow,
    `SELECT ${BUCKET[grain]} AS bucket, ${FIRST_AT} AS first_at, ${CONVERSATION_FIGURES}, ${WINDOWS}, ${MESSAGES}, ${SAVED}
     FROM ${cells.from} GROUP BY bucket HAVING ${ANYTHING} > 0 ORDER BY first_at`,
    cells.parameters,
  );
}

/**
 * Every day of the range, all numbers together. An open end of the range ends with the first or last day that has data.
 */
export async function dayTotals(database: Database, filters: ReportFilters): Promise<DayTotalsRow[]> {
  return dayRows(await totalsBy(database, filters, 'day'), filters);
}

/**
 * Every hour of the range in the requested zone, all numbers together. An open end, and both ends of a range longer
 * than a year, end with the first or last hour that has data.
 */
export async function hourTotals(database: Database, filters: ReportFilters): Promise<HourTotalsRow[]> {
  return hourRows(await totalsBy(database, filters, 'hour'), filters);
}

/** Every week with a day of the range, Monday to Sunday. An open end ends with the first or last week that has data. */
async function weekTotals(database: Database, filters: ReportFilters): Promise<WeekTotalsRow[]> {
  return weekRows(await totalsBy(database, filters, 'week'), filters);
}

/** Report `daily`: one row per day and number on which anything happened. */
export async function daily(database: Database, filters: ReportFilters): Promise<DailyRow[]> {
  const cells = await readCells(database, filters);
  return database.query(
    dailyRow,
    `SELECT ${DAY} AS day, phone_number_id, ${CONVERSATION_FIGURES}, ${WINDOWS}, ${MESSAGES}, ${REPORTED_ONLY}
     FROM ${cells.from} GROUP BY day, phone_number_id
     HAVING ${ANYTHING} + sum(summary_cells.lost_referrals) > 0 ORDER BY day, phone_number_id`,
    cells.parameters,
  );
}

const sourceRow = adsRow.extend({ free_entry: z.number(), windows_reported_only: z.number() });

/** Figures of ads and posts, and of what belongs to none. */
export interface FiguresOfSources {
  readonly ads: readonly AdsRow[];
  /** Free entry messages that are in no window known to the ledger, and windows that only Meta reports. */
  readonly of_no_ad: { readonly free_messages: number; readonly windows_reported_only: number };
}

/** Figures of every ad or post with an entry, a window or a free message in the range, and of what belongs to none. */
export async function figuresOfSources(database: Database, filters: ReportFilters): Promise<FiguresOfSources> {
  const cells = await readCells(database, filters);
  const rows = await database.query(
    sourceRow,
    `SELECT ad_id, source_type, ${CONVERSATION_FIGURES}, ${OF_AN_AD}, toUInt32(sum(summary_cells.free_entry)) AS free_entry,
       toUInt32(sum(summary_cells.windows_reported_only)) AS windows_reported_only
     FROM ${cells.from}
     GROUP BY ad_id, source_type
     HAVING source_type = '' OR ${ANYTHING_OF_AN_AD} > 0
     ORDER BY ${BY_FIRST_ENTRY}`,
    cells.parameters,
  );
  const others = rows.filter(({ source_type }) => source_type === '');
  return {
    ads: rows
      .filter(({ source_type }) => source_type !== '')
      .map(({ free_entry: _free_entry, windows_reported_only: _windows, ...ad }) => ad),
    of_no_ad: {
      free_messages: others.reduce((sum, { free_entry }) => sum + free_entry, 0),
      windows_reported_only: others.reduce((sum, row) => sum + row.windows_reported_only, 0),
    },
  };
}

/** Report `ads`: one row per ad or post with an entry, a window or a free message in the range. */
export async function ads(database: Database, filters: ReportFilters): Promise<readonly AdsRow[]> {
  return (await figuresOfSources(database, filters)).ads;
}

/** A row of any grouping; the columns of other groupings are empty. */
const cutRow = z.object({
  cut: z.enum(['all', 'buckets']),
  ...overviewRow.shape,
  ...bucketRow.shape,
});

/**
 * `overview` and `days` (or `hours`, `weeks`) in one query: while events arrive, two queries see two moments, and the
 * figures of a page would not add up.
 */
export async function figures(
  database: Database,
  filters: ReportFilters,
  grain: BucketRows['grain'],
): Promise<Figures> {
  const cells = await readCells(database, filters);
  const rows = await database.query(
    cutRow,
    `SELECT if(grouping(bucket) = 0, 'buckets', 'all') AS cut, bucket, ${FIRST_AT} AS first_at, ${CONVERSATION_FIGURES},
       ${P90}, ${WINDOWS}, ${MESSAGES}, ${SAVED}, ${REPORTED}, ${REPORTED_ONLY}, ${CUSTOMERS_DIFFER}
     FROM (SELECT *, ${BUCKET[grain]} AS bucket FROM ${cells.from}) AS summary_cells
     GROUP BY GROUPING SETS ((), (bucket))
     HAVING cut = 'all' OR ${ANYTHING} > 0
     ORDER BY first_at`,
    cells.parameters,
  );
  const of = <T>(cut: z.infer<typeof cutRow>['cut'], row: z.ZodType<T>): T[] =>
    rows.filter((one) => one.cut === cut).map((one) => row.parse(one));
  const [whole] = of('all', overviewRow);
  if (whole === undefined) throw new TypeError('The query of all figures gave no row over all.');
  return {
    overview: whole,
    buckets: bucketRows(grain, of('buckets', bucketRow), filters),
  };
}

/** Fields that all reports of summaries share. */
const OF_SUMMARIES = {
  days: 'zone',
  has_clock: true,
  filters: OF_CONVERSATIONS,
  settles: ['summaries'],
  reads: summaryTables,
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
