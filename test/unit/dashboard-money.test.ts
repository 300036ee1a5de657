import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { readAccount, textsOf, type AccountTexts } from '../../dashboard/src/lib/accounts/form.ts';
import { byRemedy } from '../../dashboard/src/lib/billing/remedies.ts';
import { amountFilters, reportAddress } from '../../dashboard/src/lib/filters/api.ts';
import { DEFAULT_STATE } from '../../dashboard/src/lib/filters/filters.ts';
import { amount, money, partialMoney, rounded, unpriced } from '../../dashboard/src/lib/format/amounts.ts';
import { ratesSearch, readRatesState, type RatesState } from '../../dashboard/src/lib/rates/address.ts';

describe('an amount on screen', () => {
  it.each([
    ['0', 'USD', '0.00'],
    ['0.005', 'USD', '0.01'],
    ['0.00499999', 'USD', '0.00'],
    ['1234567.895', 'BRL', '1,234,567.90'],
    ['123456789012345678901234.56789', 'BRL', '123,456,789,012,345,678,901,234.57'],
    ['999.995', 'INR', '1,000.00'],
    ['1.5', 'JPY', '2'],
    ['0.49999999', 'JPY', '0'],
    ['1.0005', 'KWD', '1.001'],
    [null, 'USD', '–'],
    ['0', '', '–'],
  ])('%s %s is %s', (decimal, currency, text) => {
    expect(amount(decimal, currency)).toBe(text);
    expect(money(decimal, currency)).toBe(text === '–' ? '–' : `${currency} ${text}`);
  });

  it('is rounded half up, exactly, whatever its digits', () => {
    const decimals = fc.tuple(fc.stringMatching(/^(0|[1-9]\d{0,25})$/), fc.stringMatching(/^\d{0,8}$/), fc.nat(4));
    fc.assert(
      fc.property(decimals, ([whole, fraction, places]) => {
        const decimal = fraction === '' ? whole : `${whole}.${fraction}`;
        const exact = Decimal.clone({ precision: 60 });
        expect(rounded(decimal, places)).toBe(new exact(decimal).toFixed(places, Decimal.ROUND_HALF_UP));
      }),
    );
  });

  it.each([
    ['12.3', 'INR', 40, 'INR 12.30, 40 without a price'],
    [null, 'INR', 1447, '–, 1,447 without a price'],
    ['0', 'INR', 1, 'INR 0.00, 1 without a price'],
    [null, '', 3, '–, 3 without a price'],
    ['12.3', 'INR', 0, 'INR 12.30'],
    [null, 'INR', 0, '–'],
  ])('%s %s, of which %s messages have no price, is %s', (decimal, currency, unrated, text) => {
    expect(partialMoney(decimal, currency, unrated)).toBe(text);
    expect(unpriced(unrated)).toBe(text.split(', ').slice(1).join(', '));
  });

  it('is no other text', () => {
    for (const text of ['', '-1', '1e5', '1,5', '.5']) expect(() => rounded(text, 2)).toThrow('is no amount');
  });
});

describe('the address of the page of rates', () => {
  const filters = { ...DEFAULT_STATE, tz: 'Asia/Kolkata' };
  const cases: readonly [string, RatesState][] = [
    ['', { view: 'list', done: null }],
    ['imported=a&imported=b', { view: 'list', done: { what: 'imported', ids: ['a', 'b'] } }],
    ['withdrawn=a', { view: 'list', done: { what: 'withdrawn', ids: ['a'] } }],
    [
      'upload=t&effective=2026-10-01',
      { view: 'preview', upload: 't', effective: '2026-10-01', anyway: false, model: null },
    ],
    ['upload=t&model=message', { view: 'preview', upload: 't', effective: null, anyway: false, model: 'message' }],
    [
      'upload=t&effective=2026-10-01&anyway=1',
      { view: 'preview', upload: 't', effective: '2026-10-01', anyway: true, model: null },
    ],
    ['withdraw=a', { view: 'withdraw', card_id: 'a' }],
    ['account=', { view: 'account', waba_id: '' }],
    ['account=1', { view: 'account', waba_id: '1' }],
  ];
  it.each(cases)('"%s" both ways', (query, state) => {
    expect(readRatesState(new URLSearchParams(query))).toEqual(state);
    expect(ratesSearch(state, DEFAULT_STATE)).toBe(query === '' ? '' : `?${query}`);
    const withFilters = new URLSearchParams(ratesSearch(state, filters));
    expect(readRatesState(withFilters)).toEqual(state);
    expect(withFilters.get('tz')).toBe('Asia/Kolkata');
  });

  it('leaves aside a day and a model that are none', () => {
    expect(readRatesState(new URLSearchParams('upload=t&effective=2026-02-30&model=free'))).toEqual({
      view: 'preview',
      upload: 't',
      effective: null,
      anyway: false,
      model: null,
    });
  });
});

