import type { ChangedDay, LaterCause } from '@ctwa-ledger/schemas/periods.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { amountText, readAmount } from '../reconciliation/amounts.ts';
import { adjustmentsReport } from '../reports/adjustments.ts';
import type { AccountMonth } from './month.ts';
import { REMOVED_HOURS } from '../reports/removed.ts';
import { utcText } from '../clickhouse/sql.ts';

const PLACE: Readonly<Record<string, number>> = Object.fromEntries(
  adjustmentsReport.columns.map((column, i) => [column, i]),
);

/** Sums of report `adjustments` for one day and currency. */
interface Sums {
  volume: bigint;
  billed_cost: bigint;
  savings: bigint;
}

/** The changes in a closed month since, day by day: the sums of report `adjustments`. Settle the charges first. */
export async function changedDays(database: Database, month: AccountMonth): Promise<ChangedDay[]> {
  const { first_day: from, end_day: to, waba_id } = month;
  const days = new Map<string, Sums>();
  const filters = { from, to, tz: 'UTC', as_of: 0, waba_id };
  for await (const rows of adjustmentsReport.rows(database, { filters, by: 'charged', page: null }))
    for (const row of rows) {
      const cell = (column: string): string => String(row[PLACE[column] ?? -1] ?? '');
      const key = `${cell('day')} ${cell('currency')}`;
      const sums = days.get(key) ?? { volume: 0n, billed_cost: 0n, savings: 0n };
      sums.volume += BigInt(cell('volume'));
      sums.billed_cost += readAmount(cell('billed_cost') || '0');
      sums.savings += readAmount(cell('savings') || '0');
      days.set(key, sums);
    }
  return [...days].map(([key, { volume, billed_cost, savings }]) => ({
    day: key.slice(0, 10),
    currency: key.slice(11),
    volume: volume.toString(),
    billed_cost: amountText(billed_cost),
    savings: amountText(savings),
  }));
}

const causeRow = z.object({
  what: z.enum(['events', 'events_removed', 'card_imported', 'card_withdrawn']),
  at: z.string(),
  name: z.string(),
  events: z.coerce.number(),
});

/** Days and cards that are listed at most. */
const MAX_CAUSES = 60;

/**
 * What arrived since a month was closed, the latest first: its events, by the day on which they were stored, and cards
 * in the currency of the account.
 * @param cut_off events stored up to this time are in the closing, ISO 8601
 */
export function laterCauses(
  database: Database,
  month: AccountMonth,
  cut_off: string,
  currencies: readonly string[],
): Promise<LaterCause[]> {
  const stored = "fromUnixTimestamp64Milli(toInt64(bitShiftRight(bitNot(landing_rank), 20)), 'UTC')";
  const card = (column: 'imported_at' | 'withdrawn_at'): string => `
    SELECT '${column === 'imported_at' ? 'card_imported' : 'card_withdrawn'}', rate_cards.${column}, name, 0
    FROM rate_cards FINAL
    WHERE currency IN {currencies:Array(String)} AND effective_date < {end_day:Date}
      AND rate_cards.${column} > fromUnixTimestamp64Milli({cut_off:Int64}, 'UTC')`;
  return database.query(
    causeRow,
    `SELECT what, ${utcText('assumeNotNull(moment)')} AS at, name, events
     FROM
     (
       SELECT 'events' AS what, CAST(max(stored_at) AS Nullable(DateTime64(3, 'UTC'))) AS moment, '' AS name, count() AS events
       FROM
       (
         SELECT ${stored} AS stored_at
         -- FINAL, because what is ingested a second time was stored when it first was.
         FROM events FINAL
         WHERE phone_number_id IN
             (SELECT phone_number_id FROM charge_days WHERE waba_id = {waba_id:String}
                AND day >= {first_day:Date} AND day < {end_day:Date})
           AND timestamp >= toDateTime({from:UInt32}, 'UTC') AND timestamp < toDateTime({to:UInt32}, 'UTC')
         SETTINGS do_not_merge_across_partitions_select_final = 1
       )
       WHERE stored_at > fromUnixTimestamp64Milli({cut_off:Int64}, 'UTC')
       GROUP BY toDate(stored_at)
       UNION ALL
       SELECT 'events_removed', max(removals.began_at), '', sum(hours.events)
       FROM ${REMOVED_HOURS} AS hours INNER JOIN (SELECT removal_id, began_at FROM removals FINAL) AS removals USING removal_id
       WHERE waba_id = {waba_id:String} AND hour >= toStartOfHour(toDateTime({from:UInt32}, 'UTC')) AND hour < toDateTime({to:UInt32}, 'UTC')
       GROUP BY removal_id
       UNION ALL ${card('imported_at')}
       UNION ALL ${card('withdrawn_at')}
     )
     ORDER BY moment DESC, what, name LIMIT ${MAX_CAUSES}`,
    {
      waba_id: month.waba_id,
      first_day: month.first_day,
      end_day: month.end_day,
      from: month.from,
      to: month.to,
      cut_off: Date.parse(cut_off),
      currencies,
    },
  );
}
