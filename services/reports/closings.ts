import { closingSchema, type Closing } from '@ctwa-ledger/schemas/periods.ts';
import { z } from 'zod';
import type { Database, Parameters } from '../clickhouse/database.ts';
import { utcText } from '../clickhouse/sql.ts';
import { daysOf } from './sql.ts';

/**
 * The closings in force, one for each account and month: the first that was not reopened. Reports print its rows
 * instead of live ones. `closed` is the text in a report's column `period`. Times of closing are in UTC in every
 * report, so that the same rows are the same bytes.
 */
export const CLOSINGS_IN_FORCE = `SELECT period_id, waba_id, month, starts_at, ends_at, closed_by, checksum,
    ${utcText('closed_periods.closed_at')} AS closed_text, concat('closed ', closed_text) AS closed,
    toUnixTimestamp64Milli(closed_periods.changed_at) AS changed_ms
  FROM closed_periods FINAL
  WHERE reopened_at IS NULL
  ORDER BY closed_periods.closed_at, period_id
  LIMIT 1 BY waba_id, month`;

/**
 * The closings in force of months that share a day with a range, the latest month first.
 * @param days the first day and the day after the last one; null: no bound
 */
export function closingsInForce(
  database: Database,
  days: { readonly from: string | null; readonly to: string | null },
): Promise<Closing[]> {
  return database.query(
    closingSchema,
    `SELECT period_id, waba_id, substring(toString(month), 1, 7) AS month, closed_text AS closed_at, closed_by, checksum
     FROM (${CLOSINGS_IN_FORCE}) AS closing
     WHERE closing.month < {end_day:Date} AND addMonths(closing.month, 1) > {first_day:Date}
     ORDER BY closing.month DESC, waba_id`,
    daysOf(days),
  );
}

/** The closings in force as constants of a query. As a subquery they would cost as much planning as everything else. */
export interface ClosingsInForce {
  readonly isAny: boolean;
  /** For {@link isClosedSql}, {@link IS_OF_CLOSING_IN_FORCE} and {@link CLOSED}. */
  readonly parameters: Parameters;
}

/** No closings, for days of a zone that belong to no closed month. */
export const NO_CLOSINGS: ClosingsInForce = {
  isAny: false,
  parameters: { closed_months: [], closing_ids: [], closed_texts: [], closings_changed: [] },
};

/** Reads the closings in force of months that end after a moment; Unix seconds. */
export async function readClosingsInForce(database: Database, after: number): Promise<ClosingsInForce> {
  const rows = await database.query(
    z.object({ period_id: z.string(), closed_month: z.string(), closed: z.string(), changed_ms: z.string() }),
    `SELECT period_id, concat(waba_id, ' ', toString(month)) AS closed_month, closed, toString(changed_ms) AS changed_ms
     FROM (${CLOSINGS_IN_FORCE})
     WHERE ends_at > toDateTime({after:UInt32}, 'UTC')`,
    { after },
  );
  return {
    isAny: rows.length > 0,
    parameters: {
      closed_months: rows.map(({ closed_month }) => closed_month),
      closing_ids: rows.map(({ period_id }) => period_id),
      closed_texts: rows.map(({ closed }) => closed),
      closings_changed: rows.map(({ changed_ms }) => Number(changed_ms)),
    },
  };
}

/**
 * Whether a row belongs to a month that is closed, as a ClickHouse expression with the parameters of {@link ClosingsInForce}.
 * @param day an expression of type Date: the day of delivery in the account's zone
 */
export function isClosedSql(waba_id: string, day: string): string {
  return `concat(${waba_id}, ' ', toString(toStartOfMonth(${day}))) IN {closed_months:Array(String)}`;
}

/** Whether a frozen row belongs to a closing in force. */
export const IS_OF_CLOSING_IN_FORCE = 'period_id IN {closing_ids:Array(String)}';

/** The text of a report's column `period` for a frozen row. */
export const CLOSED = "transform(toString(period_id), {closing_ids:Array(String)}, {closed_texts:Array(String)}, '')";

/** When the closing of a frozen row was entered, in Unix milliseconds. */
export const CLOSING_CHANGED_MS =
  'transform(toString(period_id), {closing_ids:Array(String)}, {closings_changed:Array(Int64)}, toInt64(0))';

/** Closings that were reopened since a moment: their frozen rows stand no more. */
export async function readReopenedClosings(database: Database, since: number): Promise<ClosingsInForce> {
  const rows = await database.query(
    z.object({ period_id: z.string(), closed: z.string(), changed_ms: z.string() }),
    `SELECT period_id, concat('closed ', ${utcText('closed_periods.closed_at')}) AS closed,
       toString(toUnixTimestamp64Milli(closed_periods.changed_at)) AS changed_ms
     FROM closed_periods FINAL
     WHERE reopened_at IS NOT NULL AND closed_periods.changed_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')`,
    { since },
  );
  return {
    isAny: rows.length > 0,
    parameters: {
      reopened_ids: rows.map(({ period_id }) => period_id),
      reopened_texts: rows.map(({ closed }) => closed),
      reopened_changed: rows.map(({ changed_ms }) => Number(changed_ms)),
    },
  };
}
