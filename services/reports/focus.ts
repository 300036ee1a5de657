import type { Account } from '@ctwa-ledger/schemas/config.ts';
import { amount, count, utcInstant } from '@ctwa-ledger/schemas/cells.ts';
import { DateTime } from 'luxon';
import { z } from 'zod';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import type { Database } from '../clickhouse/database.ts';
import { charges, CHARGES_COLUMNS, type chargesRow } from './charges.ts';
import { columnsOf, streamed, type AskedRows, type Batch } from './report.ts';
import { chargeTables } from './tables.ts';

type Charge = Readonly<Record<keyof typeof chargesRow.shape, string>>;

interface Context {
  readonly accounts: ReadonlyMap<string, Account>;
  /** The zone whose days were asked for; null = each account's own. */
  readonly zone: string | null;
}

function utc(time: DateTime): string {
  return time.toUTC().toFormat("yyyy-MM-dd'T'HH:mm:ss'Z'");
}

function periods({ day, waba_id }: Charge, { accounts, zone }: Context): { day: DateTime; month: DateTime } {
  const start = DateTime.fromISO(day, { zone: zone ?? accounts.get(waba_id)?.time_zone ?? 'UTC' }).startOf('day');
  return { day: start, month: start.startOf('month') };
}

/** The columns of the FOCUS specification; what it does not know begins with `x_`, as it asks for. */
const focusRow = z.object({
  BilledCost: amount.describe('What is charged; null where nothing has a price.'),
  BillingAccountId: z.string().describe('Meta’s id of the WhatsApp business account; empty where none is named.'),
  BillingAccountName: z.string().describe('Name of the account; empty where none is set.'),
  BillingCurrency: z.string().describe('Currency of the amounts, ISO 4217.'),
  BillingPeriodStart: utcInstant.describe('First moment of the month.'),
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
  x_Period: z.string().describe('live, or closed and since when.'),
});

/** What makes the cells of each column. */
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
};

const COLUMNS = columnsOf(focusRow);

function named(row: readonly unknown[]): Charge {
  return Object.fromEntries(CHARGES_COLUMNS.map((column, i) => [column, String(row[i])])) as Charge;
}

/**
 * Report `focus`, streamed: the rows of `charges` under the column names of the FinOps Open Cost and Usage Specification.
 * Times are UTC; charge and billing periods are days and months of the account's zone, or of the zone asked for.
 */
async function* focus(database: Database, asked: AskedRows): AsyncGenerator<Batch> {
  const { filters } = asked;
  const accounts = (await readConfiguration(database))?.accounts ?? [];
  const cells = COLUMNS.map((column) => CELLS[column as keyof typeof focusRow.shape]);
  const context: Context = {
    accounts: new Map(accounts.map((account) => [account.waba_id, account])),
    zone: filters.is_tz_given === true ? filters.tz : null,
  };
  for await (const rows of charges(database, asked))
    yield rows.map((row) => {
      const charge = named(row);
      // Of a page, the place of the charge is that of its row.
      return [...cells.map((cell) => cell(charge, context)), ...row.slice(CHARGES_COLUMNS.length)];
    });
}

export const focusReport = streamed({
  name: 'focus',
  one_row_per: 'row of `charges`, in the columns of the FinOps specification (FOCUS)',
  row: focusRow,
  days: 'accounts',
  filters: [],
  settles: ['charges'],
  reads: chargeTables,
  rows: focus,
});
