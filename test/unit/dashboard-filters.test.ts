import { describe, expect, it } from 'vitest';

import { billedDays } from '../../dashboard/src/lib/billing/days.ts';
import { bucketsOf } from '../../dashboard/src/lib/buckets/buckets.ts';
import type { BucketRows } from '../../schemas/figures.ts';
import { LINKED_REPORTS, reportAddress, type LinkedReport } from '../../dashboard/src/lib/filters/api.ts';
import {
  DEFAULT_STATE,
  ownParameters,
  readFilters,
  search,
  writeFilters,
  type FilterState,
  type Grain,
  type Repair,
} from '../../dashboard/src/lib/filters/filters.ts';
import {
  comparedRange,
  grainIn,
  grainsOf,
  grainState,
  presets,
  resolveRange,
  zonesOfDays,
  type DayRange,
  type LedgerSpan,
} from '../../dashboard/src/lib/filters/range.ts';
import { offeredZones } from '../../dashboard/src/lib/filters/zones.ts';
import { countChange, rateChange } from '../../dashboard/src/lib/headline/change.ts';
import { reportOf } from '../../services/catalogue/catalogue.ts';
import { parametersOf } from '../../services/reports/parameters.ts';

const state = (change: Partial<FilterState>): FilterState => ({ ...DEFAULT_STATE, ...change });
const unix = (iso: string): number => Date.parse(iso) / 1000;

describe('a query string and the page state say the same', () => {
  const cases: readonly [string, string, FilterState][] = [
    ['the default is empty', '', DEFAULT_STATE],
    ['a range', 'from=2026-01-01&until=2026-01-31', state({ from: '2026-01-01', to: '2026-02-01' })],
    ['one day', 'from=2026-01-31&until=2026-01-31', state({ from: '2026-01-31', to: '2026-02-01' })],
    ['one end, the other follows the data', 'from=2026-01-01', state({ from: '2026-01-01' })],
    ['the other end', 'until=2026-01-31', state({ to: '2026-02-01' })],
    ['a leap day', 'from=2024-02-29&until=2024-02-29', state({ from: '2024-02-29', to: '2024-03-01' })],
    ['a zone', 'tz=America%2FSao_Paulo', state({ tz: 'America/Sao_Paulo' })],
    ['a zone under its newer name', 'tz=Asia%2FKolkata', state({ tz: 'Asia/Kolkata' })],
    ['a clock', 'as_of=2026-01-31T10%3A00%3A00Z', state({ as_of: '2026-01-31T10:00:00Z' })],
    ['the sample data', 'sample=1', state({ sample: true })],
    ['a comparison', 'compare=year', state({ compare: 'year' })],
    ['no comparison', 'compare=none', state({ compare: 'none' })],
    ['hours', 'grain=hour', state({ grain: 'hour' })],
    ['days', 'grain=day', state({ grain: 'day' })],
    [
      'everything',
      'from=2026-01-01&until=2026-01-31&tz=Europe%2FBerlin&as_of=2026-01-31T10%3A00%3A00Z&sample=1&compare=none&grain=week',
      {
        from: '2026-01-01',
        to: '2026-02-01',
        tz: 'Europe/Berlin',
        as_of: '2026-01-31T10:00:00Z',
        sample: true,
        compare: 'none',
        grain: 'week',
        only: {},
      },
    ],
  ];

  it.each(cases)('%s', (_, query, expected) => {
    expect(readFilters(new URLSearchParams(query))).toEqual({ state: expected, repairs: [] });
    expect(writeFilters(expected).toString()).toBe(query);
    expect(search(expected)).toBe(query === '' ? '' : `?${query}`);
  });
});

