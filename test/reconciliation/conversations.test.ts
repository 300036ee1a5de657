import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { csvReport, settleReports } from '../../services/exports/report.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { importMetaAnswers } from '../../services/reconciliation/imports.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, EVERYTHING, openLedger } from '../support/ledger.ts';
import { csvRows } from '../support/product.ts';
import { file } from './meta.ts';

/** A month of conversation pricing is held against conversations, not messages. */

const WABA = '1';
const NUMBER = '106540352242922';
const at = (text: string): number => Date.parse(`2025-06-${text}Z`) / 1000;

function sent(id: string, customer: string, time: number, category: string | null): unknown[] {
  const shared = { waba_id: WABA, phone_number_id: NUMBER, wa_id: customer, id };
  const rest =
    category === null ? { type: 'text' } : { type: 'template', template: { name: 't', language: 'en', category } };
  return [
    { event: 'message', direction: 'outbound', ...shared, timestamp: time, ...rest },
    { event: 'status', ...shared, status: 'delivered', timestamp: time + 1 },
  ];
}

function wrote(id: string, customer: string, time: number, rest: object = {}): unknown {
  const shared = { waba_id: WABA, phone_number_id: NUMBER, wa_id: customer, id };
  return { event: 'message', direction: 'inbound', ...shared, timestamp: time, type: 'text', ...rest };
}

describe('conversations', () => {
  const data = new DataDirectory();
  let ledger: Ledger;
  beforeAll(async () => {
    ledger = await openLedger(data, 'conversations', { accounts: [{ waba_id: WABA, currency: 'USD' }] });
    await importRateFile(ledger.database, {
      name: 'cbp.csv',
      bytes: Buffer.from(
        'Cost per conversation in USD\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,USD,0.0625,0.008,0.03\n',
      ),
      effective: '2024-11-01',
      by: 'a test',
    });
    await ledger.record(
      parsed([
        // Two messages of one conversation, and one of another.
        ...sent('a', '5511955550001', at('03T10:00:00'), 'marketing'),
        ...sent('b', '5511955550001', at('03T12:00:00'), 'marketing'),
        ...sent('c', '5511955550002', at('03T12:00:00'), 'utility'),
        // A free entry window with two messages in it.
        wrote('d', '5511955550003', at('03T12:00:00'), { referral: { source_type: 'ad', source_id: '7' } }),
        ...sent('e', '5511955550003', at('03T13:00:00'), null),
        ...sent('f', '5511955550003', at('03T14:00:00'), 'marketing'),
        // A conversation that the customer began.
        wrote('g', '5511955550004', at('03T12:00:00')),
        ...sent('h', '5511955550004', at('03T13:00:00'), null),
      ]),
    );
    await settleReports(['reconciliation'], ledger.database);
  });
  afterAll(async () => {
    await ledger.close();
    await data.remove();
  });

  it('are counted by what opens them', async () => {
    const [start, end] = [at('03T00:00:00'), at('04T00:00:00')];
    const point = (type: string, category: string, cost: number) => ({
      ...{ start, end, country: 'BR', conversation: 1, cost },
      conversation_type: type,
      conversation_category: category,
      conversation_direction: 'UNKNOWN',
    });
    const data_points = [
      point('REGULAR', 'MARKETING', 0.0625),
      point('REGULAR', 'UTILITY', 0.008),
      point('FREE_ENTRY', 'SERVICE', 0),
      point('FREE_TIER', 'SERVICE', 0),
    ];
    await importMetaAnswers(ledger.database, [file('c.json', { data: [{ data_points }] })], {
      ...{ waba_id: WABA, field: 'conversation_analytics', days: 'account', by: 'a test' },
      asked: { from: '2025-06-01', to: '2025-07-01' },
    });
    let text = '';
    const filters = { ...EVERYTHING, from: '2025-06-01', to: '2025-07-01' };
    for await (const part of csvReport('reconciliation', ledger.database, filters)) text += part;
    expect(
      csvRows(text).map((row) => [
        row['category'],
        row['pricing_type'],
        row['our_volume'],
        row['our_cost'],
        row['status'],
      ]),
    ).toEqual([
      ['ANY', 'FREE_ENTRY_POINT', '1', '0', 'match'],
      ['MARKETING', 'REGULAR', '1', '0.0625', 'match'],
      ['SERVICE', 'FREE_TIER', '1', '0', 'match'],
      ['UTILITY', 'REGULAR', '1', '0.008', 'match'],
    ]);
  });
});
