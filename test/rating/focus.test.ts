import { Decimal } from 'decimal.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { csvReport, settleReports } from '../../services/exports/report.ts';
import { closePeriod } from '../../services/periods/periods.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { parsed } from '../support/expected-rows.ts';
import { EVERYTHING, openLedger } from '../support/ledger.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { csvRows, DataDirectory } from '../support/product.ts';

const NUMBER = '106540352242922';
const WABA = '102290129340398';

function delivered(id: string, at: string): unknown[] {
  const timestamp = Date.parse(at) / 1000;
  const shared = { waba_id: WABA, phone_number_id: NUMBER, wa_id: '5511955551234', id };
  const template = { name: 'offer', language: 'pt', category: 'marketing' };
  return [
    { event: 'message', direction: 'outbound', ...shared, timestamp, type: 'template', template },
    { event: 'status', ...shared, timestamp, status: 'delivered' },
  ];
}

describe('charges under the names of FOCUS', () => {
  let data: DataDirectory;
  let ledger: Ledger;
  beforeAll(async () => {
    data = new DataDirectory();
    const account = { waba_id: WABA, name: 'Acme', time_zone: 'Europe/Berlin', currency: 'EUR' };
    ledger = await openLedger(data, 'focus', { accounts: [account] });
    await importRateFile(ledger.database, {
      name: 'eur.csv',
      bytes: Buffer.from(
        'Cost per message in EUR\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,EUR,0.12345678,0.1,0.1\n',
      ),
      effective: '2025-07-01',
      by: 'a test',
    });
    await ledger.record(
      parsed([
        // The first second of a month in the account's zone, and a day of 25 hours.
        ...delivered('wamid.1', '2026-09-30T22:00:00Z'),
        ...delivered('wamid.2', '2026-10-24T22:00:00Z'),
        ...delivered('wamid.3', '2026-10-25T22:59:59Z'),
      ]),
    );
    await settleReports(['focus'], ledger.database);
  });
  afterAll(async () => {
    await ledger.close();
    await data.remove();
  });

  async function rows(
    report: 'focus' | 'focus-billing-periods' | 'charges',
    tz?: string,
  ): Promise<Record<string, string>[]> {
    let text = '';
    const filters = tz === undefined ? EVERYTHING : { ...EVERYTHING, tz, is_tz_given: true };
    for await (const part of csvReport(report, ledger.database, filters)) text += part;
    return csvRows(text);
  }

  it('have the periods of the account in UTC', async () => {
    expect(await rows('focus')).toMatchObject([
      {
        BillingPeriodStart: '2026-09-30T22:00:00Z',
        BillingPeriodEnd: '2026-10-31T23:00:00Z',
        ChargePeriodStart: '2026-09-30T22:00:00Z',
        ChargePeriodEnd: '2026-10-01T22:00:00Z',
        BilledCost: '0.12345678',
        ListUnitPrice: '0.12345678',
        BillingAccountName: 'Acme',
        BillingCurrency: 'EUR',
        RegionName: 'Brazil',
        SkuPriceId: 'eur.csv 2025-07-01',
      },
      {
        ChargePeriodStart: '2026-10-24T22:00:00Z',
        ChargePeriodEnd: '2026-10-25T23:00:00Z',
        ConsumedQuantity: '2',
        ListCost: '0.24691356',
      },
    ]);
  });

  it('are as many as the charges, and cost the same', async () => {
    for (const tz of [undefined, 'Asia/Kolkata']) {
      const [charges, focus] = [await rows('charges', tz), await rows('focus', tz)];
      const total = (amounts: readonly (string | undefined)[]): string =>
        amounts.reduce((sum, amount) => sum.plus(amount || 0), new Decimal(0)).toFixed();
      expect(focus).toHaveLength(charges.length);
      for (const [ours, theirs] of [
        ['billed_cost', 'BilledCost'],
        ['list_cost', 'ListCost'],
        ['volume', 'PricingQuantity'],
      ] as const)
        expect(total(focus.map((row) => row[theirs]))).toBe(total(charges.map((row) => row[ours])));
    }
  });

  it('have the months that they are billed in, open until these are closed', async () => {
    const october = {
      BillingPeriodStart: '2026-09-30T22:00:00Z',
      BillingPeriodEnd: '2026-10-31T23:00:00Z',
      BillingPeriodCreated: '2026-09-30T22:00:00Z',
      InvoiceIssuerName: 'Meta',
      x_BillingAccountId: WABA,
      x_BillingAccountName: 'Acme',
      x_Month: '2026-10',
    };
    const [open, ...others] = await rows('focus-billing-periods');
    // 2027-01-15T08:00:00Z is the clock of all these questions.
    const BillingPeriodLastUpdated = '2027-01-15T08:00:00Z';
    expect([open, others]).toMatchObject([{ ...october, BillingPeriodStatus: 'Open', BillingPeriodLastUpdated }, []]);
    const at = Date.parse('2026-11-06T09:00:00Z');
    await closePeriod(ledger.database, { waba_id: WABA, month: '2026-10', by: 'ana', accept: true }, () => at);
    expect(await rows('focus-billing-periods')).toMatchObject([
      { ...october, BillingPeriodStatus: 'Closed', BillingPeriodLastUpdated: '2026-11-06T09:00:00Z' },
    ]);
  });
});
