import { describe, expect, it } from 'vitest';
import { parseFilters } from '@ctwa-ledger/schemas/report-filters.ts';
import { csvText, guarded } from '../../services/exports/csv.ts';

describe('a CSV cell', () => {
  it.each([
    ['=1+1', "'=1+1"],
    ['+abc', "'+abc"],
    ['-abc', "'-abc"],
    ['@x', "'@x"],
    ['\tx', "'\tx"],
    ['\rx', "'\rx"],
    ['-12.50', '-12.50'],
    ['+5', '+5'],
    ['12', '12'],
    ['a=b', 'a=b'],
    ['', ''],
  ])('%j is written as %j', (cell, written) => {
    expect(guarded(cell)).toBe(written);
  });

  it('is quoted as RFC 4180 says', () => {
    expect(csvText([['a,b', 'say "x"', 'two\nlines', 'c\rd', null, 5]])).toBe(
      '"a,b","say ""x""","two\nlines","c\rd",,5\n',
    );
  });
});

describe('report filters', () => {
  const NOW = 1_790_000_000;

  it.each([
    [{}, { from: null, to: null, tz: 'UTC', as_of: NOW }],
    [{ as_of: '2026-01-31T10:00:00Z' }, { from: null, to: null, tz: 'UTC', as_of: 1_769_853_600 }],
    [
      { as_of: '2026-01-31T10:00:00', tz: 'America/Sao_Paulo' },
      { from: null, to: null, tz: 'America/Sao_Paulo', as_of: 1_769_864_400 },
    ],
    [{ as_of: '1769853600' }, { from: null, to: null, tz: 'UTC', as_of: 1_769_853_600 }],
    [
      { from: '2026-01-01', to: '2026-02-01' },
      { from: '2026-01-01', to: '2026-02-01', tz: 'UTC', as_of: NOW },
    ],
  ])('%j are read', (texts, filters) => {
    const is_tz_given = 'tz' in texts;
    expect(parseFilters(texts, NOW)).toEqual({ ok: true, filters: { ...filters, is_tz_given } });
  });

  it.each([
    [{ tz: 'Mars/Olympus' }, 'Mars/Olympus'],
    [{ from: '2026-02-30' }, 'from'],
    [{ to: 'tomorrow' }, 'to'],
    [{ from: '2026-02-01', to: '2026-02-01' }, 'exclusive'],
    [{ as_of: 'noon' }, 'as-of'],
  ])('%j are refused', (texts, words) => {
    const parsed = parseFilters(texts, NOW);
    expect(parsed.ok).toBe(false);
    if (!parsed.ok) expect(parsed.message).toContain(words);
  });
});
