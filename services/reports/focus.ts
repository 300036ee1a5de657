import type { Account } from '@ctwa-ledger/schemas/config.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/reports.ts';
import { DateTime } from 'luxon';
import { readConfiguration } from '../ledger/configuration.ts';
import type { Database } from '../ledger/database.ts';
import { charges, CHARGES_COLUMNS } from './charges.ts';

type Charge = Readonly<Record<(typeof CHARGES_COLUMNS)[number], string>>;

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

/** What each column of the FOCUS specification holds; what it does not know begins with `x_`, as it asks for. */
const COLUMNS: Readonly<Record<string, (charge: Charge, context: Context) => string>> = {
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

export const FOCUS_COLUMNS = Object.keys(COLUMNS);

function named(row: readonly unknown[]): Charge {
  return Object.fromEntries(CHARGES_COLUMNS.map((column, i) => [column, String(row[i])])) as Charge;
}

/**
 * Report `focus`, streamed: the rows of `charges` under the column names of the FinOps Open Cost and Usage Specification.
 * Times are UTC; charge and billing periods are days and months of the account's zone, or of the zone asked for.
 */
export async function* focus(database: Database, filters: ReportFilters): AsyncGenerator<(readonly unknown[])[]> {
  const accounts = (await readConfiguration(database))?.accounts ?? [];
  const context: Context = {
    accounts: new Map(accounts.map((account) => [account.waba_id, account])),
    zone: filters.is_tz_given === true ? filters.tz : null,
  };
  for await (const rows of charges(database, filters))
    yield rows.map((row) => {
      const charge = named(row);
      return Object.values(COLUMNS).map((cell) => cell(charge, context));
    });
}
