import { parseEvent } from '@ctwa-ledger/schemas/event.ts';
import { afterAll, expect, it } from 'vitest';
import { csvReport } from '../../services/exports/report.ts';
import { EVERYTHING, withLedger } from '../support/ledger.ts';
import { csvRows, DataDirectory, NUMBER } from '../support/product.ts';

const T = Date.parse('2026-10-05T10:00:00Z') / 1000;
const DAY = 86_400;

const data = new DataDirectory();
afterAll(() => data.remove());

const message = (wa_id: string, id: string, timestamp: number, more: object): object => ({
  ...{ event: 'message', phone_number_id: NUMBER, wa_id, id, timestamp },
  ...more,
});
const offer = (wa_id: string, id: string, timestamp: number, name: string): object =>
  message(wa_id, id, timestamp, { direction: 'outbound', type: 'template', template: { name, category: 'MARKETING' } });
const said = (wa_id: string, id: string, timestamp: number, status: string, code?: number): object => ({
  ...{ event: 'status', phone_number_id: NUMBER, wa_id, id, timestamp, status },
  ...(code === undefined ? {} : { errors: [{ code, title: 'no' }] }),
});
const clicked = (wa_id: string, id: string, timestamp: number, source_id: string): object =>
  message(wa_id, id, timestamp, { direction: 'inbound', type: 'text', referral: { source_type: 'ad', source_id } });
const preference = (wa_id: string, timestamp: number, value: string): object =>
  message(wa_id, `user_preferences:${wa_id}:${value}:${timestamp}`, timestamp, {
    direction: 'inbound',
    type: 'user_preferences',
    context: { category: 'marketing_messages', value },
  });

it('counts who stopped by what they were sent last, once until something is delivered again', () =>
  withLedger(data, 'opt_outs', async (ledger) => {
    await ledger.beginWriting();
    const values = [
      // By their settings, after an offer that an ad had brought.
      clicked('1', 'in1', T - 60, 'AD1'),
      ...[offer('1', 'a1', T, 'spring'), said('1', 'a1', T + 1, 'delivered'), preference('1', T + 60, 'stop')],
      // Refused for it, twice, which is one stop.
      ...[offer('2', 'a2', T, 'spring'), said('2', 'a2', T + 1, 'read')],
      ...[offer('2', 'b2', T + 90, 'summer'), said('2', 'b2', T + 91, 'failed', 131_050)],
      ...[offer('2', 'c2', T + DAY, 'autumn'), said('2', 'c2', T + DAY, 'failed', 131_050)],
      // Both ways.
      ...[offer('3', 'a3', T, 'spring'), said('3', 'a3', T + 1, 'delivered'), preference('3', T + 5, 'stop')],
      ...[offer('3', 'b3', T + 9, 'summer'), said('3', 'b3', T + 9, 'failed', 131_050)],
      // Sent nothing before; said the other word; limited by Meta.
      ...[offer('4', 'a4', T + DAY, 'spring'), said('4', 'a4', T + DAY, 'failed', 131_026)],
      preference('5', T, 'resume'),
      ...[offer('6', 'a6', T, 'spring'), said('6', 'a6', T, 'failed', 131_049)],
    ];
    await ledger.record(
      values.map((value) => {
        const read = parseEvent(value, T + 9 * DAY);
        if (!read.ok) throw new Error(read.rejection.message);
        return read.event;
      }),
    );
    const rows = async (filters = EVERYTHING): Promise<readonly string[]> => {
      let text = '';
      for await (const part of csvReport('opt-outs', ledger.database, filters)) text += part;
      return csvRows(text).map((row) =>
        [row['day'], row['opt_out'], row['template_name'], row['ad_id'], row['customers']].join(' '),
      );
    };
    expect(await rows()).toEqual([
      '2026-10-05 stopped_marketing spring  2',
      '2026-10-05 stopped_marketing spring AD1 1',
      '2026-10-06 unreachable   1',
    ]);
    expect(await rows({ ...EVERYTHING, from: '2026-10-06', to: '2026-10-07' })).toEqual(['2026-10-06 unreachable   1']);
  }));