describe('another spelling of a state is understood, without a notice', () => {
  const cases: readonly [string, string, FilterState][] = [
    ['empty values', 'from=&to=&tz=&as_of=', DEFAULT_STATE],
    ['a last day that is empty', 'from=&until=', DEFAULT_STATE],
    [
      'the day after the last one, of a link made before',
      'from=2026-01-01&to=2026-02-01',
      state({ from: '2026-01-01', to: '2026-02-01' }),
    ],
    ['that day alone', 'to=2026-02-01', state({ to: '2026-02-01' })],
    [
      'both ends of both kinds: the last day counts',
      'from=2026-01-01&until=2026-01-10&to=2026-02-01',
      state({ from: '2026-01-01', to: '2026-01-11' }),
    ],
    ['the default written out', 'tz=&compare=previous&sample=0', DEFAULT_STATE],
    ['UTC, which somebody chose', 'tz=%20UTC%20', state({ tz: 'UTC' })],
    ['unknown parameters', 'utm_source=mail&page=2', DEFAULT_STATE],
    ['a flag by its presence', 'sample', state({ sample: true })],
    ['a flag in words', 'sample=true', state({ sample: true })],
    ['a zone in other letters', 'tz=europe/london', state({ tz: 'Europe/London' })],
    ['a zone that is not suggested', 'tz=antarctica/mcmurdo', state({ tz: 'Antarctica/McMurdo' })],
    ['a clock with an offset', 'as_of=2026-01-31T10:00:00%2B02:00', state({ as_of: '2026-01-31T08:00:00Z' })],
    ['a part of a second', 'as_of=2026-01-31T10:00:00.5Z', state({ as_of: '2026-01-31T10:00:00Z' })],
    ['an offset whose plus was lost', 'as_of=2026-01-31T10:00:00+02:00', state({ as_of: '2026-01-31T08:00:00Z' })],
    [
      'a clock without an offset is in the zone',
      'as_of=2026-01-31T10:00&tz=Asia/Tokyo',
      state({ as_of: '2026-01-31T01:00:00Z', tz: 'Asia/Tokyo' }),
    ],
  ];

  it.each(cases)('%s', (_, query, expected) => {
    expect(readFilters(new URLSearchParams(query))).toEqual({ state: expected, repairs: [] });
  });
});

describe('what cannot be used becomes the default, with a notice', () => {
  const cases: readonly [string, string, FilterState, Repair['parameter'][]][] = [
    ['not a date', 'from=yesterday', DEFAULT_STATE, ['from']],
    ['not a day of the calendar', 'to=2026-02-30', DEFAULT_STATE, ['to']],
    ['a month that does not exist', 'from=2026-13-01', DEFAULT_STATE, ['from']],
    ['a date of another time', 'from=0001-01-01', DEFAULT_STATE, ['from']],
    ['half of a range', 'from=2026-01-01&to=x', DEFAULT_STATE, ['to']],
    ['not a last day', 'from=2026-01-01&until=2026-02-30', DEFAULT_STATE, ['until']],
    ['a last day before the first one', 'from=2026-02-02&until=2026-02-01', DEFAULT_STATE, ['from']],
    ['both halves', 'from=x&to=y', DEFAULT_STATE, ['from', 'to']],
    ['an empty range', 'from=2026-01-01&to=2026-01-01', DEFAULT_STATE, ['from']],
    ['a range that runs backwards', 'from=2026-02-01&to=2026-01-01', DEFAULT_STATE, ['from']],
    ['no zone', 'tz=Mars/Base', DEFAULT_STATE, ['tz']],
    ['an offset is no zone', 'tz=%2B03:00', DEFAULT_STATE, ['tz']],
    ['no time', 'as_of=later', DEFAULT_STATE, ['as_of']],
    ['a time of another age', 'as_of=9999-01-01T00:00:00Z', DEFAULT_STATE, ['as_of']],
    ['no flag', 'sample=maybe', DEFAULT_STATE, ['sample']],
    ['no comparison of that name', 'compare=yesterday', DEFAULT_STATE, ['compare']],
    ['no length of a bar', 'grain=minute', DEFAULT_STATE, ['grain']],
    ['a bad value leaves the good ones', 'tz=x&sample=1', state({ sample: true }), ['tz']],
    ['all at once', 'from=x&tz=x&as_of=x&sample=x', DEFAULT_STATE, ['from', 'tz', 'as_of', 'sample']],
  ];

  it.each(cases)('%s', (_, query, expected, parameters) => {
    const read = readFilters(new URLSearchParams(query));
    expect(read.state).toEqual(expected);
    expect(read.repairs.map((repair) => repair.parameter)).toEqual(parameters);
  });

  it('repeats no more of a bad value than a notice can hold', () => {
    const { repairs } = readFilters(new URLSearchParams({ tz: 'x'.repeat(10_000) }));
    expect(repairs[0]?.notice.length).toBeLessThan(200);
  });
});

