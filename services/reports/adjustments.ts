import { amount, utcInstant } from '@ctwa-ledger/schemas/cells.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { IS_OF_CLOSING_IN_FORCE, isClosedSql, readClosingsInForce, CLOSINGS_IN_FORCE } from './closings.ts';
import { CHARGES_KEY, chargeRowsSql, chargesRow, CLOSED_CHARGE, pricedCharges } from './charges.ts';
import { reportPaging, type PageKey } from './paging.ts';
import { columnsOf, streamed, type AskedRows, type Batch } from './report.ts';
import { narrowedSql } from './sql.ts';
import { chargeTables } from './tables.ts';

/** The columns that identify a row of charges. */
const KEY = CHARGES_KEY.join(', ');
const KEYS: readonly PageKey[] = CHARGES_KEY.map((column) => ({ sql: column, type: 'String' }));

const change = z.int();

const adjustmentRow = z.object({
  ...chargesRow.omit({ period: true }).shape,
  volume: change.describe('Number of messages now less the frozen one.'),
  list_cost: amount.describe('List cost now less the frozen one.'),
  billed_cost: amount.describe('Billed cost now less the frozen one.'),
  savings: amount.describe('Savings now less the frozen ones.'),
  unrated: change.describe('Messages without an amount, now less the frozen number.'),
  closed_at: utcInstant,
});
const COLUMNS = columnsOf(adjustmentRow);

/** The difference (now − frozen) of a column that counts. */
const counted = (column: string): string => `toString(sum(sign * toInt64(${column}))) AS ${column}_change`;

/** The difference (now − frozen) of an amount. A missing amount counts as 0; empty when both sides have none. */
const amountOf = (column: string): string =>
  `if(countIf(${column} != '') = 0, '', toString(sum(sign * toDecimal128(if(${column} = '', '0', ${column}), 8)))) AS ${column}_change`;

/** Columns of charges that are sums. */
export const CHANGES = ['volume', 'list_cost', 'billed_cost', 'savings', 'unrated'] as const;

/**
 * Sums of rows of charges by their key. Each row has a `sign`; the sums are named `volume_change` and so on. Keys whose
 * sums are all 0 are left out.
 */
export function changesSql(signed: string): string {
  return `SELECT * FROM
     (
         SELECT ${KEY}, ${counted('volume')}, ${amountOf('list_cost')}, ${amountOf('billed_cost')}, ${amountOf('savings')}, ${counted('unrated')}
         FROM (${signed})
         GROUP BY ${KEY}
     )
     WHERE ${CHANGES.map((column) => `${column}_change NOT IN ('', '0')`).join(' OR ')}`;
}

/**
 * Report `adjustments`, streamed: `COLUMNS` as text, the changes in closed months since they were closed. One row for
 * each key of `charges` whose sums have changed, by days of the accounts' own zones. The sums are now − frozen. Can be
 * narrowed to an account. Settle the charges first.
 */
async function* adjustments(database: Database, { filters, page }: AskedRows): AsyncGenerator<Batch> {
  const [{ sql, parameters }, closings] = await Promise.all([
    pricedCharges(database, { ...filters, is_tz_given: false }),
    readClosingsInForce(database, 0),
  ]);
  const narrowed = narrowedSql(filters, { waba_id: 'toString(waba_id)' });
  const { also, where, order, parameters: place } = reportPaging(page, KEYS);
  const columns = COLUMNS.map((column) => {
    if (column === 'closed_at') return 'closed_text';
    return CHANGES.some((change) => change === column) ? `${column}_change` : column;
  });
  yield* database.stream(
    `SELECT ${columns.join(', ')}${also}
     FROM
     (
         ${changesSql(`
             SELECT *, 1 AS sign
             FROM (${chargeRowsSql(`SELECT * FROM (${sql}) WHERE ${isClosedSql('waba_id', 'charge_day')}`)})
             UNION ALL
             SELECT ${CLOSED_CHARGE}, -1
             FROM closed_charges FINAL
             WHERE ${IS_OF_CLOSING_IN_FORCE}
               AND closed_charges.day >= {first_day:Date} AND closed_charges.day < {end_day:Date}
               AND ${narrowed.where}`)}
     ) AS changed
     INNER JOIN (SELECT waba_id AS closed_waba_id, toString(month) AS first_day, closed_text FROM (${CLOSINGS_IN_FORCE})) AS closing
       ON changed.waba_id = closing.closed_waba_id AND concat(substring(changed.day, 1, 7), '-01') = closing.first_day
     WHERE ${where}
     ${order}`,
    { ...parameters, ...closings.parameters, ...narrowed.parameters, ...place },
  );
}

export const adjustmentsReport = streamed({
  name: 'adjustments',
  one_row_per: 'row of `charges` of a closed month that is another one now: what changed since',
  row: adjustmentRow,
  days: 'own',
  filters: ['waba_id'],
  settles: ['charges'],
  reads: (filters) => chargeTables({ ...filters, is_tz_given: false }),
  rows: adjustments,
});
