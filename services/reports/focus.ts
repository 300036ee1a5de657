import type { Account } from '@ctwa-ledger/schemas/config.ts';
import { amount, count, utcInstant } from '@ctwa-ledger/schemas/cells.ts';
import { DateTime } from 'luxon';
import { z } from 'zod';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import type { Database } from '../clickhouse/database.ts';
import { charges, CHARGES_COLUMNS, type chargesRow } from './charges.ts';
import { corrections, correctionTables, CORRECTIONS_COLUMNS } from './corrections.ts';
import { UnknownPositionError, type ReportPage } from './paging.ts';
import { columnsOf, streamed, type AskedRows, type Batch } from './report.ts';
import { chargeTables } from './tables.ts';

/** A row of `charges` or of `corrections`; the latter has the month that bills it, `YYYY-MM`. */
type Charge = Readonly<Record<keyof typeof chargesRow.shape, string>> & { readonly billing_month?: string };

interface Context {
  readonly accounts: ReadonlyMap<string, Account>;
  /** The zone of the requested days; null = each account's own. */
  readonly zone: string | null;
  /** Ids of Meta's invoices by account and month. */
  readonly invoices: ReadonlyMap<string, string>;
}

function utc(time: DateTime): string {
  return time.toUTC().toFormat("yyyy-MM-dd'T'HH:mm:ss'Z'");
}

function periods(
  { day, waba_id, billing_month }: Charge,
  { accounts, zone }: Context,
): { readonly day: DateTime; readonly month: DateTime } {
  const inZone = { zone: zone ?? accounts.get(waba_id)?.time_zone ?? 'UTC' };
  const start = DateTime.fromISO(day, inZone).startOf('day');
  const month = billing_month === undefined ? start : DateTime.fromISO(`${billing_month}-01`, inZone);
  return { day: start, month: month.startOf('month') };
}

function invoiceOf(charge: Charge, { invoices }: Context): string {
  return invoices.get(`${charge.waba_id} ${charge.billing_month ?? charge.day.slice(0, 7)}`) ?? '';
}

/** The columns of the FOCUS specification. Columns that it does not define begin with `x_`, as it demands. */
const focusRow = z.object({
  BilledCost: amount.describe('What is charged; null where nothing has a price.'),
  BillingAccountId: z.string().describe('Meta’s id of the WhatsApp business account; empty where none is named.'),
  BillingAccountName: z.string().describe('Name of the account; empty where none is set.'),
  BillingCurrency: z.string().describe('Currency of the amounts, ISO 4217.'),
  BillingPeriodStart: utcInstant.describe('First moment of the month; of a correction of the month that bills it.'),
  BillingPeriodEnd: utcInstant.describe('First moment of the month after.'),
  ChargeCategory: z.string().describe('Always Usage.'),
  ChargeDescription: z.string().describe('Category, market and mark in words.'),
  ChargeFrequency: z.string().describe('Always Usage-Based.'),
  ChargePeriodStart: utcInstant.describe('First moment of the day.'),
  ChargePeriodEnd: utcInstant.describe('First moment of the day after.'),
  ConsumedQuantity: count.describe('Number of messages.'),
  ConsumedUnit: z.string().describe('Always Messages.'),
  ContractedCost: amount.describe('The same as BilledCost.'),
  EffectiveCost: amount.describe('The same as BilledCost.'),
  InvoiceIssuerName: z.string().describe('Always Meta.'),
  ListCost: amount.describe('What is charged by the list without any free entry; null without a price.'),
  ListUnitPrice: amount.describe('Price of one message; null where it is not billed or has no price.'),
  PricingCategory: z.string().describe('Always Standard.'),
  PricingQuantity: count.describe('Number of messages.'),
  PricingUnit: z.string().describe('Always Messages.'),
  ProviderName: z.string().describe('Always Meta.'),
  PublisherName: z.string().describe('Always Meta.'),
  RegionName: z.string().describe('Market of the customer.'),
  ResourceId: z.string().describe('Meta’s id of the business number.'),
  ResourceType: z.string().describe('Always Business phone number.'),
  ServiceCategory: z.string().describe('Always Business Applications.'),
  ServiceName: z.string().describe('Always WhatsApp Business Platform.'),
  SkuId: z.string().describe('Category by which the messages are priced.'),
  SkuPriceId: z.string().describe('Rate card and tier of the price.'),
  x_Billing: z.string().describe('The billing mark.'),
  x_Savings: amount.describe('List cost less billed cost; null without a price.'),
  x_Tier: z.string().describe('Tier of the price as from:to; empty where it is not from a tier.'),
  x_RateCard: z.string().describe('Name and date of the rate card.'),
  x_Unrated: count.describe('Number of messages without an amount.'),
  x_Period: z.string().describe('live, or closed and since when; of a correction the month that bills it.'),
  ChargeClass: z
    .enum(['Correction'])
    .nullable()
    .describe('Correction: of a charge of an earlier month, which is closed, billed in a later one; else null.'),
  InvoiceId: z.string().nullable().describe('Id of Meta’s invoice of the account and month, where one was imported.'),
});