describe('the days on screen', () => {
  const span: LedgerSpan = {
    first_event_at: unix('2025-11-05T08:00:00Z'),
    last_event_at: unix('2026-03-10T23:30:00Z'),
  };
  const now = unix('2026-03-20T12:00:00Z');

  const cases: readonly [string, Partial<FilterState>, LedgerSpan, string, string, number][] = [
    ['the last 30 days of the data', {}, span, '2026-02-09', '2026-03-11', 0],
    ['the last event is a day later in the east', { tz: 'Asia/Tokyo' }, span, '2026-02-10', '2026-03-12', 0],
    ['as asked', { from: '2026-01-01', to: '2026-01-08' }, span, '2026-01-01', '2026-01-08', 0],
    ['from a day to the end of the data', { from: '2026-03-01' }, span, '2026-03-01', '2026-03-11', 0],
    ['30 days up to a day', { to: '2026-01-31' }, span, '2026-01-01', '2026-01-31', 0],
    ['after the data', { from: '2026-03-11' }, span, '2026-02-09', '2026-03-11', 1],
    ['more than a page can show', { from: '2015-01-01', to: '2099-01-01' }, span, '2026-02-09', '2026-03-11', 1],
    ['an empty ledger', {}, { first_event_at: null, last_event_at: null }, '2026-02-19', '2026-03-21', 0],
  ];

  it.each(cases)('%s', (_, change, of, from, to, repairs) => {
    const resolved = resolveRange(state(change), of, now, [change.tz ?? 'UTC']);
    expect(resolved.range).toEqual({ from, to });
    expect(resolved.repairs).toHaveLength(repairs);
    if (repairs > 0) expect(resolved.state).toMatchObject({ from: null, to: null });
  });

  it('offers presets that are measured from the last event', () => {
    expect(presets(span, ['UTC'], now).map(({ name, range }) => [name, range.from, range.to])).toEqual([
      ['7 days', '2026-03-04', '2026-03-11'],
      ['30 days', '2026-02-09', '2026-03-11'],
      ['90 days', '2025-12-11', '2026-03-11'],
      ['This month', '2026-03-01', '2026-03-11'],
      ['Previous month', '2026-02-01', '2026-03-01'],
      ['All', '2025-11-05', '2026-03-11'],
    ]);
  });

  it('keeps the address of the default preset empty, and means the range it names by the others', () => {
    for (const preset of presets(span, ['UTC'], now)) {
      const query = search({ ...DEFAULT_STATE, ...preset.state });
      if (preset.name === '30 days') expect(query).toBe('');
      const { state: read } = readFilters(new URLSearchParams(query));
      expect(resolveRange(read, span, now, ['UTC']).range).toEqual(preset.range);
    }
  });
});

