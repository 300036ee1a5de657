import type { ReportFilters } from '@ctwa-ledger/schemas/reports.ts';
import type { Database } from '../ledger/database.ts';
import { isClosedSql, STANDING_PERIODS } from '../rating/standing-periods.ts';
import { CHARGES_COLUMNS, CHARGES_KEY, chargeRowsSql, CLOSED_CHARGE, pricedCharges } from './charges.ts';

const KEY = CHARGES_KEY.join(', ');

export const ADJUSTMENTS_COLUMNS = [...CHARGES_COLUMNS.filter((column) => column !== 'period'), 'closed_at'] as const;

/** now − frozen of a column that counts. */
const counted = (column: string): string => `toString(sum(sign * toInt64(${column}))) AS ${column}_change`;

/** now − frozen of an amount, where none is 0; empty where neither side has one. */
const amount = (column: string): string =>
  `if(countIf(${column} != '') = 0, '', toString(sum(sign * toDecimal128(if(${column} = '', '0', ${column}), 8)))) AS ${column}_change`;

const CHANGES = ['volume', 'list_cost', 'billed_cost', 'savings', 'unrated'] as const;

/**
 * Report `adjustments`, streamed: `ADJUSTMENTS_COLUMNS` as text, what changed in closed months since they were closed. One
 * row for each key of `charges` whose sums are others now, by days of the accounts' own zones; sums are those of now − the
 * frozen ones. Settle the charges first.
 */
export async function* adjustments(database: Database, filters: ReportFilters): AsyncGenerator<(readonly unknown[])[]> {
  const { sql, parameters } = await pricedCharges(database, { ...filters, is_tz_given: false });
  const columns = ADJUSTMENTS_COLUMNS.map((column) => {
    if (column === 'closed_at') return 'closed_text';
    return CHANGES.some((change) => change === column) ? `${column}_change` : column;
  });
  yield* database.stream(
    `SELECT ${columns.join(', ')}
     FROM
     (
         SELECT ${KEY}, ${counted('volume')}, ${amount('list_cost')}, ${amount('billed_cost')}, ${amount('savings')}, ${counted('unrated')}
         FROM
         (
             SELECT *, 1 AS sign
             FROM (${chargeRowsSql(`SELECT * FROM (${sql}) WHERE ${isClosedSql('waba_id', 'charge_day')}`)})
             UNION ALL
             SELECT ${CLOSED_CHARGE}, -1
             FROM closed_charges FINAL
             WHERE period_id IN (SELECT period_id FROM (${STANDING_PERIODS}))
               AND closed_charges.day >= {first_day:Date} AND closed_charges.day < {end_day:Date}
         )
         GROUP BY ${KEY}
     ) AS changed
     INNER JOIN (SELECT waba_id AS closed_waba_id, toString(month) AS first_day, closed_text FROM (${STANDING_PERIODS})) AS standing
       ON changed.waba_id = standing.closed_waba_id AND concat(substring(changed.day, 1, 7), '-01') = standing.first_day
     WHERE ${CHANGES.map((column) => `${column}_change NOT IN ('', '0')`).join(' OR ')}
     ORDER BY ${KEY}`,
    parameters,
  );
}
