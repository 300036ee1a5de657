import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { csvReport, settleReports, type ReportName } from '../../services/exports/report.ts';
import { ingestFile } from '../../services/ingest/file.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { completeness } from '../../services/periods/completeness.ts';
import { accountMonth } from '../../services/periods/month.ts';
import { closePeriod } from '../../services/periods/periods.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { conversationList } from '../../services/reports/conversations.ts';
import { health } from '../../services/reports/health.ts';
import { explain } from '../../services/reports/message.ts';
import type { Row } from '../oracle/oracle.ts';
import { parsed } from '../support/expected-rows.ts';
import { drop, EVERYTHING, openLedger } from '../support/ledger.ts';
import { csvRows, DataDirectory } from '../support/product.ts';

const data = new DataDirectory();
afterAll(() => data.remove());

const NUMBER = '106540352242922';
const WABA = '102290129340398';
const ACCOUNT = { waba_id: WABA, currency: 'USD' };
const CARD =
  'Cost per message\nMarket,Currency,Marketing,Utility,Authentication,Service\nBrazil,USD,0.06,0.01,0.01,0.01\nIndia,USD,0.02,0.001,0.001,0.001\n';

async function rows(ledger: Ledger, report: ReportName, filters: Partial<ReportFilters> = {}): Promise<Row[]> {
  await settleReports([report], ledger.database);
  let text = '';
  for await (const part of csvReport(report, ledger.database, { ...EVERYTHING, ...filters })) text += part;
  return csvRows(text);
}

let ledgers = 0;

/** A ledger of its own with an account, a card and some files of test/cases. */
async function withCases<T>(names: readonly string[], work: (ledger: Ledger) => Promise<T>): Promise<T> {
  ledgers += 1;
  const ledger = await openLedger(data, `field_${ledgers}`, { accounts: [ACCOUNT] });
  try {
    const card = { name: 'list.csv', bytes: Buffer.from(CARD), effective: '2025-07-01', by: 'ana' };
    await importRateFile(ledger.database, card);
    for (const name of names)
      await ingestFile(ledger, fileURLToPath(new URL(`../cases/${name}`, import.meta.url)), () => undefined);
    return await work(ledger);
  } finally {
    await drop(ledger);
    await ledger.close();
  }
}

const OCTOBER_5_NOON = 1_791_201_600;
const OCTOBER_5 = { day: '2026-10-05', phone_number_id: NUMBER };

