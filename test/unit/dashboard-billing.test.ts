import { describe, expect, it } from 'vitest';
import type { ChargeRow } from '@ctwa-ledger/schemas/bill.ts';
import type { Narrowed } from '@ctwa-ledger/schemas/asked.ts';

import { chargeKey, messagesOf } from '../../dashboard/src/lib/billing/charges.ts';
import {
  BILL_NARROWINGS,
  CHARGE_NARROWINGS,
  chipName,
  narrowedSearch,
  readNarrowing,
} from '../../dashboard/src/lib/billing/narrowing.ts';
import { arrangedAmounts, MARKET_TABLE, specOf } from '../../dashboard/src/lib/billing/tables.ts';
import { sideBySide } from '../../dashboard/src/lib/billing/currencies.ts';
import { reportAddress } from '../../dashboard/src/lib/filters/api.ts';
import { DEFAULT_STATE, ownParameters, search } from '../../dashboard/src/lib/filters/filters.ts';
import { exactAmount } from '../../dashboard/src/lib/format/amounts.ts';
import {
  GROUP_KEY,
  groupSearch,
  groupWords,
  readGroup,
  type Group,
} from '../../dashboard/src/lib/mismatches/address.ts';

describe('the address says what the bill is narrowed to', () => {
  const cases: readonly [string, string, Narrowed, number][] = [
    ['nothing', '', {}, 0],
    ['a market', 'market=Rest+of+Asia+Pacific', { market: 'Rest of Asia Pacific' }, 0],
    ['a category, whatever its letters', 'category=Marketing', { category: 'marketing' }, 0],
    ['a category that nobody knew', 'category=marketing_lite2', { category: 'marketing_lite2' }, 0],
    ['a mark', 'billing=free_entry', { billing: 'FREE_ENTRY' }, 0],
    ['no account is one', 'waba_id=', { waba_id: '' }, 0],
    ['no number is none', 'phone_number_id=&market=&category=&billing=', {}, 0],
    ['white space', 'phone_number_id=+106+', { phone_number_id: '106' }, 0],
    ['a mark that does not exist', 'billing=CHEAP&market=Brazil', { market: 'Brazil' }, 1],
    ['a mark that nothing delivered has', 'billing=UNDELIVERED', {}, 1],
    ['an account of two words', 'waba_id=1+2', {}, 1],
    ['a category that is none', 'category=%3Cb%3E', {}, 1],
    ['too long for any', `market=${'x'.repeat(301)}&phone_number_id=${'1'.repeat(301)}`, {}, 2],
    ['of charges only', 'tier=1%3AMAX&rate=0.1', {}, 0],
  ];
  it.each(cases)('%s', (_, query, only, notices) => {
    const read = readNarrowing(new URLSearchParams(query), BILL_NARROWINGS);
    expect(read.only).toEqual(only);
    expect(read.repairs).toHaveLength(notices);
    for (const { notice } of read.repairs) expect(notice.length).toBeLessThan(120);
  });

  it('what tells charges apart may be that they have none of it', () => {
    const read = (query: string) => readNarrowing(new URLSearchParams(query), CHARGE_NARROWINGS);
    expect(read('tier=&rate=&rate_card=').only).toEqual({ tier: '', rate: '', rate_card: '' });
    expect(read('tier=101:MAX&rate=0.00000001&rate_card=july.csv 2026-07-01').repairs).toEqual([]);
    for (const broken of ['tier=many', 'tier=1:', 'rate=-1', 'rate=1e5', 'rate=0.123456789', 'rate_card=%00'])
      expect([broken, read(broken).only, read(broken).repairs.length]).toEqual([broken, {}, 1]);
  });
});

