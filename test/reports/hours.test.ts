import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settleSummaries } from '../../services/ledger/derived/summaries.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { figures, hourTotals, overview } from '../../services/reports/figures.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, EVERYTHING, openLedger } from '../support/ledger.ts';

/** A text that the business sent, delivered at a moment. */
function delivered(at: string): unknown[] {
  const shared = { phone_number_id: '9', wa_id: '5511955550001', id: `wamid.${at}`, timestamp: Date.parse(at) / 1000 };
  return [
    { event: 'message', direction: 'outbound', ...shared, type: 'text' },
    { event: 'status', ...shared, status: 'delivered' },
  ];
}

/** A day on which clocks change, with a message in each of some quarter hours; hours that have some, in order. */
const CHANGES: [string, string, string[], Record<string, number>][] = [
  [
    'Australia/Lord_Howe',
    '2026-04-05',
    // Half an hour back at 15:00 UTC: from 01:30 to 02:00 there is an hour of half an hour.
    [
      '2026-04-04T14:00:00Z',
      '2026-04-04T14:59:59Z',
      '2026-04-04T15:00:00Z',
      '2026-04-04T15:29:00Z',
      '2026-04-04T15:30:00Z',
    ],
    { '2026-04-05T01:00:00+11:00': 2, '2026-04-05T01:30:00+10:30': 2, '2026-04-05T02:00:00+10:30': 1 },
  ],
  [
    'Australia/Lord_Howe',
    '2026-10-04',
    ['2026-10-03T15:29:00Z', '2026-10-03T15:30:00Z', '2026-10-03T16:00:00Z'],
    { '2026-10-04T01:00:00+10:30': 1, '2026-10-04T02:30:00+11:00': 1, '2026-10-04T03:00:00+11:00': 1 },
  ],
  [
    'Asia/Pyongyang',
    '2015-08-14',
    ['2015-08-14T14:45:00Z', '2015-08-14T15:00:00Z', '2015-08-14T15:15:00Z'],
    { '2015-08-14T23:00:00+09:00': 1, '2015-08-14T23:30:00+08:30': 2 },
  ],
  [
    'America/Caracas',
    '2016-05-01',
    // Within an hour: clocks show 02:00 to 02:30, and then 03:00.
    ['2016-05-01T06:45:00Z', '2016-05-01T07:00:00Z'],
    { '2016-05-01T02:00:00-04:30': 1, '2016-05-01T03:00:00-04:00': 1 },
  ],
  [
    'Europe/Berlin',
    '2026-10-25',
    ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z', '2026-10-25T02:00:00Z'],
    { '2026-10-25T02:00:00+02:00': 1, '2026-10-25T02:00:00+01:00': 1, '2026-10-25T03:00:00+01:00': 1 },
  ],
  [
    'Asia/Kathmandu',
    '2026-10-20',
    ['2026-10-19T18:15:00Z', '2026-10-19T19:14:59Z', '2026-10-19T19:15:00Z'],
    { '2026-10-20T00:00:00+05:45': 2, '2026-10-20T01:00:00+05:45': 1 },
  ],
];

const dayAfter = (day: string): string => new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);

describe('hours', () => {
  const data = new DataDirectory();
  let ledger: Ledger;
  beforeAll(async () => {
    ledger = await openLedger(data);
    await ledger.record(parsed(CHANGES.flatMap(([, , times]) => times.flatMap(delivered))));
    await settleSummaries(ledger.database);
  });
  afterAll(async () => {
    await ledger.close();
    await data.remove();
  });

  it.each(CHANGES)('are those of the clocks of %s on %s', async (tz, day, times, expected) => {
    const filters = { ...EVERYTHING, tz, from: day, to: dayAfter(day) };
    const rows = await hourTotals(ledger.database, filters);
    const some = rows.filter(({ messages }) => messages > 0).map(({ hour, messages }) => [hour, messages]);
    expect(some).toEqual(Object.entries(expected));
    expect(rows.reduce((sum, { messages }) => sum + messages, 0)).toBe(times.length);
    // One after the other without a gap, from midnight to midnight.
    const starts = rows.map(({ hour }) => Date.parse(hour) / 1000);
    for (const [i, start] of starts.slice(1).entries()) {
      expect(start).toBeGreaterThan(starts[i]!);
      expect(start - starts[i]!).toBeLessThanOrEqual(3600);
    }
    expect(rows[0]!.hour.slice(0, 16)).toBe(`${day}T00:00`);
  });

  it('of no range begin and end with what there is', async () => {
    for (const tz of ['UTC', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Apia']) {
      const filters = { ...EVERYTHING, tz, from: '2026-10-01', to: null };
      const rows = await hourTotals(ledger.database, filters);
      expect(rows[0]!.messages).toBeGreaterThan(0);
      expect(rows.at(-1)!.messages).toBeGreaterThan(0);
      const { messages } = await overview(ledger.database, filters);
      expect(rows.reduce((sum, row) => sum + row.messages, 0)).toBe(messages);
      expect((await figures(ledger.database, filters, 'hour')).buckets.rows).toEqual(rows);
    }
  });
});