/** The function for the cells of each column. */
const CELLS: Readonly<Record<keyof typeof focusRow.shape, (charge: Charge, context: Context) => string>> = {
  BilledCost: (charge) => charge.billed_cost,
  BillingAccountId: (charge) => charge.waba_id,
  BillingAccountName: (charge, { accounts }) => accounts.get(charge.waba_id)?.name ?? '',
  BillingCurrency: (charge) => charge.currency,
  BillingPeriodStart: (charge, context) => utc(periods(charge, context).month),
  BillingPeriodEnd: (charge, context) => utc(periods(charge, context).month.plus({ months: 1 })),
  ChargeCategory: () => 'Usage',
  ChargeDescription: (charge) => `${charge.category} messages to ${charge.market}, ${charge.billing}`,
  ChargeFrequency: () => 'Usage-Based',
  ChargePeriodStart: (charge, context) => utc(periods(charge, context).day),
  ChargePeriodEnd: (charge, context) => utc(periods(charge, context).day.plus({ days: 1 })),
  ConsumedQuantity: (charge) => charge.volume,
  ConsumedUnit: () => 'Messages',
  ContractedCost: (charge) => charge.billed_cost,
  EffectiveCost: (charge) => charge.billed_cost,
  InvoiceIssuerName: () => 'Meta',
  ListCost: (charge) => charge.list_cost,
  ListUnitPrice: (charge) => charge.rate,
  PricingCategory: () => 'Standard',
  PricingQuantity: (charge) => charge.volume,
  PricingUnit: () => 'Messages',
  ProviderName: () => 'Meta',
  PublisherName: () => 'Meta',
  RegionName: (charge) => charge.market,
  ResourceId: (charge) => charge.phone_number_id,
  ResourceType: () => 'Business phone number',
  ServiceCategory: () => 'Business Applications',
  ServiceName: () => 'WhatsApp Business Platform',
  SkuId: (charge) => charge.category,
  SkuPriceId: (charge) => [charge.rate_card, charge.tier].filter((part) => part !== '').join(' '),
  x_Billing: (charge) => charge.billing,
  x_Savings: (charge) => charge.savings,
  x_Tier: (charge) => charge.tier,
  x_RateCard: (charge) => charge.rate_card,
  x_Unrated: (charge) => charge.unrated,
  x_Period: (charge) => charge.period,
  ChargeClass: ({ billing_month }) => (billing_month === undefined ? '' : 'Correction'),
  InvoiceId: invoiceOf,
};

const COLUMNS = columnsOf(focusRow);

function named(columns: readonly string[], row: readonly unknown[]): Charge {
  return Object.fromEntries(columns.map((column, i) => [column, String(row[i])])) as Charge;
}

const invoiceRow = z.object({ account_month: z.string(), invoice_id: z.string() });