describe('a free entry that only Meta reports (case 07)', () => {
  it('is counted apart: by day, as a window, on Ads, and with what explains it', () =>
    withCases(['07-ctwa-first-message-unavailable.ndjson'], async (ledger) => {
      expect(await rows(ledger, 'daily')).toMatchObject([
        {
          ...OCTOBER_5,
          windows_opened: '0',
          lost_referrals: '1',
          windows_reported_only: '1',
          messages_reported_only: '1',
        },
        {
          day: '2026-10-06',
          windows_opened: '0',
          lost_referrals: '0',
          windows_reported_only: '0',
          messages_reported_only: '1',
        },
      ]);
      expect(await rows(ledger, 'reported-windows')).toEqual([
        {
          phone_number_id: NUMBER,
          customer: '573001112233',
          conversation_id: 'c7',
          first_message_id: 'wamid.K1',
          first_delivered_at: '2026-10-05T11:34:11+00:00',
          last_message_id: 'wamid.K2',
          last_delivered_at: '2026-10-06T12:33:21+00:00',
          reported_expires_at: '2026-10-08T11:34:11+00:00',
          messages: '2',
        },
      ]);
      expect(await rows(ledger, 'reported-windows', { from: '2026-10-06' })).toEqual([]);
      expect(await rows(ledger, 'ad-figures')).toMatchObject([
        { ad_id: '', source_type: 'reported', free_messages: '2', windows_opened: '0', windows_reported_only: '1' },
      ]);
      expect(await rows(ledger, 'conversations')).toEqual([]);
      expect((await rows(ledger, 'mismatches')).map((row) => row['circumstance'])).toEqual([
        'no_entry_known',
        'no_entry_known',
      ]);
      expect(await rows(ledger, 'mismatches', { circumstance: 'answered_from_app' })).toEqual([]);
      expect((await health(ledger.database)).traffic).toEqual({ lost_referrals: 1, customers_differ: 0 });
    }));

  it('moves to the day of the copy that counts, and leaves the day that it stood on', () =>
    withCases([], async (ledger) => {
      const base = { event: 'message', direction: 'inbound', phone_number_id: NUMBER, wa_id: '551', id: 'L1' };
      const lost = { ...base, type: 'unsupported', errors: [{ code: 131060 }] };
      await ledger.record(parsed([{ ...lost, timestamp: OCTOBER_5_NOON + 86_400 }]));
      expect((await rows(ledger, 'daily')).map((row) => [row['day'], row['lost_referrals']])).toEqual([
        ['2026-10-06', '1'],
      ]);
      await ledger.record(parsed([{ ...lost, timestamp: OCTOBER_5_NOON }]));
      expect((await rows(ledger, 'daily')).map((row) => [row['day'], row['lost_referrals']])).toEqual([
        ['2026-10-05', '1'],
      ]);
      await ledger.record(parsed([{ ...base, type: 'text', timestamp: OCTOBER_5_NOON - 86_400 }]));
      expect(await rows(ledger, 'daily')).toEqual([]);
    }));

  it('without a customer is a window of its own', () =>
    withCases([], async (ledger) => {
      const free = {
        event: 'status',
        phone_number_id: NUMBER,
        status: 'delivered',
        timestamp: OCTOBER_5_NOON,
        conversation: { id: 'c1', origin: { type: 'referral_conversion' } },
        pricing: { type: 'free_entry_point', billable: false, pricing_model: 'PMP' },
      };
      await ledger.record(
        parsed([
          { ...free, id: 'n1' },
          { ...free, id: 'n2' },
        ]),
      );
      expect((await rows(ledger, 'reported-windows')).map((row) => row['first_message_id'])).toEqual(['n1', 'n2']);
      expect((await rows(ledger, 'daily')).map((row) => row['windows_reported_only'])).toEqual(['2']);
    }));

  it('is taken back when the message turns out to have its content', () =>
    withCases(['07-ctwa-first-message-unavailable.ndjson'], async (ledger) => {
      const whole = {
        event: 'message',
        direction: 'inbound',
        phone_number_id: NUMBER,
        waba_id: WABA,
        wa_id: '573001112233',
        id: 'wamid.K0',
        timestamp: '1791199999',
        type: 'text',
        referral: { source_type: 'ad', source_id: '7' },
      };
      await ledger.record(parsed([whole]));
      const daily = await rows(ledger, 'daily');
      expect(daily.map((row) => [row['lost_referrals'], row['windows_opened'], row['windows_reported_only']])).toEqual([
        ['0', '1', '0'],
        ['0', '0', '0'],
      ]);
      expect(await rows(ledger, 'reported-windows')).toEqual([]);
    }));
});

describe('an ad answered from the app only', () => {
  it('is what explains that Meta reports a free entry', () =>
    withCases(['06-coexistence-edit-revoke.ndjson'], async (ledger) => {
      const own = { phone_number_id: NUMBER, waba_id: WABA, wa_id: '4915112340000', id: 'wamid.LATER' };
      await ledger.record(
        parsed([
          // More than a day after the click: no reply to it.
          { event: 'message', direction: 'outbound', ...own, timestamp: '1791290000', type: 'text' },
          {
            event: 'status',
            ...own,
            status: 'delivered',
            timestamp: '1791290001',
            pricing: { billable: false, pricing_model: 'PMP', type: 'free_entry_point', category: 'service' },
          },
        ]),
      );
      expect(await rows(ledger, 'mismatches')).toMatchObject([
        { predicted: 'BILLABLE', reported: 'FREE_ENTRY', circumstance: 'answered_from_app', messages: '1' },
      ]);
      expect(await rows(ledger, 'reported-windows')).toEqual([]);
    }));
});

describe('a group message (case 05)', () => {
  it('costs each participant, in the market of each', () =>
    withCases(['05-groups.ndjson'], async (ledger) => {
      const messages = await rows(ledger, 'messages');
      expect(
        messages
          .filter((row) => row['message_id'] === 'wamid.G1')
          .map((row) => [row['customer'], row['market'], row['rated_category'], row['billed_cost']]),
      ).toEqual([
        ['5511900000001', 'Brazil', 'marketing', '0.06'],
        ['5511900000002', 'Brazil', 'marketing', '0.06'],
        ['919900000003', 'India', 'marketing', '0.02'],
      ]);
      const charges = await rows(ledger, 'charges');
      expect(charges.map((row) => [row['market'], row['category'], row['volume'], row['billed_cost']])).toEqual([
        ['Brazil', 'marketing', '2', '0.12'],
        ['Brazil', 'utility', '3', '0.03'],
        ['India', 'marketing', '1', '0.02'],
      ]);
      const explained = await explain(ledger, { message_id: 'wamid.G1', phone_number_id: null, tz: 'UTC' });
      expect(
        explained.map(({ message, amount_sentence }) => [message.participant, amount_sentence.slice(0, 15)]),
      ).toEqual([
        ['5511900000001', 'billed USD 0.06'],
        ['5511900000002', 'billed USD 0.06'],
        ['919900000003', 'billed USD 0.02'],
      ]);
    }));

  it('stands in a closed month with every participant', () =>
    withCases(['05-groups.ndjson'], async (ledger) => {
      await settleReports(['charges'], ledger.database);
      const october = { from: '2026-10-01', to: '2026-11-01' };
      const before = await rows(ledger, 'messages', october);
      await closePeriod(ledger.database, { waba_id: WABA, month: '2026-10', by: 'ana', accept: true }, Date.now);
      const after = await rows(ledger, 'messages', october);
      const lasting = ({ period: _, updated_at: __, ...row }: Row): Row => row;
      expect(after.map(lasting)).toEqual(before.map(lasting));
      expect(new Set(after.map((row) => row['period']?.slice(0, 7)))).toEqual(new Set(['closed ']));
    }));
});

