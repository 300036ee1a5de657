/** The whole bill of a month, read from imports: messages, calls, Meta's agent, memos and tax. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { MetaField } from '../../schemas/meta.ts';
import { csvReport, settleReports } from '../../services/exports/report.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { importMetaAnswers } from '../../services/reconciliation/imports.ts';
import { importInvoice, keepInvoiceMapping } from '../../services/reconciliation/invoices.ts';
import { DataDirectory, EVERYTHING, openLedger } from '../support/ledger.ts';
import { csvRows } from '../support/product.ts';
import { dataPoint, file } from './meta.ts';
import { Decimal } from './naive.ts';
import { ACCOUNT, BEGINS, NUMBERS, WABA } from './world.ts';

const DAY = 86_400;
const data = new DataDirectory();
let ledger: Ledger;

beforeAll(async () => {
  ledger = await openLedger(data, 'whole_bill', { accounts: [ACCOUNT] });
  await settleReports(['whole-bill'], ledger.database);
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});
beforeEach(async () => {
  for (const table of ['meta_imports', 'meta_points', 'meta_lines', 'import_files', 'invoices', 'invoice_lines'])
    await ledger.database.command(`TRUNCATE TABLE ${table}`);
});

const take = (name: string, value: unknown, field?: MetaField) =>
  importMetaAnswers(ledger.database, [file(name, value)], {
    ...{ days: 'account', asked: field === undefined ? { from: '2026-10-01', to: '2026-11-01' } : null, by: 'a test' },
    ...(field === undefined ? {} : { waba_id: WABA, field }),
  });

/** Messages for 62.5 in October. */
const takeMessages = () =>
  take('messages.json', {
    id: WABA,
    pricing_analytics: {
      data: [
        {
          data_points: [
            dataPoint({
              ...{ day: '2026-10-05', phone_number: NUMBERS[0].display, country: 'BR', category: 'MARKETING' },
              ...{ pricing_type: 'REGULAR', tier: '0:MAX', volume: 1_000, cost: new Decimal('62.5') },
            }),
          ],
        },
      ],
    },
  });

/** A call's day, counted from 0. */
const call = (day: number, cost: number | string | undefined) => ({
  ...{ start: BEGINS + day * DAY, end: BEGINS + (day + 1) * DAY, count: 1, direction: 'BUSINESS_INITIATED' },
  ...(cost === undefined ? {} : { cost }),
});
const takeCalls = (name: string, ...data_points: readonly unknown[]) =>
  take(name, { id: WABA, call_analytics: { granularity: 'DAILY', data_points } }, 'call_analytics');

const takeAgent = (cost: number) =>
  take(
    'agent.json',
    {
      data: [
        { start: BEGINS, end: BEGINS + 31 * DAY, billable_messages: 40, billable_tokens: 2_000_000, cost },
        { start: BEGINS - 31 * DAY, end: BEGINS, billable_messages: 9, billable_tokens: 9, cost: 99 },
      ],
    },
    'business_agent_insights',
  );

const invoice = (id: string, type: string, net: string, tax: string, total: string, billing_period = '2026-10-01') => ({
  ...{ id, type, billing_period },
  billed_amount_details: { currency: 'USD', net_amount: net, tax_amount: tax, total_amount: total },
});
const takeInvoices = (name: string, ...all: readonly unknown[]) => take(name, { data: all }, 'business_invoices');

async function bill(): Promise<Record<string, string>> {
  let text = '';
  const filters = { ...EVERYTHING, from: '2026-10-01', to: '2026-11-01', waba_id: WABA };
  for await (const part of csvReport('whole-bill', ledger.database, filters)) text += part;
  return Object.fromEntries(csvRows(text).map((row) => [row['line'], row['amount'] || row['reason']])) as Record<
    string,
    string
  >;
}

