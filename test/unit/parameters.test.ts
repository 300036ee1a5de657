import { describe, expect, it } from 'vitest';
import { PERIODS } from '@ctwa-ledger/schemas/report-parameters.ts';
import { parseFilters } from '@ctwa-ledger/schemas/report-filters.ts';
import { nearest } from '../../services/reports/nearest.ts';

describe('days by name', () => {
  const of = (period: string, tz: string, now: string): string => {
    const parsed = parseFilters({ period, tz }, Date.parse(now) / 1000);
    return parsed.ok ? `${parsed.filters.from ?? ''}..${parsed.filters.to ?? ''}` : parsed.message;
  };

  it.each([
    ['today', '2026-11-05..2026-11-06'],
    ['yesterday', '2026-11-04..2026-11-05'],
    ['last-7-days', '2026-10-29..2026-11-05'],
    ['last-30-days', '2026-10-06..2026-11-05'],
    ['this-week', '2026-11-02..2026-11-06'],
    ['last-week', '2026-10-26..2026-11-02'],
    ['this-month', '2026-11-01..2026-11-06'],
    ['last-month', '2026-10-01..2026-11-01'],
    ['this-year', '2026-01-01..2026-11-06'],
    ['last-year', '2025-01-01..2026-01-01'],
  ])('%s', (period, days) => {
    expect(of(period, 'UTC', '2026-11-05T12:00:00Z')).toBe(days);
  });

  it('are those of the zone, also where clocks change and where a day has no midnight', () => {
    expect(of('yesterday', 'Pacific/Kiritimati', '2026-11-05T12:00:00Z')).toBe('2026-11-05..2026-11-06');
    expect(of('yesterday', 'America/Los_Angeles', '2026-11-05T05:00:00Z')).toBe('2026-11-03..2026-11-04');
    // Clocks go forward at midnight there.
    expect(of('today', 'America/Santiago', '2026-09-06T05:00:00Z')).toBe('2026-09-06..2026-09-07');
    expect(of('yesterday', 'America/Santiago', '2026-09-07T05:00:00Z')).toBe('2026-09-06..2026-09-07');
    // Samoa left out the 30th.
    expect(of('yesterday', 'Pacific/Apia', '2011-12-31T12:00:00Z')).toBe('2011-12-31..2012-01-01');
  });

  it('are refused beside others, and under other names', () => {
    expect(of('tomorrow', 'UTC', '2026-11-05T12:00:00Z')).toBe(
      `period "tomorrow" must be one of ${PERIODS.join(', ')}.`,
    );
    expect(parseFilters({ period: 'today', from: '2026-11-01' }, 0)).toMatchObject({ ok: false });
  });
});

describe('the moment since which rows changed', () => {
  const since = (text: string, tz = 'UTC'): number | string | undefined | null => {
    const parsed = parseFilters({ changed_since: text, tz }, 0);
    return parsed.ok ? parsed.filters.changed_since : parsed.message;
  };
  const utc = (text: string): number => Date.parse(`${text}Z`);

  it.each([
    ['2026-11-05T12:00:00Z', 'UTC', utc('2026-11-05T11:50:00')],
    ['2026-11-05T12:00:00.250Z', 'UTC', utc('2026-11-05T11:50:00.250')],
    ['2026-11-05T12:00:00-03:00', 'UTC', utc('2026-11-05T14:50:00')],
    ['2026-11-05', 'America/Sao_Paulo', utc('2026-11-05T02:50:00')],
    ['1793880000', 'UTC', utc('2026-11-05T11:50:00')],
    ['1970-01-01', 'UTC', 0],
  ])('%s in %s is ten minutes earlier', (text, tz, expected) => {
    expect(since(text, tz)).toBe(expected);
  });

  it.each(['', 'yesterday', '2026-13-01', '9999-01-01'])('is not "%s"', (text) => {
    expect(since(text)).toBe(`changed-since "${text}" is not a time; use ISO 8601 like 2026-01-31T10:00:00Z.`);
  });
});

describe('the name that was probably meant', () => {
  const KNOWN = ['from', 'to', 'format', 'waba_id', 'phone_number_id', 'limit', 'tag', 'rate', 'rate_card'];

  it.each([
    ['form', 'from'],
    ['waba', 'waba_id'],
    ['WABA_ID', 'waba_id'],
    ['phone_number', 'phone_number_id'],
    ['limt', 'limit'],
    ['rat', 'rate'],
    ['rate-card', 'rate_card'],
    ['ratecard', 'rate_card'],
    ['banana', null],
    ['', null],
    ['x'.repeat(10_000), null],
  ])('%s', (written, meant) => {
    expect(nearest(written, KNOWN)).toBe(meant);
  });
});