describe('the days of accounts, each in its own zone', () => {
  const ZONES = ['Asia/Kolkata', 'America/Sao_Paulo'];
  const at = (first: string, last: string): LedgerSpan => ({ first_event_at: unix(first), last_event_at: unix(last) });
  const now = unix('2026-03-20T12:00:00Z');

  it.each([
    ['/billing', null, ['UTC', ...ZONES]],
    ['/billing/charges', null, ['UTC', ...ZONES]],
    ['/billing/messages', null, ['UTC', ...ZONES]],
    ['/billing', 'Asia/Tokyo', ['Asia/Tokyo']],
    ['/billing', 'UTC', ['UTC']],
    ['/billing/mismatches', null, ['UTC', ...ZONES]],
    ['/', null, ['UTC']],
    [null, null, ['UTC']],
  ])('%s in %s', (page, tz, zones) => {
    expect(zonesOfDays(page, tz, ZONES)).toEqual(zones);
  });

  // Of the first and of the last event: the day in UTC, in Kolkata (+05:30) and in São Paulo (-03:00).
  const cases: readonly [string, string, string, string[], string, string, string][] = [
    [
      'one day everywhere',
      '2026-01-05T12:00:00Z',
      '2026-03-10T12:00:00Z',
      ZONES,
      '2026-01-05',
      '2026-03-11',
      '2026-03-10',
    ],
    [
      'tomorrow in Kolkata',
      '2026-01-05T12:00:00Z',
      '2026-03-10T18:30:00Z',
      ZONES,
      '2026-01-05',
      '2026-03-12',
      '2026-03-10',
    ],
    ['not yet', '2026-01-05T12:00:00Z', '2026-03-10T18:29:59Z', ZONES, '2026-01-05', '2026-03-11', '2026-03-10'],
    [
      'yesterday in São Paulo',
      '2026-01-05T02:59:59Z',
      '2026-03-10T02:59:59Z',
      ZONES,
      '2026-01-04',
      '2026-03-11',
      '2026-03-09',
    ],
    ['no more', '2026-01-05T03:00:00Z', '2026-03-10T03:00:00Z', ZONES, '2026-01-05', '2026-03-11', '2026-03-10'],
    [
      'in São Paulo alone',
      '2026-01-05T01:00:00Z',
      '2026-03-10T20:00:00Z',
      ['America/Sao_Paulo'],
      '2026-01-04',
      '2026-03-11',
      '2026-03-10',
    ],
    ['without accounts', '2026-01-05T01:00:00Z', '2026-03-10T23:00:00Z', [], '2026-01-05', '2026-03-11', '2026-03-10'],
    [
      'three days at once',
      '2026-01-05T10:30:00Z',
      '2026-03-10T10:30:00Z',
      ['Pacific/Kiritimati', 'Pacific/Pago_Pago'],
      '2026-01-04',
      '2026-03-12',
      '2026-03-09',
    ],
  ];
  it.each(cases)('%s', (_, first, last, account_zones, from, to, unfinished) => {
    const span = at(first, last);
    const zones = zonesOfDays('/billing', null, account_zones);
    const { range } = resolveRange(DEFAULT_STATE, span, now, zones);
    expect(range.to).toBe(to);
    expect(Date.parse(range.to) - Date.parse(range.from)).toBe(30 * 86_400_000);
    expect(presets(span, zones, now).find(({ name }) => name === 'All')?.range).toEqual({ from, to });
    const days = billedDays([], range, span.last_event_at, zones);
    expect(days.at(-1)?.day).toBe(new Date(Date.parse(to) - 86_400_000).toISOString().slice(0, 10));
    expect(days.find((day) => day.unfinished)?.day).toBe(unfinished);
    expect(days.filter((day) => day.unfinished)).toEqual(days.filter(({ day }) => day >= unfinished));
  });

  it('begins the month when the first account does', () => {
    const month = (zones: readonly string[]): unknown =>
      presets(at('2026-01-05T12:00:00Z', '2026-03-31T20:00:00Z'), zones, now).find(({ name }) => name === 'This month')
        ?.range;
    expect(month(['UTC'])).toEqual({ from: '2026-03-01', to: '2026-04-01' });
    expect(month(['UTC', 'Asia/Kolkata'])).toEqual({ from: '2026-04-01', to: '2026-04-02' });
  });
});

describe('hours are for ranges that have room for them', () => {
  const cases: readonly [string, string, Grain, Grain][] = [
    ['2026-03-01', '2026-03-15', 'hour', 'hour'],
    ['2026-03-01', '2026-03-16', 'hour', 'day'],
    ['2026-03-01', '2026-03-16', 'day', 'day'],
    ['2026-03-01', '2026-03-16', 'week', 'week'],
    ['2026-03-01', '2026-03-02', 'week', 'week'],
  ];

  it.each(cases)('%s to %s by %s', (from, to, asked, shown) => {
    expect(grainIn({ from, to }, asked)).toBe(shown);
    expect(grainsOf({ from, to })).toContain(shown);
    expect(grainsOf({ from, to }).includes(asked)).toBe(asked === shown);
    // No part of the link is broken: other pages, and other days, keep what it asks for.
    const span = { first_event_at: null, last_event_at: null };
    const asking = state({ from, to, grain: asked });
    expect(resolveRange(asking, span, unix('2026-03-20T00:00:00Z'), ['UTC'])).toEqual({
      state: asking,
      range: { from, to },
      repairs: [],
    });
  });
});

it('shows one day by the hour unless days are asked for', () => {
  const day = { from: '2026-03-01', to: '2026-03-02' };
  const week = { from: '2026-03-01', to: '2026-03-08' };
  expect([grainIn(day, null), grainIn(day, 'day'), grainIn(week, null)]).toEqual(['hour', 'day', 'day']);
  // Links say no more than they have to.
  expect([grainState(day, 'hour'), grainState(day, 'day')]).toEqual([null, 'day']);
  expect([grainState(week, 'hour'), grainState(week, 'day'), grainState(week, null)]).toEqual(['hour', null, null]);
});

