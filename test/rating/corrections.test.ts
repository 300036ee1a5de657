import { Decimal } from 'decimal.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { csvReport, objectReport, readPage, settleReports, type ReportName } from '../../services/exports/report.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { closePeriod, listPeriods, reopenPeriod } from '../../services/periods/periods.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { importMetaAnswers } from '../../services/reconciliation/imports.ts';
import { parsed } from '../support/expected-rows.ts';
import { EVERYTHING, numberFrom, openLedger } from '../support/ledger.ts';
import { csvRows, DataDirectory } from '../support/product.ts';

const WABA = 'W1';
const NOW = Date.parse('2027-01-05T00:00:00Z');
const CARD = 'Cost per message\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,USD,0.0625,0.0068,0.0068\n';

type Rows = Record<string, string>[];

const data = new DataDirectory();
let ledger: Ledger;

function delivered(id: string, day: string): object[] {
  const timestamp = Date.parse(`${day}T12:00:00Z`) / 1_000;
  const of = { waba_id: WABA, phone_number_id: 'N1', wa_id: '5511955550001', id, timestamp };
  const template = { name: 't', category: 'marketing' };
  return [
    { event: 'message', direction: 'outbound', ...of, type: 'template', template },
    { event: 'status', ...of, status: 'delivered' },
  ];
}

async function record(...messages: [id: string, day: string][]): Promise<void> {
  await ledger.record(parsed(messages.flatMap(([id, day]) => delivered(id, day))));
}

async function rows(report: ReportName, filters: ReportFilters = EVERYTHING): Promise<Rows> {
  await settleReports([report], ledger.database);
  let text = '';
  for await (const part of csvReport(report, ledger.database, filters)) text += part;
  return csvRows(text);
}

const month = (from: string, to: string): ReportFilters => ({ ...EVERYTHING, from: `${from}-01`, to: `${to}-01` });
const October = month('2026-10', '2026-11');
const November = month('2026-11', '2026-12');
const December = month('2026-12', '2027-01');

async function close(of: string): Promise<void> {
  const closing = { waba_id: WABA, month: of, by: 'ana', accept: true };
  expect((await closePeriod(ledger.database, closing, () => NOW)).outcome).toBe('closed');
}

async function reopen(of: string): Promise<void> {
  const period = (await listPeriods(ledger.database)).find((one) => one.month === of && one.state === 'closed');
  await reopenPeriod(ledger.database, period!.period_id, 'ana', 'a test');
}

const total = (found: Rows, column: string): string =>
  found.reduce((sum, row) => sum.plus(row[column] || 0), new Decimal(0)).toFixed();

beforeAll(async () => {
  ledger = await openLedger(data, 'corrections', { accounts: [{ waba_id: WABA, currency: 'USD' }] });
  const card = { name: 'card.csv', bytes: Buffer.from(CARD), effective: '2026-07-01', by: 'ana' };
  await importRateFile(ledger.database, card);
  await record(['o1', '2026-10-03'], ['o2', '2026-10-03'], ['n1', '2026-11-04'], ['d1', '2026-12-05']);
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});

