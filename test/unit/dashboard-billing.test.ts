import { describe, expect, it } from 'vitest';
import type { ChargeRow } from '@ctwa-ledger/schemas/bill.ts';
import type { Narrowed } from '@ctwa-ledger/schemas/asked.ts';

import { CHARGE_KEY, chargeKey, messagesOf } from '../../dashboard/src/lib/billing/charges.ts';
import { arrangedAmounts, MARKET_TABLE, specOf } from '../../dashboard/src/lib/billing/tables.ts';
import { sideBySide } from '../../dashboard/src/lib/billing/currencies.ts';
import { reportAddress } from '../../dashboard/src/lib/filters/api.ts';
import { DEFAULT_STATE, readFilters, search, withPicks } from '../../dashboard/src/lib/filters/filters.ts';
import {
  chipName,
  PICKED,
  understood,
  withIds,
  withoutValue,
  withValue,
  type Picks,
  partOfAds,
} from '../../dashboard/src/lib/filters/picked.ts';
import { suggestionsFor } from '../../dashboard/src/lib/filters/suggestions.ts';
import { filtersOf } from '../../dashboard/src/lib/navigation/pages.ts';
import { exactAmount } from '../../dashboard/src/lib/format/amounts.ts';
import {
  GROUP_KEY,
  groupSearch,
  groupWords,
  readGroup,
  type Group,
} from '../../dashboard/src/lib/mismatches/address.ts';

const read = (query: string): ReturnType<typeof readFilters> => readFilters(new URLSearchParams(query));

describe('the address has the filters of all pages', () => {
  const cases: readonly [string, string, Picks, number][] = [
    ['nothing', '', {}, 0],
    ['a market', 'market=Rest+of+Asia+Pacific', { market: 'Rest of Asia Pacific' }, 0],
    ['several markets', 'market=India&market=Brazil&market=India', { market: ['India', 'Brazil'] }, 0],
    [
      'a category, whatever its letters',
      'category=Authentication+international',
      { category: 'authentication_international' },
      0,
    ],
    ['a category that nobody knew', 'category=marketing_lite2', { category: 'marketing_lite2' }, 0],
    ['a mark', 'billing=free_entry', { billing: 'FREE_ENTRY' }, 0],
    ['a mark as people read it', 'billing=Free+entry', { billing: 'FREE_ENTRY' }, 0],
    ['no account is one', 'waba_id=', { waba_id: '' }, 0],
    ['a tag as it was attached, and none', 'tag=+a+&tag=', { tag: [' a ', ''] }, 0],
    ['no number is none', 'phone_number_id=&market=&category=&billing=&ad=&campaign=', {}, 0],
    ['white space', 'phone_number_id=+106+', { phone_number_id: '106' }, 0],
    [
      'ads by id, address and name',
      'ad=1&ad=https%3A%2F%2Fa.example&ad=Spring',
      { ad: ['1', 'https://a.example', 'Spring'] },
      0,
    ],
    ['added by a form, empty fields left alone', 'ad=1&add.ad=2&add.waba_id=&add.tag=', { ad: ['1', '2'] }, 0],
    ['a mark that does not exist', 'billing=CHEAP&market=Brazil', { market: 'Brazil' }, 1],
    ['a mark that nothing delivered has', 'billing=UNDELIVERED', {}, 1],
    ['a category that is none', 'category=%3Cb%3E', {}, 1],
    ['too long for any', `market=${'x'.repeat(301)}&phone_number_id=${'1'.repeat(301)}`, {}, 2],
    ['one tier only', 'tier=1%3AMAX&tier=101%3AMAX&rate=0.1', { tier: '1:MAX', rate: '0.1' }, 0],
    ['a charge may have none of it', 'tier=&rate=&rate_card=', { tier: '', rate: '', rate_card: '' }, 0],
  ];
  it.each(cases)('%s', (_, query, only, notices) => {
    const { state, repairs } = read(query);
    expect(state.only).toEqual(only);
    expect(repairs).toHaveLength(notices);
    for (const { notice } of repairs) expect(notice.length).toBeLessThan(120);
    expect(read(search(state))).toEqual({ state, repairs: [] });
  });

  it('and no others', () => {
    expect(read('rate_card=july.csv 2026-07-01&tier=101:MAX&rate=0.00000001').repairs).toEqual([]);
    for (const broken of ['tier=many', 'tier=1:', 'rate=-1', 'rate=1e5', 'rate=0.123456789', 'rate_card=%00', 'ad=%00'])
      expect([broken, read(broken).state.only, read(broken).repairs.length]).toEqual([broken, {}, 1]);
  });
});