describe('what a range is compared with', () => {
  const cases: readonly [string, string, string, FilterState['compare'], string | null, string | null][] = [
    ['as many days before', '2026-03-05', '2026-03-12', 'previous', '2026-02-26', '2026-03-05'],
    ['one day before', '2026-03-01', '2026-03-02', 'previous', '2026-02-28', '2026-03-01'],
    ['a month with the month before', '2026-03-01', '2026-04-01', 'previous', '2026-02-01', '2026-03-01'],
    ['two months with two months', '2026-03-01', '2026-05-01', 'previous', '2026-01-01', '2026-03-01'],
    ['over a new year', '2026-01-01', '2026-02-01', 'previous', '2025-12-01', '2026-01-01'],
    ['part of a month with as many days', '2026-03-01', '2026-03-31', 'previous', '2026-01-30', '2026-03-01'],
    ['the same dates of last year', '2026-03-05', '2026-03-12', 'year', '2025-03-05', '2025-03-12'],
    ['a month of last year', '2024-02-01', '2024-03-01', 'year', '2023-02-01', '2023-03-01'],
    ['29 February is 28 a year earlier', '2024-02-29', '2024-03-01', 'year', '2023-02-28', '2023-03-01'],
    ['up to 29 February', '2024-02-28', '2024-02-29', 'year', '2023-02-28', '2023-03-01'],
    ['nothing', '2026-03-05', '2026-03-12', 'none', null, null],
  ];

  it.each(cases)('%s', (_, from, to, comparison, before, until) => {
    const expected = before === null ? null : { from: before, to: until };
    expect(comparedRange({ from, to }, comparison)).toEqual(expected);
  });
});

describe('the address of the report behind a table', () => {
  it('spells the range and the zone out', () => {
    const range = { from: '2026-01-01', to: '2026-02-01' };
    expect(reportAddress('days', 'json', DEFAULT_STATE, range, false)).toBe(
      '/api/days?from=2026-01-01&to=2026-02-01&tz=UTC',
    );
    const asked = state({ tz: 'Asia/Tokyo', as_of: '2026-01-31T10:00:00Z', sample: true });
    expect(reportAddress('ads', 'csv', asked, range, true)).toBe(
      '/api/ads?format=csv&from=2026-01-01&to=2026-02-01&tz=Asia%2FTokyo&as_of=2026-01-31T10%3A00%3A00Z&sample=1',
    );
  });
});

describe('a link to a report', () => {
  const range = { from: '2026-01-01', to: '2026-02-01' };
  const reports = Object.keys(LINKED_REPORTS) as LinkedReport[];

  it.each(reports)('says only what the report takes: %s', (report) => {
    const taken: readonly string[] = [...parametersOf(reportOf(report)), 'format', 'sample'];
    for (const tz of [null, 'Asia/Tokyo']) {
      const asked = state({ tz, as_of: '2026-01-31T10:00:00Z' });
      const { searchParams } = new URL(reportAddress(report, 'csv', asked, range, true), 'http://localhost');
      expect([...searchParams.keys()].filter((name) => !taken.includes(name))).toEqual([]);
    }
  });

  it('names days where the report has some', () => {
    const undated = reports.filter((report) => LINKED_REPORTS[report] === 'none' && reportOf(report).days !== 'none');
    // The page lists imports of all days, and links to what changed between any of them.
    expect(undated).toEqual(['restatements']);
  });
});

describe('what an address says besides the filters of all pages', () => {
  const cases: readonly [string, string, Record<string, string>][] = [
    ['nothing', 'from=2026-01-01&tz=UTC&sample=1&grain=week', {}],
    [
      'the order of tables, but no filters',
      'ad=12&add.ad=13&sort=-replied&by-day.sort=day',
      { sort: '-replied', 'by-day.sort': 'day' },
    ],
    ['not where a page of a table begins', 'after=x&by-day.after=y&before=1,2,3&q=55', { q: '55' }],
    ['not the action of a form', '/replay=&code=not_json', { code: 'not_json' }],
  ];
  it.each(cases)('%s', (_, query, own) => {
    expect(ownParameters(new URLSearchParams(query))).toEqual(own);
  });
});

describe('a change of a figure in words', () => {
  const counts: readonly [number, number, string][] = [
    [120, 100, '+20% from 100'],
    [99, 100, '−1% from 100'],
    [1_000, 1_000, '0% from 1,000'],
    [1_234_567, 1_000_000, '+23.5% from 1,000,000'],
    [5, 0, 'none before'],
    [0, 0, 'none before either'],
    [0, 5, '−100% from 5'],
  ];
  it.each(counts)('%d after %d', (now, before, words) => {
    expect(countChange(now, before)).toBe(words);
  });

  const rates: readonly [string | null, string | null, string | null][] = [
    ['0.8160', '0.8040', '+1.2 points from 80.4%'],
    ['0.8040', '0.8160', '−1.2 points from 81.6%'],
    ['0.5000', '0.5000', '0.0 points from 50.0%'],
    ['1.0000', null, null],
    [null, '0.5000', null],
  ];
  it.each(rates)('%s after %s', (now, before, words) => {
    expect(rateChange(now, before)).toBe(words);
  });
});

