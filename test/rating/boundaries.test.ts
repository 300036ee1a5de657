import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { csvReport, settleReports } from '../../services/exports/report.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { parsed } from '../support/expected-rows.ts';
import { EVERYTHING, openLedger } from '../support/ledger.ts';
import { csvRows, DataDirectory } from '../support/product.ts';

/** Where a price changes: midnights, months, places and prefixes, through the ledger, as a price list. */

const SAO_PAULO = { waba_id: '1', time_zone: 'America/Sao_Paulo', currency: 'USD' };
const KOLKATA = { waba_id: '2', time_zone: 'Asia/Kolkata', currency: 'USD', portfolio_id: 'p' };
const LOS_ANGELES = { waba_id: '3', time_zone: 'America/Los_Angeles', currency: 'USD', portfolio_id: 'p' };

const HEADER = 'Market,Currency,Marketing,Utility,Authentication,Authentication-International,Service';
const LIST = (utility: string, service: string): string =>
  `Cost per message in USD\n${HEADER}\n${['Brazil', 'India', 'Rest of Latin America', 'North America']
    .map((market, i) => `${market},USD,0.${i + 1},${utility},0.5,n/a,${service}`)
    .join('\n')}\n`;
const TIERS = 'Market,Currency,Message type,From,To,Rate\nIndia,USD,Utility,1,1,0.02\nIndia,USD,Utility,2,MAX,0.01\n';

interface Sent {
  readonly waba_id: string;
  readonly to: { readonly wa_id: string } | { readonly user_id: string };
  readonly category?: string;
  readonly sent: string;
  readonly delivered: string;
}

const seconds = (iso: string): number => Date.parse(iso) / 1000;

/** The events of one message; a text without a category. */
function message(id: string, { waba_id, to, category, sent, delivered }: Sent): unknown[] {
  const shared = { waba_id, phone_number_id: `9${waba_id}`, ...to, id };
  const kind =
    category === undefined ? { type: 'text' } : { type: 'template', template: { name: 't', language: 'en', category } };
  return [
    { event: 'message', direction: 'outbound', ...shared, timestamp: seconds(sent), ...kind },
    { event: 'status', ...shared, status: 'delivered', timestamp: seconds(delivered) },
  ];
}

function inbound(id: string, waba_id: string, wa_id: string, at: string): unknown {
  const shared = { event: 'message', direction: 'inbound', waba_id, phone_number_id: `9${waba_id}`, wa_id };
  return { ...shared, id, timestamp: seconds(at), type: 'text' };
}

const BRAZIL = { wa_id: '5511955550001' };
const INDIA = { wa_id: '919812345678' };