describe('the whole bill', () => {
  it('comes out at 0 where all of it was imported', async () => {
    await takeMessages();
    await takeCalls('calls.json', call(0, 1.25), call(30, '2.25'), call(31, 50));
    await takeAgent(4);
    await takeInvoices(
      'invoices.json',
      invoice('1', 'INV', '70.00', '7.00', '77.00'),
      invoice('2', 'CM', '10.00', '1.00', '11.00'),
      invoice('4', 'DM', '1,000.00', '0.00', '1,000.00'),
      invoice('3', 'INV', '9', '0', '9', '2026-09-01'),
    );
    expect(await bill()).toEqual({
      ...{ billed: '1066', messages: '62.5', calls: '3.5', agent: '4', debit_memos: '1000', credit_memos: '-10' },
      ...{ tax: '6', residual: '0' },
    });
  });

  it('shows what is left, and what is not known', async () => {
    await takeMessages();
    await takeInvoices('invoices.json', invoice('1', 'INV', '70', '7', '77'));
    expect(await bill()).toEqual({
      ...{ billed: '77', messages: '62.5', tax: '7', residual: '7.5' },
      calls: "Meta's call_analytics of the month were not imported.",
      agent: "Meta's business_agent_insights of the month were not imported.",
    });
  });

  it('takes the latest import for each day, and never counts a day twice', async () => {
    await takeMessages();
    await takeCalls('1.json', call(0, 1), call(1, 2));
    await takeCalls('2.json', call(1, 3));
    expect(await bill()).toMatchObject({ calls: '4' });
    // The whole month in one line: it replaces both.
    await takeCalls('3.json', { ...call(0, 10), end: BEGINS + 31 * DAY });
    expect(await bill()).toMatchObject({ calls: '10' });
    await takeCalls('4.json', call(5, 6));
    expect(await bill()).toMatchObject({ calls: 'A later import replaces part of what an earlier one sums up.' });
  });

  it('does not take a missing cost for 0', async () => {
    await takeMessages();
    await takeCalls('calls.json', call(0, 1), call(1, undefined));
    expect(await bill()).toMatchObject({ calls: "Of Meta's lines 1 have no cost." });
  });

  it('is that of imported invoices where Meta’s own are not there', async () => {
    await takeMessages();
    await takeCalls('calls.json', call(0, 2));
    await takeAgent(0);
    const text =
      'Month,Amount,Kind\n2026-10,64.5,Usage\n2026-10,3,Fee\n2026-10,-1,Credit\n2026-10,6,Tax\n2026-09,7,Usage\n';
    const { database } = ledger;
    const columns = { month: 'Month', amount: 'Amount', kind: 'Kind' };
    await keepInvoiceMapping(database, { name: 'partner', columns, currency: 'USD' }, 'a test');
    await importInvoice(database, { ...file('invoice.csv', text), waba_id: WABA, by: 'a test' }, 'partner');
    expect(await bill()).toEqual({
      ...{ billed: '72.5', messages: '62.5', calls: '2', agent: '0', fees: '3', credits: '-1', tax: '6' },
      residual: '0',
    });
  });

  it('is that of a partner, by a mapping that comes with the product', async () => {
    await takeMessages();
    const record = (category: string, price: string) => ({
      ...{ category, price, price_unit: 'usd', count: '1000', start_date: '2026-10-01', end_date: '2026-10-31' },
    });
    const usage_records = [
      record('channels-messaging', '5'),
      record('channels-whatsapp', '62.5'),
      record('channels-whatsapp-template-marketing', '62.5'),
    ];
    const given = { ...file('usage.json', { usage_records }), waba_id: WABA, by: 'a test' };
    const { outcome } = await importInvoice(ledger.database, given, 'twilio-usage');
    expect(outcome).toBe('imported');
    expect((await importInvoice(ledger.database, given, 'twilio-usage')).outcome).toBe('unchanged');
    expect(await bill()).toMatchObject({ billed: '67.5', messages: '62.5', fees: '5', residual: '0' });
  });
});