describe('corrections of closed months', () => {
  it('are none while nothing is closed', async () => {
    expect(await rows('corrections')).toEqual([]);
    expect((await rows('focus')).map(({ ChargeClass }) => ChargeClass)).toEqual(['', '', '']);
  });

  it('are billed in the next open month, with their own day, and leave the closed month as it is', async () => {
    await close('2026-10');
    const closed = await rows('focus', October);
    await record(['o3', '2026-10-09'], ['o4', '2026-10-03']);
    expect(await rows('focus', October)).toEqual(closed);
    expect(await rows('corrections', October)).toEqual([]);
    expect(await rows('corrections', November)).toMatchObject([
      { billing_month: '2026-11', day: '2026-10-03', volume: '1', billed_cost: '0.0625', period: 'live' },
      { billing_month: '2026-11', day: '2026-10-09', volume: '1', billed_cost: '0.0625', period: 'live' },
    ]);
    const november = await rows('focus', November);
    expect(november.map(({ ChargeClass }) => ChargeClass)).toEqual(['', 'Correction', 'Correction']);
    expect(november[2]).toMatchObject({
      BillingPeriodStart: '2026-11-01T00:00:00Z',
      BillingPeriodEnd: '2026-12-01T00:00:00Z',
      ChargePeriodStart: '2026-10-09T00:00:00Z',
      ChargePeriodEnd: '2026-10-10T00:00:00Z',
      BilledCost: '0.0625',
      ConsumedQuantity: '1',
    });
    // A range that has not the first day of the month has none.
    expect(await rows('corrections', { ...EVERYTHING, from: '2026-11-02', to: '2026-12-01' })).toEqual([]);
    // Months of a zone are nobody's.
    expect((await rows('focus', { ...EVERYTHING, tz: 'Asia/Kolkata', is_tz_given: true })).length).toBe(4);
  });

  it('are frozen with the month that bills them; what changes after that is billed later', async () => {
    await close('2026-11');
    const november = await rows('focus', November);
    expect(november.map(({ ChargeClass }) => ChargeClass)).toEqual(['', 'Correction', 'Correction']);
    expect(november.every(({ x_Period }) => x_Period?.startsWith('closed '))).toBe(true);
    await record(['o5', '2026-10-09'], ['n2', '2026-11-04']);
    expect(await rows('focus', November)).toEqual(november);
    expect(await rows('corrections', December)).toMatchObject([
      { billing_month: '2026-12', day: '2026-10-09', volume: '1' },
      { billing_month: '2026-12', day: '2026-11-04', volume: '1' },
    ]);
    // Charges as they were closed, with all corrections, are the charges now.
    const [focus, messages] = [
      await rows('focus'),
      await numberFrom(ledger.database, 'SELECT count() AS n FROM message_marks FINAL'),
    ];
    expect(total(focus, 'ConsumedQuantity')).toBe(String(messages));
    expect(total(focus, 'BilledCost')).toBe(new Decimal('0.0625').times(messages).toFixed());
  });

  it('reverse what was billed for a month that is reopened', async () => {
    await reopen('2026-10');
    // October is whole again, so what November billed of it goes back, in the month after it that is open.
    expect(await rows('corrections', December)).toMatchObject([
      { day: '2026-10-03', volume: '-1', billed_cost: '-0.0625' },
      { day: '2026-10-09', volume: '-1', billed_cost: '-0.0625' },
      { day: '2026-11-04', volume: '1' },
    ]);
    expect(total(await rows('focus'), 'ConsumedQuantity')).toBe('8');
    await close('2026-10');
    expect(total(await rows('focus'), 'ConsumedQuantity')).toBe('8');
    await reopen('2026-11');
    expect(await rows('corrections')).toEqual([]);
    expect(total(await rows('focus'), 'ConsumedQuantity')).toBe('8');
  });

  it('are read page by page with the charges', async () => {
    await record(['o6', '2026-10-20'], ['o7', '2026-10-21']);
    await settleReports(['focus'], ledger.database);
    const whole: unknown[] = [];
    for await (const batch of objectReport('focus', ledger.database, EVERYTHING)) whole.push(...batch);
    expect(whole.length).toBeGreaterThan(4);
    for (const limit of [2, whole.length]) {
      const found: unknown[] = [];
      let after: string | null = null;
      do {
        const asked = { filters: EVERYTHING, by: 'sent', page: { limit, after } } as const;
        const page = await readPage('focus', ledger.database, asked);
        expect(page.rows.length).toBeLessThanOrEqual(limit);
        found.push(...page.rows);
        after = page.next;
      } while (after !== null);
      expect(found).toEqual(whole);
    }
    for (const after of ['', '[]', '["charges"]', '["corrections","x"]', '{"a":1}'])
      await expect(
        readPage('focus', ledger.database, { filters: EVERYTHING, by: 'sent', page: { limit: 1, after } }),
      ).rejects.toThrow('is not one of this report');
  });

  it('name the invoice of the month that bills them', async () => {
    const line = { id: 'inv-11', type: 'INV', billing_period: '2026-11-01' };
    const bytes = Buffer.from(JSON.stringify({ id: WABA, business_invoices: { data: [line] } }));
    const about = { days: 'account', asked: null, by: 'ana' } as const;
    await importMetaAnswers(ledger.database, [{ name: 'invoices.json', bytes }], about);
    const named = (await rows('focus')).filter(({ InvoiceId }) => InvoiceId !== '');
    expect(named.length).toBeGreaterThan(0);
    for (const { BillingPeriodStart } of named) expect(BillingPeriodStart).toBe('2026-11-01T00:00:00Z');
  });
});
