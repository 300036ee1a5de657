import { describe, expect, it } from 'vitest';

import { reportAddress } from '../../dashboard/src/lib/filters/api.ts';
import {
  DEFAULT_STATE,
  readFilters,
  search,
  writeFilters,
  type FilterState,
  type Repair,
} from '../../dashboard/src/lib/filters/filters.ts';
import { presets, resolveRange, type LedgerSpan } from '../../dashboard/src/lib/filters/range.ts';

const state = (change: Partial<FilterState>): FilterState => ({ ...DEFAULT_STATE, ...change });
const unix = (iso: string): number => Date.parse(iso) / 1000;

describe('a query string and the page state say the same', () => {
  const cases: readonly [string, string, FilterState][] = [
    ['the default is empty', '', DEFAULT_STATE],
    ['a range', 'from=2026-01-01&to=2026-02-01', state({ from: '2026-01-01', to: '2026-02-01' })],
    ['one end, the other follows the data', 'from=2026-01-01', state({ from: '2026-01-01' })],
    ['the other end', 'to=2026-02-01', state({ to: '2026-02-01' })],
    ['a leap day', 'from=2024-02-29&to=2024-03-01', state({ from: '2024-02-29', to: '2024-03-01' })],
    ['a zone', 'tz=America%2FSao_Paulo', state({ tz: 'America/Sao_Paulo' })],
    ['a zone under its newer name', 'tz=Asia%2FKolkata', state({ tz: 'Asia/Kolkata' })],
    ['a clock', 'as_of=2026-01-31T10%3A00%3A00Z', state({ as_of: '2026-01-31T10:00:00Z' })],
    ['the sample data', 'sample=1', state({ sample: true })],
    ['a sort', 'sort=-reply_rate', state({ sort: { column: 'reply_rate', descending: true } })],
    ['a sort upwards', 'sort=ad_id', state({ sort: { column: 'ad_id', descending: false } })],
    [
      'everything',
      'from=2026-01-01&to=2026-02-01&tz=Europe%2FBerlin&as_of=2026-01-31T10%3A00%3A00Z&sample=1&sort=pending',
      {
        from: '2026-01-01',
        to: '2026-02-01',
        tz: 'Europe/Berlin',
        as_of: '2026-01-31T10:00:00Z',
        sample: true,
        sort: { column: 'pending', descending: false },
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
    ['empty values', 'from=&to=&tz=&as_of=&sort=', DEFAULT_STATE],
    ['the default written out', 'tz=UTC&sort=-ad_conversations&sample=0', DEFAULT_STATE],
    ['white space', 'tz=%20UTC%20', DEFAULT_STATE],
    ['unknown parameters', 'utm_source=mail&page=2', DEFAULT_STATE],
    ['a flag by its presence', 'sample', state({ sample: true })],
    ['a flag in words', 'sample=true', state({ sample: true })],
    ['a zone in other letters', 'tz=europe/london', state({ tz: 'Europe/London' })],
    ['a zone that is not suggested', 'tz=antarctica/mcmurdo', state({ tz: 'Antarctica/McMurdo' })],
    ['a clock with an offset', 'as_of=2026-01-31T10:00:00%2B02:00', state({ as_of: '2026-01-31T08:00:00Z' })],
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
    ['both halves', 'from=x&to=y', DEFAULT_STATE, ['from', 'to']],
    ['an empty range', 'from=2026-01-01&to=2026-01-01', DEFAULT_STATE, ['from']],
    ['a range that runs backwards', 'from=2026-02-01&to=2026-01-01', DEFAULT_STATE, ['from']],
    ['no zone', 'tz=Mars/Base', DEFAULT_STATE, ['tz']],
    ['an offset is no zone', 'tz=%2B03:00', DEFAULT_STATE, ['tz']],
    ['no time', 'as_of=later', DEFAULT_STATE, ['as_of']],
    ['a time of another age', 'as_of=9999-01-01T00:00:00Z', DEFAULT_STATE, ['as_of']],
    ['no flag', 'sample=maybe', DEFAULT_STATE, ['sample']],
    ['no column', 'sort=-clicks', DEFAULT_STATE, ['sort']],
    ['a bad value leaves the good ones', 'tz=x&sample=1', state({ sample: true }), ['tz']],
    ['all at once', 'from=x&tz=x&as_of=x&sort=x&sample=x', DEFAULT_STATE, ['from', 'tz', 'as_of', 'sort', 'sample']],
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
    const resolved = resolveRange(state(change), of, now);
    expect(resolved.range).toEqual({ from, to });
    expect(resolved.repairs).toHaveLength(repairs);
    if (repairs > 0) expect(resolved.state).toMatchObject({ from: null, to: null });
  });

  it('offers presets that are measured from the last event', () => {
    expect(presets(span, 'UTC', now).map(({ name, range }) => [name, range.from, range.to])).toEqual([
      ['7 days', '2026-03-04', '2026-03-11'],
      ['30 days', '2026-02-09', '2026-03-11'],
      ['90 days', '2025-12-11', '2026-03-11'],
      ['This month', '2026-03-01', '2026-03-11'],
      ['Previous month', '2026-02-01', '2026-03-01'],
      ['All', '2025-11-05', '2026-03-11'],
    ]);
  });

  it('keeps the address of the default preset empty, and means the range it names by the others', () => {
    for (const preset of presets(span, 'UTC', now)) {
      const query = search({ ...DEFAULT_STATE, ...preset.state });
      if (preset.name === '30 days') expect(query).toBe('');
      const { state: read } = readFilters(new URLSearchParams(query));
      expect(resolveRange(read, span, now).range).toEqual(preset.range);
    }
  });
});

describe('the address of the report behind a table', () => {
  it('spells the range and the zone out', () => {
    const range = { from: '2026-01-01', to: '2026-02-01' };
    expect(reportAddress('daily', 'json', DEFAULT_STATE, range, false)).toBe(
      '/api/daily?from=2026-01-01&to=2026-02-01&tz=UTC',
    );
    const asked = state({ tz: 'Asia/Tokyo', as_of: '2026-01-31T10:00:00Z', sample: true });
    expect(reportAddress('ads', 'csv', asked, range, true)).toBe(
      '/api/ads?format=csv&from=2026-01-01&to=2026-02-01&tz=Asia%2FTokyo&as_of=2026-01-31T10%3A00%3A00Z&sample=1',
    );
  });
});