describe('a filter changes the address of its page', () => {
  const cases: readonly [string, string, Picks, string][] = [
    ['one more', 'market=Brazil', { market: 'Brazil', billing: 'BILLABLE' }, '?market=Brazil&billing=BILLABLE'],
    ['several', '', { market: ['India', 'Brazil'] }, '?market=India&market=Brazil'],
    ['no account', '', { waba_id: '' }, '?waba_id='],
    ['less', 'market=Brazil&tz=Asia%2FTokyo', { market: null }, '?tz=Asia%2FTokyo'],
    ['nothing is left', 'waba_id=&add.waba_id=1', {}, ''],
    [
      'pages begin anew, orders stay',
      'sort=-rate&after=x&by-day.after=y&by-day.sort=day',
      { market: 'A' },
      '?market=A&sort=-rate&by-day.sort=day',
    ],
  ];
  it.each(cases)('%s', (_, query, only, expected) => {
    expect(withPicks(read(query).state, new URLSearchParams(query), only)).toBe(expected);
  });

  it('by one value at a time', () => {
    const two = withValue({ market: 'India' }, 'market', 'Brazil');
    expect(two).toEqual({ market: ['India', 'Brazil'] });
    expect(withValue(two, 'market', 'India')).toEqual(two);
    expect(withoutValue(two, 'market', 'India')).toEqual({ market: 'Brazil' });
    expect(withoutValue({ market: 'Brazil' }, 'market', 'Brazil')).toEqual({ market: null });
    expect(withValue({ tier: '1:MAX' }, 'tier', '101:MAX')).toEqual({ tier: '101:MAX' });
  });

  it('and is carried to pages that understand it', () => {
    const only = { ad: '1', market: 'India', tier: '1:MAX' };
    expect(understood(only, filtersOf('/ads'))).toEqual({ ad: '1', market: 'India' });
    expect(understood(only, filtersOf('/billing'))).toEqual({ ad: '1', market: 'India' });
    expect(understood(only, filtersOf('/billing/charges'))).toEqual(only);
    expect(understood(only, filtersOf('/health'))).toEqual({});
    expect([{ ad: '1' }, { tag: null }, { market: 'India' }, { market: 'India', tag: '' }].map(partOfAds)).toEqual([
      'all',
      'all',
      'conversations',
      'messages',
    ]);
  });

  it('named for people', () => {
    expect(PICKED.map((name) => chipName(name, ''))).toEqual(
      [
        'ad',
        'campaign',
        'ad set',
        'account',
        'number',
        'market',
        'category',
        'mark',
        'tag',
        'tier',
        'rate',
        'rate card',
      ].map((name) => `No ${name}`),
    );
    expect(chipName('billing', 'FREE_SERVICE')).toBe('Mark: Free service (free_customer_service)');
    expect(chipName('billing', 'COVERED')).toBe('Mark: Covered');
  });
});

describe('accounts, numbers and ads have names', () => {
  const accounts = [
    { waba_id: '11', name: 'Acme Brazil', numbers: [{ id: '106', display: '5511999990000' }] },
    { waba_id: '12', name: null, numbers: [] },
  ];
  const names = { accounts, ads: { '7': 'Spring sale' } };

  it('on chips', () => {
    expect([chipName('waba_id', '11', names), chipName('waba_id', '12', names)]).toEqual([
      'Account: Acme Brazil',
      'Account: 12',
    ]);
    expect([chipName('phone_number_id', '106', names), chipName('ad', '7', names), chipName('ad', '8', names)]).toEqual(
      ['Number: +5511999990000', 'Ad: Spring sale', 'Ad: 8'],
    );
  });

  it('by which they are found', () => {
    const only = { waba_id: ['acme brazil', '13'], phone_number_id: '+55 11 99999-0000', market: 'Acme Brazil' };
    expect(withIds(only, accounts)).toEqual({ waba_id: ['13', '11'], phone_number_id: '106', market: 'Acme Brazil' });
    expect(withIds({ waba_id: '12' }, accounts)).toEqual({ waba_id: '12' });
  });

  it('which are suggested', () => {
    const found = [{ value: '12', name: '' }];
    expect(suggestionsFor('waba_id', 'acme', accounts, found)).toEqual([
      { value: 'Acme Brazil', name: '11' },
      { value: '12', name: '' },
    ]);
    expect(suggestionsFor('phone_number_id', '', accounts, [{ value: '106', name: '' }])).toEqual([
      { value: '+5511999990000', name: '106' },
    ]);
    expect(suggestionsFor('billing', '', accounts, [{ value: 'FREE_ENTRY', name: '' }])).toEqual([
      { value: 'Free entry', name: '' },
    ]);
    expect(suggestionsFor('category', '', accounts, [{ value: 'marketing', name: '' }])).toEqual([
      { value: 'Marketing', name: '' },
    ]);
    expect(suggestionsFor('ad', '', accounts, [{ value: '7', name: 'Spring sale' }])).toEqual([
      { value: '7', name: 'Spring sale' },
    ]);
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
    const { state, repairs } = readFilters(address);
    expect(repairs).toEqual([]);
    expect(state.only).toEqual(Object.fromEntries(CHARGE_KEY.map((name) => [name, CHARGE[name]])));
  });

  it('and is told from others', () => {
    for (const name of ['day', ...CHARGE_KEY, 'currency', 'period'] as const)
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
    const of = (one: Group): unknown => readGroup(new URLSearchParams(groupSearch(one, DEFAULT_STATE))).only;
    expect(of(group)).toEqual(group);
    // Of no account, and of no category.
    expect(of({ ...group, waba_id: '', category: '' })).toEqual({ ...group, waba_id: '', category: '' });
    expect(groupSearch(null, DEFAULT_STATE)).toBe('');
    expect(readGroup(new URLSearchParams(GROUP_KEY.map((name): [string, string] => [name, ''])))).toEqual({
      only: {},
      repairs: [],
    });
  });

  it('beside what the page is narrowed to, which is another thing', () => {
    const only = { waba_id: 'W2', category: 'utility' };
    const params = new URLSearchParams(groupSearch(group, { ...DEFAULT_STATE, only }));
    expect(readFilters(params).state.only).toEqual(only);
    expect(readGroup(params).only).toEqual(group);
    expect(groupSearch(null, { ...DEFAULT_STATE, only: { waba_id: 'W2' } })).toBe('?waba_id=W2');
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