describe('a click narrows, and a click on a chip takes it away', () => {
  const cases: readonly [string, string, Narrowed, string][] = [
    ['one more', 'market=Brazil', { billing: 'BILLABLE' }, '?market=Brazil&billing=BILLABLE'],
    ['another', 'market=Brazil', { market: 'India' }, '?market=India'],
    ['no account', '', { waba_id: '' }, '?waba_id='],
    ['less', 'market=Brazil&tz=Asia%2FTokyo', { market: null }, '?tz=Asia%2FTokyo'],
    ['nothing is left', 'waba_id=', { waba_id: null }, ''],
    [
      'pages begin anew, orders stay',
      'sort=-rate&after=x&by-day.after=y&by-day.sort=day',
      { market: 'A' },
      '?sort=-rate&by-day.sort=day&market=A',
    ],
  ];
  it.each(cases)('%s', (_, query, change, expected) => {
    expect(narrowedSearch(new URLSearchParams(query), change)).toBe(expected);
  });

  it('stays when days and zone change, also where it is the empty text', () => {
    const own = ownParameters(new URLSearchParams('waba_id=&market=&from=2026-10-01&after=x'));
    expect(search({ ...DEFAULT_STATE, tz: 'Asia/Tokyo' }, own)).toBe('?tz=Asia%2FTokyo&waba_id=');
  });

  it('is named', () => {
    expect(CHARGE_NARROWINGS.map((name) => chipName(name, ''))).toEqual([
      'No account',
      'Number: ',
      'Market: ',
      'Category: ',
      'Mark: ',
      'No tier',
      'No rate',
      'No rate card',
    ]);
    expect(chipName('billing', 'FREE_SERVICE')).toBe('Mark: Free service (free_customer_service)');
    expect(chipName('billing', 'COVERED')).toBe('Mark: Covered');
  });
});

const CHARGE: ChargeRow = {
  day: '2026-10-31',
  waba_id: '',
  phone_number_id: '106',
  market: 'Rest of Africa',
  category: 'utility',
  billing: 'BILLABLE',
  tier: '101:MAX',
  volume: '2',
  rate: '0.01',
  list_cost: '0.02',
  billed_cost: '0.02',
  savings: '0',
  currency: 'USD',
  rate_card: '',
  unrated: '0',
  period: 'live',
};

describe('a charge leads to its messages', () => {
  it('of its day and of all that it is by', () => {
    const address = new URLSearchParams(messagesOf(CHARGE, { ...DEFAULT_STATE, tz: 'Asia/Tokyo' }));
    expect([address.get('from'), address.get('until'), address.get('tz')]).toEqual([
      '2026-10-31',
      '2026-10-31',
      'Asia/Tokyo',
    ]);
    const { only, repairs } = readNarrowing(address, CHARGE_NARROWINGS);
    expect(repairs).toEqual([]);
    expect(only).toEqual(Object.fromEntries(CHARGE_NARROWINGS.map((name) => [name, CHARGE[name]])));
  });

  it('and is told from others', () => {
    for (const name of ['day', ...CHARGE_NARROWINGS, 'currency', 'period'] as const)
      expect([name, chargeKey({ ...CHARGE, [name]: 'x' }) === chargeKey(CHARGE)]).toEqual([name, false]);
  });

  it('as CSV of the same days and messages', () => {
    const range = { from: '2026-10-01', to: '2026-11-01' };
    const address = (tz: string | null, only: Narrowed): string =>
      reportAddress('messages', 'csv', { ...DEFAULT_STATE, tz }, range, false, only);
    expect(address(null, { waba_id: '', market: null })).toBe(
      '/api/messages?format=csv&from=2026-10-01&to=2026-11-01&by=charged&waba_id=',
    );
    expect(address('Asia/Tokyo', {})).toBe(
      '/api/messages?format=csv&from=2026-10-01&to=2026-11-01&by=charged&tz=Asia%2FTokyo',
    );
  });
});

