import { utcInstant } from '@ctwa-ledger/schemas/cells.ts';
import { monthSchema } from '@ctwa-ledger/schemas/periods.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { DateTime } from 'luxon';
import { z } from 'zod';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import type { Database } from '../clickhouse/database.ts';
import { closingsInForce } from './closings.ts';
import { whole } from './report.ts';
import { daysOf, narrowedSql } from './sql.ts';
import { chargeTables } from './tables.ts';

/** The columns of the FOCUS dataset Billing Period. Columns that it does not define begin with `x_`, as it demands. */
const billingPeriodRow = z.object({
  BillingPeriodStart: utcInstant.describe('First moment of the month, in the zone of the account.'),
  BillingPeriodEnd: utcInstant.describe('First moment of the month after.'),
  BillingPeriodStatus: z.enum(['Open', 'Closed']).describe('Closed: the month is closed, and its charges are frozen.'),
  BillingPeriodCreated: utcInstant.describe('The same as BillingPeriodStart: a month is there from its beginning.'),
  BillingPeriodLastUpdated: utcInstant.describe(
    'When it was closed; of an open one the clock (as_of): its charges are those of now.',
  ),
  InvoiceIssuerName: z.string().describe('Always Meta.'),
  x_BillingAccountId: z.string().describe('Meta’s id of the WhatsApp business account; empty where none is named.'),
  x_BillingAccountName: z.string().describe('Name of the account; empty where none is set.'),
  x_Month: monthSchema.describe('The month, YYYY-MM.'),
});
type BillingPeriodRow = z.infer<typeof billingPeriodRow>;

function utc(time: DateTime): string {
  return time.toUTC().toFormat("yyyy-MM-dd'T'HH:mm:ss'Z'");
}

const chargedMonthRow = z.object({ waba_id: z.string(), month: z.string() });

/**
 * Report `focus-billing-periods`: each month of each account with charges, and whether it is open or closed. With
 * `focus` it is joined by account and begin of the period.
 */
async function billingPeriods(database: Database, filters: ReportFilters): Promise<BillingPeriodRow[]> {
  const narrowed = narrowedSql(filters, { waba_id: 'toString(waba_id)' });
  const [charged, closings, configuration] = await Promise.all([
    database.query(
      chargedMonthRow,
      `SELECT DISTINCT toString(waba_id) AS waba_id, formatDateTime(day, '%Y-%m') AS month
       FROM charge_days FINAL
       WHERE volume > 0 AND day >= {first_day:Date} AND day < {end_day:Date} AND ${narrowed.where}
       ORDER BY month, waba_id`,
      { ...daysOf(filters), ...narrowed.parameters },
    ),
    closingsInForce(database, filters),
    readConfiguration(database),
  ]);
  const accounts = new Map((configuration?.accounts ?? []).map((account) => [account.waba_id, account]));
  const closedAt = new Map(closings.map(({ waba_id, month, closed_at }) => [`${waba_id} ${month}`, closed_at]));
  return charged.map(({ waba_id, month }) => {
    const account = accounts.get(waba_id);
    const start = DateTime.fromISO(`${month}-01`, { zone: account?.time_zone ?? 'UTC' }).startOf('day');
    const closed = closedAt.get(`${waba_id} ${month}`);
    return {
      BillingPeriodStart: utc(start),
      BillingPeriodEnd: utc(start.plus({ months: 1 })),
      BillingPeriodStatus: closed === undefined ? 'Open' : 'Closed',
      BillingPeriodCreated: utc(start),
      BillingPeriodLastUpdated: utc(
        closed === undefined ? DateTime.fromSeconds(filters.as_of) : DateTime.fromISO(closed),
      ),
      InvoiceIssuerName: 'Meta',
      x_BillingAccountId: waba_id,
      x_BillingAccountName: account?.name ?? '',
      x_Month: month,
    };
  });
}

export const focusBillingPeriodsReport = whole({
  name: 'focus-billing-periods',
  one_row_per: 'month of an account with charges, open or closed, in the columns of the FOCUS dataset Billing Period',
  row: billingPeriodRow,
  days: 'accounts',
  has_clock: true,
  filters: ['waba_id'],
  settles: ['charges'],
  reads: chargeTables,
  key: ['x_Month', 'x_BillingAccountId'],
  rows: billingPeriods,
});