describe('a report of amounts', () => {
  const range = { from: '2026-10-01', to: '2026-11-01' };
  it('is by the days of each account’s zone unless another one is chosen', () => {
    const chosen = { ...DEFAULT_STATE, tz: 'Europe/Berlin' };
    expect(reportAddress('savings', 'csv', DEFAULT_STATE, range, false)).toBe(
      '/api/savings?format=csv&from=2026-10-01&to=2026-11-01',
    );
    expect(reportAddress('savings', 'json', chosen, range, true)).toBe(
      '/api/savings?from=2026-10-01&to=2026-11-01&tz=Europe%2FBerlin&sample=1',
    );
    expect(amountFilters(DEFAULT_STATE, range, 1)).toMatchObject({ ...range, is_tz_given: false, as_of: 1 });
    expect(amountFilters(chosen, range, 1)).toMatchObject({ tz: 'Europe/Berlin', is_tz_given: true });
  });
});

describe('the form of an account', () => {
  const texts: AccountTexts = {
    waba_id: '1',
    name: ' ',
    time_zone: '',
    currency: '',
    portfolio_id: '',
    phone_number_ids: '',
    closing_day: '',
  };
  it('leaves out what is empty, and reads what people write', () => {
    expect(readAccount({ ...texts, name: '' })).toEqual({ ok: true, account: { waba_id: '1' } });
    const account = {
      waba_id: '1',
      name: 'Acme',
      time_zone: 'Asia/Kolkata',
      currency: 'INR',
      portfolio_id: 'p',
      phone_number_ids: ['10', '11', '12'],
    };
    expect(
      readAccount({ ...textsOf(account), currency: 'inr', time_zone: 'asia/kolkata', phone_number_ids: '10, 11 12' }),
    ).toEqual({ ok: true, account });
    expect(readAccount(textsOf(account))).toEqual({ ok: true, account });
  });

  it.each([
    [{ waba_id: 'x' }, 'digits only'],
    [{ currency: 'EURO' }, 'A currency is three capital letters'],
    [{ time_zone: 'Mars' }, '"Mars" is not an IANA time zone'],
  ])('refuses %j', (change, words) => {
    const read = readAccount({ ...texts, ...change });
    expect(read.ok ? '' : read.problem).toContain(words);
  });
});

describe('what to do about unrated messages', () => {
  it('is said once, with all messages that want for it', () => {
    const row = {
      reason: 'no_card',
      waba_id: '1',
      currency: 'EUR',
      model: 'message',
      market: 'Germany',
      category: 'marketing',
      messages: 2,
      first_day: '2026-10-03',
      last_day: '2026-10-05',
    } as const;
    const remedies = byRemedy([
      row,
      { ...row, market: 'France', messages: 3, first_day: '2026-10-01', last_day: '2026-10-04' },
      { ...row, reason: 'no_account', currency: '', messages: 4 },
      { ...row, reason: 'not_offered', messages: 1 },
    ]);
    expect(
      remedies.map(({ reason, messages, first_day, last_day }) => [reason, messages, first_day, last_day]),
    ).toEqual([
      ['no_card', 5, '2026-10-01', '2026-10-05'],
      ['no_account', 4, '2026-10-03', '2026-10-05'],
      ['not_offered', 1, '2026-10-03', '2026-10-05'],
    ]);
  });
});
