import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { afterAll, describe, expect, it } from 'vitest';
import { settleReports } from '../../services/exports/report.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { mismatchedMessages, mismatches, reportedMessages } from '../../services/reports/mismatches.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, EVERYTHING, withLedger } from '../support/ledger.ts';

const data = new DataDirectory();
afterAll(() => data.remove());

const CARD =
  'Cost per message\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,USD,0.0625,0.0068,0.0068\nBrazil,BRL,0.33,0.03,0.03\n';
const TIERS =
  'Market,Currency,Message type,From,To,Rate\nBrazil,USD,utility,1,2,0.0068\nBrazil,USD,utility,3,MAX,0.005\n';
const at = (text: string): number => Date.parse(text) / 1_000;

interface Sent {
  readonly id: string;
  readonly time: string;
  readonly reported: string;
  readonly category?: string;
  readonly customer?: string;
  readonly waba_id?: string;
}

/** A template with Meta's report. */
function template({
  id,
  time,
  reported,
  category = 'marketing',
  customer = '5511955550001',
  waba_id = 'W1',
}: Sent): object[] {
  const of = { waba_id, phone_number_id: `N${waba_id}`, wa_id: customer, id };
  const pricing = { billable: reported === 'regular', pricing_model: 'PMP', type: reported, category };
  return [
    {
      event: 'message',
      direction: 'outbound',
      ...of,
      timestamp: at(time) - 60,
      type: 'template',
      template: { name: 't', category },
    },
    { event: 'status', ...of, status: 'delivered', timestamp: at(time), pricing },
  ];
}

const click = (waba_id: string, customer: string): object => ({
  event: 'message',
  direction: 'inbound',
  waba_id,
  phone_number_id: `N${waba_id}`,
  wa_id: customer,
  id: `click.${customer}`,
  timestamp: at('2026-10-05T12:00:00Z'),
  type: 'text',
  referral: { source_type: 'ad', source_id: 'ad-1' },
});

const EVENTS = [
  // Answered within the day: free by the rules, charged by Meta.
  click('W1', '5511955550002'),
  ...template({ id: 'opener', time: '2026-10-05T13:00:00Z', reported: 'free_entry_point', customer: '5511955550002' }),
  ...template({ id: 'charged', time: '2026-10-05T14:00:00Z', reported: 'regular', customer: '5511955550002' }),
  click('W2', '5511955550003'),
  ...template({
    id: 'o2',
    time: '2026-10-05T13:00:00Z',
    reported: 'free_entry_point',
    customer: '5511955550003',
    waba_id: 'W2',
  }),
  ...template({
    id: 'c2',
    time: '2026-10-05T14:00:00Z',
    reported: 'regular',
    customer: '5511955550003',
    waba_id: 'W2',
  }),
  // Charged by the rules, free by Meta: the second one has no price.
  ...template({ id: 'free', time: '2026-10-06T14:00:00Z', reported: 'free_entry_point' }),
  ...template({ id: 'abroad', time: '2026-10-06T15:00:00Z', reported: 'free_entry_point', customer: '919955550001' }),
  ...template({
    id: 'code',
    time: '2026-10-06T16:00:00Z',
    reported: 'free_entry_point',
    category: 'authentication',
    customer: '919955550001',
  }),
  // By the prediction it costs what the tier costs that was reached by then.
  ...['01', '02', '09'].flatMap((day) =>
    template({ id: `u${day}`, time: `2026-10-${day}T14:00:00Z`, reported: 'regular', category: 'utility' }),
  ),
  ...template({ id: 'tiered', time: '2026-10-10T14:00:00Z', reported: 'free_entry_point', category: 'utility' }),
];

const FIRST = { sort: { column: 'delivered_at', descending: true }, after: '', limit: 100 } as const;