describe('what a bar covers', () => {
  const none = {
    ad_conversations: 0,
    replied: 0,
    mature: 0,
    pending: 0,
    reply_rate: null,
    median_seconds_to_reply: null,
    windows_opened: 0,
    windows_confirmed: 0,
    messages: 0,
    delivered: 0,
    billable: 0,
    free_entry: 0,
    free_service: 0,
    covered: 0,
    unknown: 0,
    mismatches: 0,
    saved_from_charge: 0,
  };
  const named = (asked: BucketRows, range: DayRange, tz: string, as_of: string, last: string | null): string[] =>
    bucketsOf(asked, range, tz, unix(as_of), last === null ? null : unix(last)).map(
      ({ name, detail, unfinished }) => `${name} | ${detail}${unfinished ? ' | unfinished' : ''}`,
    );

  it('names two hours apart where clocks go back, and only the one that runs is unfinished', () => {
    const rows = ['02:00:00+02:00', '02:00:00+01:00', '03:00:00+01:00'].map((time) => ({
      hour: `2026-10-25T${time}`,
      ...none,
    }));
    const range = { from: '2026-10-25', to: '2026-10-26' };
    expect(
      named({ grain: 'hour', rows }, range, 'Europe/Berlin', '2026-10-25T02:10:00Z', '2026-10-25T01:30:00Z'),
    ).toEqual([
      '25 Oct 2026, 02:00 | Sun, +02:00',
      '25 Oct 2026, 02:00 | Sun, +01:00 | unfinished',
      '25 Oct 2026, 03:00 | Sun, +01:00 | unfinished',
    ]);
  });

  it('ends a day of 25 hours at its midnight', () => {
    const rows = [{ day: '2026-10-25', ...none }];
    const range = { from: '2026-10-25', to: '2026-10-26' };
    const at = (as_of: string): string[] => named({ grain: 'day', rows }, range, 'Europe/Berlin', as_of, null);
    expect(at('2026-10-25T22:59:59Z')).toEqual(['25 Oct 2026 | Sun | unfinished']);
    expect(at('2026-10-25T23:00:00Z')).toEqual(['25 Oct 2026 | Sun']);
  });

  it('says which days of a week count', () => {
    const rows = ['2026-03-02', '2026-03-09', '2026-03-16'].map((week) => ({ week, ...none }));
    const range = { from: '2026-03-04', to: '2026-03-18' };
    expect(named({ grain: 'week', rows }, range, 'UTC', '2026-04-01T00:00:00Z', '2026-03-17T09:00:00Z')).toEqual([
      'Week of 2 Mar 2026 | only 4 Mar to 8 Mar',
      'Week of 9 Mar 2026 | ',
      'Week of 16 Mar 2026 | only 16 Mar to 17 Mar | unfinished',
    ]);
    const cut = bucketsOf({ grain: 'week', rows }, range, 'UTC', unix('2026-04-01T00:00:00Z'), null);
    expect(cut.map(({ is_cut }) => is_cut)).toEqual([true, false, true]);
  });
});

describe('zones that are one click away', () => {
  const cases: readonly [string, string[], string | null, string[]][] = [
    ['nothing is known', [], null, []],
    [
      'of accounts, then of the browser',
      ['America/Sao_Paulo'],
      'Europe/Berlin',
      ['America/Sao_Paulo', 'Europe/Berlin'],
    ],
    ['each once, under its newer name', ['Asia/Kolkata', 'UTC'], 'Asia/Calcutta', ['Asia/Kolkata']],
    ['a name that nobody knows is left out', ['Mars/Base'], null, []],
  ];
  it.each(cases)('%s', (_, accounts, browser, expected) => {
    const offered = (usual: 'UTC' | 'accounts') => offeredZones(usual, accounts, browser).map((zone) => zone.tz);
    expect(offered('UTC')).toEqual([null, ...expected]);
    // Where days are those of accounts, UTC is one more zone that can be chosen.
    expect(offered('accounts')).toEqual([null, 'UTC', ...expected]);
  });
});