describe('tables of amounts', () => {
  const row = (market: string, currency: string, list_cost: string | null, volume = 1) => ({
    market,
    currency,
    volume,
    list_cost,
    billed_cost: list_cost,
    savings: list_cost === null ? null : '0',
    unrated: list_cost === null ? volume : 0,
  });
  const rows = sideBySide(
    [row('India', 'INR', '10.5'), row('Brazil', 'BRL', '9', 3), row('Brazil', 'INR', '100'), row('Chile', '', null, 7)],
    ({ market }) => market,
  );
  const cases: readonly [string, string][] = [
    ['', 'Brazil Chile India'],
    ['by-market.sort=-market', 'India Chile Brazil'],
    ['by-market.sort=-volume', 'Chile Brazil India'],
    ['by-market.sort=-list_cost.INR', 'Brazil India Chile'],
    ['by-market.sort=list_cost.INR', 'India Brazil Chile'],
    ['by-market.sort=-list_cost.BRL', 'Brazil Chile India'],
    ['by-market.sort=-unrated', 'Chile Brazil India'],
  ];
  it.each(cases)('"%s"', (query, markets) => {
    const table = arrangedAmounts(rows, new URLSearchParams(query), MARKET_TABLE, ['BRL', 'INR']);
    expect(table.rows.map(({ key }) => key).join(' ')).toBe(markets);
    expect(table.notices).toEqual([]);
  });

  it('are not sorted by a currency that they do not have', () => {
    const table = arrangedAmounts(rows, new URLSearchParams('by-market.sort=list_cost.EUR'), MARKET_TABLE, ['BRL']);
    expect(table.notices).toHaveLength(1);
    expect(table.state.sort).toEqual(specOf(MARKET_TABLE, ['BRL']).default_sort);
  });

  it('write amounts out where nothing is rounded', () => {
    expect([exactAmount('0.32171234', 'BRL'), exactAmount('1234.5', 'BRL'), exactAmount('3', 'JPY')]).toEqual([
      '0.32171234',
      '1,234.50',
      '3',
    ]);
    expect(exactAmount('123456789012345.12345678', 'USD')).toBe('123,456,789,012,345.12345678');
    expect([exactAmount('', 'USD'), exactAmount('0', '')]).toEqual(['–', '–']);
  });
});

describe('the address says which kind of mismatch is looked at', () => {
  const group = {
    predicted: 'FREE_ENTRY',
    reported: 'BILLABLE',
    category: 'marketing',
    policy: 'PMP-2025-07',
    rule: 'W7',
    circumstance: 'none',
    waba_id: 'W1',
  } as const;

  it('both ways', () => {
    const of = (one: Group): unknown => readGroup(new URLSearchParams(groupSearch(one, {}, DEFAULT_STATE))).only;
    expect(of(group)).toEqual(group);
    // Of no account, and of no category.
    expect(of({ ...group, waba_id: '', category: '' })).toEqual({ ...group, waba_id: '', category: '' });
    expect(groupSearch(null, {}, DEFAULT_STATE)).toBe('');
    expect(readGroup(new URLSearchParams(GROUP_KEY.map((name): [string, string] => [name, ''])))).toEqual({
      only: {},
      repairs: [],
    });
  });

  it('beside what the page is narrowed to, which is another thing', () => {
    const params = new URLSearchParams(groupSearch(group, { waba_id: 'W2', category: 'utility' }, DEFAULT_STATE));
    expect(readNarrowing(params, BILL_NARROWINGS).only).toEqual({ waba_id: 'W2', category: 'utility' });
    expect(readGroup(params).only).toEqual(group);
    expect(groupSearch(null, { waba_id: 'W2' }, DEFAULT_STATE)).toBe('?waba_id=W2');
  });

  it('in words', () => {
    expect(groupWords(group)).toBe(
      'Free entry predicted, Billable reported, Marketing, PMP-2025-07, rule W7, account W1',
    );
    expect(groupWords({ reported: 'FREE_ENTRY', circumstance: 'answered_from_app', category: '', waba_id: '' })).toBe(
      'Free entry reported, no category, answered from the app, no account',
    );
  });

  it.each([
    ['predicted=CHEAP', {}, 1],
    ['predicted=free_entry&reported=x', { predicted: 'FREE_ENTRY' }, 1],
    ['rule=%27--&policy=a b&of_category=Utility', { category: 'utility' }, 2],
  ])('%s', (query, only, notices) => {
    const read = readGroup(new URLSearchParams(query));
    expect(read.only).toEqual(only);
    expect(read.repairs).toHaveLength(notices);
  });
});