describe('the price of a message at a boundary', () => {
  let data: DataDirectory;
  let ledger: Ledger;
  let rows: ReadonlyMap<string, Record<string, string>>;

  /** 1,001 texts, one a second, of a number that sends nothing else. */
  const texts = Array.from({ length: 1_001 }, (_, i) => {
    const at = new Date(Date.UTC(2026, 9, 5) + i * 1_000).toISOString();
    return message(`wamid.T${i + 1}`, {
      waba_id: '4',
      to: { wa_id: `5521${String(i).padStart(9, '0')}` },
      sent: at,
      delivered: at,
    });
  }).flat();

  beforeAll(async () => {
    data = new DataDirectory();
    const accounts = [SAO_PAULO, KOLKATA, LOS_ANGELES, { waba_id: '4', currency: 'USD' }];
    ledger = await openLedger(data, 'boundaries', { accounts });
    for (const [name, text, effective] of [
      ['july.csv', LIST('0.04', 'n/a'), '2026-07-01'],
      ['october.csv', LIST('0.05', '0.003'), '2026-10-01'],
      ['tiers.csv', TIERS, '2026-07-01'],
    ] as const)
      await importRateFile(ledger.database, { name, bytes: Buffer.from(text), effective, by: 'a test' });
    await ledger.record(
      parsed([
        // São Paulo is 3 hours behind UTC.
        ...message('wamid.OVER_MIDNIGHT', {
          waba_id: '1',
          to: BRAZIL,
          category: 'utility',
          sent: '2026-10-01T02:59:00Z',
          delivered: '2026-10-01T03:01:00Z',
        }),
        ...message('wamid.BEFORE_MIDNIGHT', {
          waba_id: '1',
          to: BRAZIL,
          category: 'utility',
          sent: '2026-10-01T02:58:00Z',
          delivered: '2026-10-01T02:59:59Z',
        }),
        // A customer who wrote: the customer service window is open on both sides of the midnight.
        inbound('wamid.IN', '1', '5511955550002', '2026-09-30T20:00:00Z'),
        ...message('wamid.CSW_SEPTEMBER', {
          waba_id: '1',
          to: { wa_id: '5511955550002' },
          category: 'utility',
          sent: '2026-10-01T02:59:59Z',
          delivered: '2026-10-01T02:59:59Z',
        }),
        ...message('wamid.CSW_OCTOBER', {
          waba_id: '1',
          to: { wa_id: '5511955550002' },
          category: 'utility',
          sent: '2026-10-01T03:00:00Z',
          delivered: '2026-10-01T03:00:00Z',
        }),
        // One portfolio, two zones: November has begun in Kolkata and has not in Los Angeles.
        ...message('wamid.KOLKATA_OCTOBER', {
          waba_id: '2',
          to: INDIA,
          category: 'utility',
          sent: '2026-10-31T18:29:59Z',
          delivered: '2026-10-31T18:29:59Z',
        }),
        ...message('wamid.KOLKATA_NOVEMBER', {
          waba_id: '2',
          to: INDIA,
          category: 'utility',
          sent: '2026-10-31T18:30:00Z',
          delivered: '2026-10-31T18:30:00Z',
        }),
        ...message('wamid.LOS_ANGELES_OCTOBER', {
          waba_id: '3',
          to: INDIA,
          category: 'utility',
          sent: '2026-10-31T19:00:00Z',
          delivered: '2026-10-31T19:00:00Z',
        }),
        ...message('wamid.LOS_ANGELES_NOVEMBER', {
          waba_id: '3',
          to: INDIA,
          category: 'utility',
          sent: '2026-11-01T07:00:00Z',
          delivered: '2026-11-01T07:00:00Z',
        }),
        ...message('wamid.BSUID', {
          waba_id: '1',
          to: { user_id: 'IN.13491208655302741918' },
          category: 'marketing',
          sent: '2026-10-10T10:00:00Z',
          delivered: '2026-10-10T10:00:00Z',
        }),
        ...message('wamid.JAMAICA', {
          waba_id: '1',
          to: { wa_id: '18765550001' },
          category: 'marketing',
          sent: '2026-10-10T10:00:00Z',
          delivered: '2026-10-10T10:00:00Z',
        }),
        ...message('wamid.NEW_YORK', {
          waba_id: '1',
          to: { wa_id: '12125550001' },
          category: 'marketing',
          sent: '2026-10-10T10:00:00Z',
          delivered: '2026-10-10T10:00:00Z',
        }),
        ...texts,
      ]),
    );
    await settleReports(['messages'], ledger.database);
    let text = '';
    for await (const part of csvReport('messages', ledger.database, EVERYTHING)) text += part;
    rows = new Map(csvRows(text).map((row) => [row['message_id'] ?? '', row]));
  });
  afterAll(async () => {
    await ledger.close();
    await data.remove();
  });

  // prettier-ignore
  const PRICES = [
    // message                       policy         billing         market                   billed  card
    ['wamid.BEFORE_MIDNIGHT',      'PMP-2025-07', 'BILLABLE',     'Brazil',                '0.04',  'july.csv 2026-07-01'],
    ['wamid.OVER_MIDNIGHT',        'PMP-2026-10', 'BILLABLE',     'Brazil',                '0.05',  'october.csv 2026-10-01'],
    ['wamid.CSW_SEPTEMBER',        'PMP-2025-07', 'FREE_SERVICE', 'Brazil',                '0',     ''],
    ['wamid.CSW_OCTOBER',          'PMP-2026-10', 'BILLABLE',     'Brazil',                '0.05',  'october.csv 2026-10-01'],
    ['wamid.KOLKATA_OCTOBER',      'PMP-2026-10', 'BILLABLE',     'India',                 '0.02',  'october.csv 2026-10-01'],
    ['wamid.LOS_ANGELES_OCTOBER',  'PMP-2026-10', 'BILLABLE',     'India',                 '0.01',  'october.csv 2026-10-01'],
    ['wamid.KOLKATA_NOVEMBER',     'PMP-2026-10', 'BILLABLE',     'India',                 '0.02',  'october.csv 2026-10-01'],
    ['wamid.LOS_ANGELES_NOVEMBER', 'PMP-2026-10', 'BILLABLE',     'India',                 '0.01',  'october.csv 2026-10-01'],
    ['wamid.BSUID',                'PMP-2026-10', 'BILLABLE',     'India',                 '0.2',   'october.csv 2026-10-01'],
    ['wamid.JAMAICA',              'PMP-2026-10', 'BILLABLE',     'Rest of Latin America', '0.3',   'october.csv 2026-10-01'],
    ['wamid.NEW_YORK',             'PMP-2026-10', 'BILLABLE',     'North America',         '0.4',   'october.csv 2026-10-01'],
    ['wamid.T1',                   'PMP-2026-10', 'BILLABLE',     'Brazil',                '0',     ''],
    ['wamid.T1000',                'PMP-2026-10', 'BILLABLE',     'Brazil',                '0',     ''],
    ['wamid.T1001',                'PMP-2026-10', 'BILLABLE',     'Brazil',                '0.003', 'october.csv 2026-10-01'],
  ] as const;

  it.each(PRICES)('%s: %s, %s, %s, %s', (id, policy, billing, market, billed_cost, rate_card) => {
    expect(rows.get(id)).toMatchObject({ policy, billing, market, billed_cost, rate_card, savings: '0', unrated: '' });
  });
});
