import type { Finding } from '@ctwa-ledger/schemas/periods.ts';
import { unratedReasonSchema } from '@ctwa-ledger/schemas/bill.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { CLOSINGS_IN_FORCE } from '../reports/closings.ts';
import { pricedCharges } from '../reports/charges.ts';
import { USUAL_WEEKS, watchNumbers, type WatchedNumber } from '../reports/gaps.ts';
import type { AccountMonth } from './month.ts';

const DAY_SECONDS = 86_400;
/** A message may still be delivered so long after it was sent. */
export const OUTCOME_DAYS = 30;
/** If events were stored in the last so many hours, more may follow. */
export const LATELY_HOURS = 24;

/** Unix milliseconds as ISO 8601 in UTC, to the second. */
function instant(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}+00:00`;
}

/** Messages for which neither a delivery nor a failure is known, by number. */
async function withoutOutcome(database: Database, month: AccountMonth): Promise<Finding[]> {
  const rows = await database.query(
    z.object({ phone_number_id: z.string(), messages: z.coerce.number(), first_at: z.number(), last_at: z.number() }),
    `SELECT toString(phone_number_id) AS phone_number_id, count() AS messages,
        toUnixTimestamp(min(message_marks.sent_at)) AS first_at, toUnixTimestamp(max(message_marks.sent_at)) AS last_at
     FROM message_marks FINAL
     WHERE waba_id = {waba_id:String} AND delivered_at IS NULL
       AND message_marks.sent_at >= toDateTime({from:UInt32}, 'UTC') AND message_marks.sent_at < toDateTime({to:UInt32}, 'UTC')
       AND is_failed = 0
     GROUP BY phone_number_id ORDER BY phone_number_id`,
    { waba_id: month.waba_id, from: month.from - OUTCOME_DAYS * DAY_SECONDS, to: month.to },
  );
  return rows.map(({ phone_number_id, messages, first_at, last_at }) => ({
    finding: 'no_outcome',
    phone_number_id,
    messages,
    first_sent_at: instant(first_at * 1_000),
    last_sent_at: instant(last_at * 1_000),
  }));
}

/** The account's numbers: those listed with it, and those with its messages around the month. */
async function numbersOf(database: Database, month: AccountMonth): Promise<string[]> {
  const rows = await database.query(
    z.object({ phone_number_id: z.string() }),
    `SELECT DISTINCT toString(phone_number_id) AS phone_number_id FROM charge_days FINAL
     WHERE waba_id = {waba_id:String} AND volume > 0
       AND day >= {first_day:Date} - {days:UInt16} AND day < {end_day:Date} + {days:UInt16}`,
    { waba_id: month.waba_id, first_day: month.first_day, end_day: month.end_day, days: 7 * USUAL_WEEKS },
  );
  return [...new Set([...month.listed_numbers, ...rows.map((row) => row.phone_number_id)])].sort();
}

function gapsIn(watched: readonly WatchedNumber[]): Finding[] {
  return watched.flatMap(({ phone_number_id, gaps }) =>
    gaps.map(({ from, to, missing_hours }): Finding => ({
      finding: 'gap',
      phone_number_id,
      from: instant(from * 1_000),
      to: instant(to * 1_000),
      missing_hours,
    })),
  );
}

async function unrated(database: Database, month: AccountMonth): Promise<Finding[]> {
  const { sql, parameters } = await pricedCharges(database, {
    from: month.first_day,
    to: month.end_day,
    tz: 'UTC',
    as_of: 0,
  });
  const rows = await database.query(
    z.object({ reason: unratedReasonSchema, messages: z.coerce.number() }),
    `SELECT unrated AS reason, sum(priced.volume) AS messages FROM (${sql}) AS priced
     WHERE waba_id = {waba_id:String} AND unrated != '' AND priced.volume > 0 GROUP BY unrated ORDER BY unrated`,
    { ...parameters, waba_id: month.waba_id },
  );
  return rows.map((row) => ({ finding: 'unrated', ...row }));
}

async function storedLately(
  database: Database,
  month: AccountMonth,
  numbers: readonly string[],
  now: number,
): Promise<Finding[]> {
  const rows = await database.query(
    z.object({ phone_number_id: z.string(), events: z.coerce.number(), last_ms: z.coerce.number() }),
    // FINAL, because an event that is ingested again counts as stored the first time.
    `SELECT toString(phone_number_id) AS phone_number_id, count() AS events,
        max(bitShiftRight(bitNot(landing_rank), 20)) AS last_ms
     FROM events FINAL
     WHERE phone_number_id IN {numbers:Array(String)}
       AND timestamp >= toDateTime({from:UInt32}, 'UTC') AND timestamp < toDateTime({to:UInt32}, 'UTC')
       AND bitShiftRight(bitNot(landing_rank), 20) > {since:UInt64}
     GROUP BY phone_number_id ORDER BY phone_number_id
     SETTINGS do_not_merge_across_partitions_select_final = 1`,
    { numbers, from: month.from, to: month.to, since: now - LATELY_HOURS * 3_600_000 },
  );
  return rows.map(({ phone_number_id, events, last_ms }) => ({
    finding: 'stored_lately',
    phone_number_id,
    events,
    last_stored_at: instant(last_ms),
  }));
}

async function closedBefore(database: Database, month: AccountMonth): Promise<Finding[]> {
  const rows = await database.query(
    z.object({ period_id: z.string(), month: z.string(), messages: z.coerce.number() }),
    `SELECT toString(period_id) AS period_id, substring(toString(any(closing.month)), 1, 7) AS month, count() AS messages
     FROM closed_messages FINAL
     INNER JOIN (SELECT period_id, month FROM (${CLOSINGS_IN_FORCE}) WHERE waba_id = {waba_id:String} AND month != {first_day:Date}) AS closing
       USING period_id
     WHERE delivered_at >= toDateTime({from:UInt32}, 'UTC') AND delivered_at < toDateTime({to:UInt32}, 'UTC')
     GROUP BY period_id ORDER BY period_id`,
    { waba_id: month.waba_id, first_day: month.first_day, from: month.from, to: month.to },
  );
  return rows.map((row) => ({ finding: 'closed_before', ...row }));
}

/** What may be missing in a month, and the numbers for which that cannot be known. */
export interface Completeness {
  /** In the order of `findingSchema`. */
  readonly findings: readonly Finding[];
  /** Numbers whose gaps could not be noticed. */
  readonly unwatched_numbers: readonly string[];
}

/**
 * Looks for what is missing in a month. Settle the charges first.
 * @param now the clock that decides which events are late, in Unix milliseconds
 */
export async function lookForMissing(database: Database, month: AccountMonth, now: number): Promise<Completeness> {
  const numbers = await numbersOf(database, month);
  const watched = await watchNumbers(database, numbers, month);
  const seen = new Set(watched.filter(({ is_watched }) => is_watched).map(({ phone_number_id }) => phone_number_id));
  return {
    findings: [
      ...(await withoutOutcome(database, month)),
      ...gapsIn(watched),
      ...(await unrated(database, month)),
      ...(await storedLately(database, month, numbers, now)),
      ...(await closedBefore(database, month)),
    ],
    unwatched_numbers: numbers.filter((number) => !seen.has(number)),
  };
}

/** The findings against closing a month; empty when there are none. See {@link lookForMissing}. */
export async function completeness(database: Database, month: AccountMonth, now: number): Promise<readonly Finding[]> {
  return (await lookForMissing(database, month, now)).findings;
}