describe('the days of mismatches', () => {
  it('are those of each account, or of the zone that is asked for', () =>
    withLedger(
      data,
      'mismatch_days',
      async (ledger) => {
        const { database } = ledger;
        const late = '2026-11-01T01:30:00Z';
        await ledger.record(
          parsed([
            ...template({ id: 'still october', time: late, reported: 'free_entry_point' }),
            ...template({ id: 'agrees', time: late, reported: 'regular', customer: '5511955550009' }),
            ...template({ id: 'november', time: late, reported: 'free_entry_point', waba_id: 'W2' }),
            ...template({ id: 'abroad', time: late, reported: 'free_entry_point', customer: '919955550001' }),
          ]),
        );
        await settleReports(['mismatches', 'daily'], database);
        const october = { from: '2026-10-01', to: '2026-11-01', tz: 'UTC', as_of: 0 } as const;
        const ids = async (filters: ReportFilters): Promise<string[]> => {
          const { rows } = await mismatchedMessages(database, filters, FIRST);
          const groups = await mismatches(database, filters);
          expect(groups.reduce((sum, { messages }) => sum + messages, 0)).toBe(rows.length);
          expect(new Set(groups.map(({ waba_id }) => waba_id))).toEqual(new Set(rows.map(({ waba_id }) => waba_id)));
          return rows.map(({ message_id }) => message_id).sort();
        };
        expect(await ids(october)).toEqual(['abroad', 'still october']);
        expect(await ids({ ...october, market: 'Brazil' })).toEqual(['still october']);
        expect(await ids({ ...october, waba_id: 'W2' })).toEqual([]);
        expect(await ids({ ...october, from: '2026-11-01', to: '2026-12-01' })).toEqual(['november']);
        expect(await ids({ ...october, is_tz_given: true })).toEqual([]);
        expect(await ids({ ...october, tz: 'America/Sao_Paulo', is_tz_given: true })).toEqual([
          'abroad',
          'november',
          'still october',
        ]);
        expect(await reportedMessages(database, october)).toBe(3);
        expect(await reportedMessages(database, { ...october, waba_id: 'W2' })).toBe(0);
        expect(await reportedMessages(database, { ...october, from: '2026-11-01', to: '2026-11-02' })).toBe(1);
        expect(await reportedMessages(database, { ...october, is_tz_given: true })).toBe(0);
        expect(await reportedMessages(database, { ...october, market: 'Brazil' })).toBeNull();
      },
      {
        accounts: [
          { waba_id: 'W1', time_zone: 'America/Sao_Paulo' },
          { waba_id: 'W2', time_zone: 'UTC' },
        ],
      },
    ));
});

describe('mismatches in money', () => {
  it('are what the messages cost by the report, and what they would by the prediction', () =>
    withLedger(
      data,
      'mismatch_money',
      async (ledger) => {
        const { database } = ledger;
        for (const [name, text] of [
          ['list.csv', CARD],
          ['tiers.csv', TIERS],
        ] as const)
          await importRateFile(database, { name, bytes: Buffer.from(text), effective: '2026-07-01', by: 'ana' });
        await ledger.record(parsed(EVENTS));
        await settleReports(['mismatches'], database);
        const rows = await mismatches(database, EVERYTHING);
        const said = rows.map((row) => [
          row.predicted,
          row.reported,
          row.category,
          row.currency,
          row.messages,
          row.cost_followed,
          row.cost_predicted,
          row.cost_difference,
          row.unrated,
        ]);
        expect(said).toEqual([
          ['BILLABLE', 'FREE_ENTRY', 'marketing', 'USD', 2, '0', '0.0625', '-0.0625', 1],
          ['BILLABLE', 'FREE_ENTRY', 'authentication', 'USD', 1, null, null, null, 1],
          ['BILLABLE', 'FREE_ENTRY', 'utility', 'USD', 1, '0', '0.005', '-0.005', 0],
          ['FREE_ENTRY', 'BILLABLE', 'marketing', 'USD', 1, '0.0625', '0', '0.0625', 0],
          ['FREE_ENTRY', 'BILLABLE', 'marketing', 'BRL', 1, '0.33', '0', '0.33', 0],
        ]);
        const [only] = await mismatches(database, { ...EVERYTHING, reported: 'BILLABLE', waba_id: 'W2' });
        expect([only?.currency, only?.cost_difference]).toEqual(['BRL', '0.33']);
      },
      {
        accounts: [
          { waba_id: 'W1', currency: 'USD' },
          { waba_id: 'W2', currency: 'BRL' },
        ],
      },
    ));
});