describe('a customer whom the sender calls otherwise than Meta (case 01)', () => {
  it('is one customer, found by both names, and counted on Health', () =>
    withCases(['01-brazil-ninth-digit.ndjson'], async (ledger) => {
      const found = async (q: string): Promise<number> => {
        const filters = { ...EVERYTHING, q };
        const page = { sort: { column: 'entry_at', descending: true }, after: '', limit: 10 } as const;
        return (await conversationList(ledger.database, { filters, page })).rows.length;
      };
      expect([await found('558299990000'), await found('+55 82 9 9999-0000'), await found('5582888')]).toEqual([
        1, 1, 0,
      ]);
      await settleReports(['daily'], ledger.database);
      expect((await health(ledger.database)).traffic.customers_differ).toBe(2);
    }));
});

describe('payment statuses (case 08)', () => {
  it('are no messages, and leave nothing without an outcome', () =>
    withCases(['08-payment-statuses.ndjson'], async (ledger) => {
      expect((await rows(ledger, 'messages')).map((row) => row['message_id'])).toEqual(['wamid.PAY1']);
      const month = await accountMonth(ledger.database, WABA, '2026-10');
      const findings = await completeness(ledger.database, month, Date.parse('2026-11-10T00:00:00Z'));
      expect(findings.filter(({ finding }) => finding === 'no_outcome')).toEqual([]);
    }));
});

const sent = (id: string, at: number, more: object = {}): object => ({
  event: 'message',
  direction: 'outbound',
  phone_number_id: NUMBER,
  waba_id: WABA,
  wa_id: '5511955550001',
  id,
  timestamp: at,
  type: 'template',
  template: { name: 'offer', category: 'marketing' },
  ...more,
});
const status = (id: string, name: string, at: number, more: object = {}): object => ({
  event: 'status',
  phone_number_id: NUMBER,
  waba_id: WABA,
  wa_id: '5511955550001',
  id,
  status: name,
  timestamp: at,
  ...more,
});
const LIMIT = { code: 131049, title: 'Not delivered to maintain healthy ecosystem engagement' };

describe('failures', () => {
  it('are counted by day, number and error, those that were delivered all the same left out', () =>
    withCases([], async (ledger) => {
      await ledger.record(
        parsed([
          sent('f1', OCTOBER_5_NOON),
          status('f1', 'failed', OCTOBER_5_NOON + 1, { errors: [LIMIT] }),
          sent('f2', OCTOBER_5_NOON),
          status('f2', 'failed', OCTOBER_5_NOON + 1, { errors: [LIMIT] }),
          sent('f3', OCTOBER_5_NOON + 86_400),
          status('f3', 'failed', OCTOBER_5_NOON + 86_401, { errors: [{ code: 132015, title: 'Template is paused' }] }),
          sent('f4', OCTOBER_5_NOON),
          status('f4', 'failed', OCTOBER_5_NOON + 1, { errors: [LIMIT] }),
          status('f4', 'delivered', OCTOBER_5_NOON + 2),
          sent('f5', OCTOBER_5_NOON),
          status('f5', 'failed', OCTOBER_5_NOON + 1),
        ]),
      );
      const failures = await rows(ledger, 'failures');
      expect(
        failures.map((row) => [row['day'], row['error_code'], row['messages'], (row['what_to_do'] ?? '') !== '']),
      ).toEqual([
        ['2026-10-05', '131049', '2', true],
        ['2026-10-05', '', '1', false],
        ['2026-10-06', '132015', '1', true],
      ]);
      expect(await rows(ledger, 'failures', { error_code: '131049' })).toMatchObject([{ messages: '2' }]);
      expect(
        (await rows(ledger, 'messages')).map((row) => [row['message_id'], row['error_code'], row['error_title']]),
      ).toEqual([
        ['f1', '131049', LIMIT.title],
        ['f2', '131049', LIMIT.title],
        ['f4', '131049', LIMIT.title],
        ['f5', '', ''],
        ['f3', '132015', 'Template is paused'],
      ]);
      const [explained] = await explain(ledger, { message_id: 'f4', phone_number_id: null, tz: 'UTC' });
      expect(explained?.failure_sentence).toContain('error 131049');
      expect(explained?.failure_sentence).toContain('it was delivered too');
    }));
});

