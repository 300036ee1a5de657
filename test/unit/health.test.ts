import { describe, expect, it } from 'vitest';

import { codeSearch, readCode } from '../../dashboard/src/lib/health/address.ts';
import { doubts, verdictOf } from '../../dashboard/src/lib/health/verdict.ts';
import { DEFAULT_STATE } from '../../dashboard/src/lib/filters/filters.ts';

const NOW = 1_800_000_000;
const WELL = { dead_letters: 0, cells_behind: 0, last_event_at: NOW - 60 };

describe('whether figures can be trusted', () => {
  const cases: readonly [string, Partial<typeof WELL> | { last_event_at: null }, number, RegExp[]][] = [
    ['all is well', {}, 0, []],
    ['a night is no silence', { last_event_at: NOW - 2 * 86_400 }, 0, []],
    ['three days are', { last_event_at: NOW - 3 * 86_400 }, 0, [/^No event has come for 3 d\./]],
    ['nothing ever came', { last_event_at: null }, 0, [/^No event has come yet/]],
    ['one rejected', { dead_letters: 1 }, 0, [/^1 input was rejected, and is in no figure/]],
    ['behind', { cells_behind: 2 }, 3, [/^2 cells/, /^Amounts of 3 hours/]],
    [
      'everything',
      { dead_letters: 1_000, cells_behind: 1 },
      1,
      [/^1,000 inputs were/, /^1 cell/, /^Amounts of 1 hour /],
    ],
  ];
  it.each(cases)('%s', (_, change, charge_hours_behind, expected) => {
    const found = doubts({ ...WELL, ...change }, { charge_hours_behind }, null, NOW);
    expect(found).toHaveLength(expected.length);
    expected.forEach((pattern, i) => {
      expect(found[i]).toMatch(pattern);
    });
    expect(verdictOf(found).startsWith('Everything')).toBe(expected.length === 0);
  });
});

describe('the address of rejected inputs', () => {
  it('comes back as it went', () => {
    for (const code of ['not_json', null])
      expect(readCode(new URLSearchParams(codeSearch(code, DEFAULT_STATE)))).toEqual({ code, repairs: [] });
  });

  it.each([
    ['', 0],
    ['code=', 0],
    ['code=%3Cb%3E', 1],
    ['code=a%20b', 1],
    [`code=${'x'.repeat(61)}`, 1],
  ])('“%s” is repaired', (query, notices) => {
    const { code, repairs } = readCode(new URLSearchParams(query));
    expect(code).toBe(null);
    expect(repairs).toHaveLength(notices);
  });
});