/** Ids of Meta's invoices by `account month`, for months with exactly one. */
async function readInvoices(database: Database): Promise<Map<string, string>> {
  const rows = await database.query(
    invoiceRow,
    `SELECT concat(waba_id, ' ', month) AS account_month, any(id) AS invoice_id
     FROM
     (
       SELECT import_id, JSONExtractString(line, 'id') AS id,
         substring(JSONExtractString(line, 'billing_period'), 1, 7) AS month
       FROM (SELECT * FROM meta_lines FINAL) AS lines
       WHERE upper(JSONExtractString(line, 'type')) = 'INV'
     ) AS invoices
     INNER JOIN
     (
       SELECT import_id, toString(waba_id) AS waba_id FROM meta_imports FINAL
       WHERE withdrawn_at IS NULL AND field = 'business_invoices'
     ) AS imports USING (import_id)
     WHERE id != '' AND match(month, '^20[0-9]{2}-[0-9]{2}$')
     GROUP BY waba_id, month HAVING uniqExact(id) = 1`,
  );
  return new Map(rows.map(({ account_month, invoice_id }) => [account_month, invoice_id]));
}

const PARTS = ['charges', 'corrections'] as const;
type Part = (typeof PARTS)[number];

/**
 * Where a page begins: after a row of one of the parts. @throws UnknownPositionError for a position that this report
 * did not give out
 */
function beginOf({ after, limit }: ReportPage): { readonly part: Part; readonly page: ReportPage } {
  if (after === null) return { part: 'charges', page: { after, limit } };
  let place: unknown;
  try {
    place = JSON.parse(after);
  } catch {
    place = null;
  }
  const [name, ...rest] = Array.isArray(place) ? (place as unknown[]) : [];
  const part = PARTS.find((known) => known === name);
  if (part === undefined)
    throw new UnknownPositionError('The position after which the page should begin is not one of this report.');
  return { part, page: { after: JSON.stringify(rest), limit } };
}

/**
 * Report `focus`, streamed: the rows of `charges`, then those of `corrections` that the months of the range bill, with
 * the column names of the FinOps Open Cost and Usage Specification. Times are UTC. Charge and billing periods are days
 * and months of the account's zone, or of the requested zone: in that case no corrections are included.
 */
async function* focus(database: Database, asked: AskedRows): AsyncGenerator<Batch> {
  const { filters } = asked;
  const accounts = (await readConfiguration(database))?.accounts ?? [];
  const cells = COLUMNS.map((column) => CELLS[column as keyof typeof focusRow.shape]);
  const context: Context = {
    accounts: new Map(accounts.map((account) => [account.waba_id, account])),
    zone: filters.is_tz_given === true ? filters.tz : null,
    invoices: await readInvoices(database),
  };
  const begin = asked.page === null ? null : beginOf(asked.page);
  let rowsLeft = asked.page === null ? Infinity : asked.page.limit + 1;
  const parts = filters.is_tz_given === true ? PARTS.slice(0, 1) : PARTS.slice(PARTS.indexOf(begin?.part ?? 'charges'));
  for (const part of parts) {
    if (rowsLeft <= 0) return;
    const page = begin === null ? null : begin.part === part ? begin.page : { after: null, limit: begin.page.limit };
    const [columns, batches] =
      part === 'charges'
        ? [CHARGES_COLUMNS, charges(database, { ...asked, page })]
        : [CORRECTIONS_COLUMNS, corrections(database, { filters, page })];
    for await (const batch of batches) {
      const rows = batch.slice(0, rowsLeft);
      rowsLeft -= rows.length;
      yield rows.map((row) => {
        const charge = named(columns, row);
        // In a page, a row's position is its part and its position there.
        const places = row.slice(columns.length).map((place) => [part, ...(place as readonly string[])]);
        return [...cells.map((cell) => cell(charge, context)), ...places];
      });
    }
  }
}

export const focusReport = streamed({
  name: 'focus',
  one_row_per: 'row of `charges`, and of `corrections`, in the columns of the FinOps specification (FOCUS)',
  row: focusRow,
  days: 'accounts',
  filters: ['waba_id'],
  settles: ['charges'],
  reads: (filters) => [...chargeTables(filters), ...correctionTables(filters), 'meta_imports', 'meta_lines'],
  rows: focus,
});