describe('errors of any shape', () => {
  it('are taken: a title that is cut within a character, a code that is a name in JavaScript, a text, a number', () =>
    withCases([], async (ledger) => {
      const shapes: unknown[] = [
        [{ code: 131000, title: `${'a'.repeat(199)}\u{1f600}x` }],
        [{ code: 'constructor', title: 'toString' }],
        'a text',
        7,
        [null],
        { code: 131026 },
      ];
      await ledger.record(
        parsed(
          shapes.flatMap((errors, i) => [
            sent(`e${i}`, OCTOBER_5_NOON),
            status(`e${i}`, 'failed', OCTOBER_5_NOON + 1, { errors }),
          ]),
        ),
      );
      const messages = await rows(ledger, 'messages');
      expect(messages.map((row) => row['error_code'])).toEqual(['131000', 'constructor', '', '', '', '131026']);
      expect(messages[0]?.['error_title']).toBe(`${'a'.repeat(199)}\ufffd`);
      const failures = await rows(ledger, 'failures');
      expect(failures.find((row) => row['error_code'] === 'constructor')).toMatchObject({ what_to_do: '' });
    }));
});

describe('tags', () => {
  /** Two of a campaign, one whose tag only its statuses carry, and one without. */
  const TAGGED = [
    sent('t1', OCTOBER_5_NOON, { tag: 'spring' }),
    status('t1', 'delivered', OCTOBER_5_NOON + 1),
    sent('t2', OCTOBER_5_NOON),
    status('t2', 'delivered', OCTOBER_5_NOON + 1, { tag: 'spring' }),
    sent('t3', OCTOBER_5_NOON, { tag: 'autumn' }),
    status('t3', 'delivered', OCTOBER_5_NOON + 1, { tag: 'another' }),
    sent('t4', OCTOBER_5_NOON),
    status('t4', 'delivered', OCTOBER_5_NOON + 1),
  ];
  const october = { from: '2026-10-01', to: '2026-11-01' };

  async function check(ledger: Ledger): Promise<void> {
    expect((await rows(ledger, 'messages', { ...october, tag: 'spring' })).map((row) => row['message_id'])).toEqual([
      't1',
      't2',
    ]);
    expect(await rows(ledger, 'charges', { ...october, tag: 'spring' })).toMatchObject([
      { day: '2026-10-05', volume: '2', billed_cost: '0.12', category: 'marketing' },
    ]);
    expect(await rows(ledger, 'charges', { ...october, tag: 'none' })).toEqual([]);
    expect(await rows(ledger, 'savings', { ...october, tag: 'autumn' })).toMatchObject([
      { volume: '1', billed_cost: '0.06' },
    ]);
    const byTag = await rows(ledger, 'savings-tags', october);
    expect(
      byTag.map((row) => [
        row['tag'],
        row['volume'],
        row['list_cost'],
        row['billed_cost'],
        row['savings'],
        row['unrated'],
      ]),
    ).toEqual([
      ['', '1', '0.06', '0.06', '0', '0'],
      ['autumn', '1', '0.06', '0.06', '0', '0'],
      ['spring', '2', '0.12', '0.12', '0', '0'],
    ]);
    const [whole] = await rows(ledger, 'savings', october);
    expect(whole).toMatchObject({ volume: '4', billed_cost: '0.24' });
  }

  it('narrow messages and charges, and cut the sums; the same of a closed month', () =>
    withCases([], async (ledger) => {
      await ledger.record(parsed(TAGGED));
      await check(ledger);
      await settleReports(['charges'], ledger.database);
      await closePeriod(ledger.database, { waba_id: WABA, month: '2026-10', by: 'ana', accept: true }, Date.now);
      // A card that comes later does not change what is closed.
      await importRateFile(ledger.database, {
        name: 'dear.csv',
        bytes: Buffer.from(CARD.replaceAll('0.06', '9.99')),
        effective: '2026-10-02',
        by: 'ana',
      });
      await check(ledger);
      expect((await rows(ledger, 'charges', { ...october, tag: 'spring' }))[0]?.['period']).toMatch(/^closed /);
    }));
});
