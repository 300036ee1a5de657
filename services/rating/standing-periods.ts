/**
 * The closings that hold, one for each account and month: the first that was not reopened. Reports print their rows
 * instead of live ones. `closed` is what a report's column `period` says of such a row; times of closing are in UTC in
 * every report, so that the same rows are the same bytes.
 */
export const STANDING_PERIODS = `SELECT period_id, waba_id, month, starts_at, ends_at,
    concat(formatDateTime(closed_periods.closed_at, '%FT%T'), '+00:00') AS closed_text, concat('closed ', closed_text) AS closed
  FROM closed_periods FINAL
  WHERE reopened_at IS NULL
  ORDER BY closed_periods.closed_at, period_id
  LIMIT 1 BY waba_id, month`;

/**
 * Whether a row belongs to a month that is closed, as a ClickHouse expression.
 * @param day an expression of type Date: the day of delivery in the account's zone
 */
export function isClosedSql(waba_id: string, day: string): string {
  return `(toString(${waba_id}), toStartOfMonth(${day})) IN (SELECT waba_id, month FROM (${STANDING_PERIODS}))`;
}
