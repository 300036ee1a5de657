import { describe, expect, it } from 'vitest';

import { codeSearch, readCode } from '../../dashboard/src/lib/health/address.ts';
import { freshnessOf } from '../../dashboard/src/lib/freshness/freshness.ts';
import { isBehind, lagSentence, storedSentence } from '../../dashboard/src/lib/freshness/sentences.ts';
import { doubts, verdictOf } from '../../dashboard/src/lib/health/verdict.ts';
import { DEFAULT_STATE } from '../../dashboard/src/lib/filters/filters.ts';

const NOW = 1_800_000_000;
const WELL = { dead_letters: 0, cells_behind: 0, charge_hours_behind: 0, last_event_at: NOW - 60 };
const lagOf = (records: number) => [{ topic: 'events', partition: 0, records }];

describe('whether figures can be trusted', () => {
  const cases: readonly [string, Partial<typeof WELL> | { last_event_at: null }, RegExp[]][] = [
    ['all is well', {}, []],
    ['a night is no silence', { last_event_at: NOW - 2 * 86_400 }, []],
    ['three days are', { last_event_at: NOW - 3 * 86_400 }, [/^No event has come for 3 d\./]],
    ['nothing ever came', { last_event_at: null }, [/^No event has come yet/]],
    ['one rejected', { dead_letters: 1 }, [/^1 input was rejected, and is in no figure/]],
    ['behind', { cells_behind: 2, charge_hours_behind: 3 }, [/^2 cells/, /^Amounts of 3 hours/]],
    [
      'everything',
      { dead_letters: 1_000, cells_behind: 1, charge_hours_behind: 1 },
      [/^1,000 inputs were/, /^1 cell/, /^Amounts of 1 hour /],
    ],
  ];
  it.each(cases)('%s', (_, change, expected) => {
    const found = doubts({ ...WELL, ...change }, null, NOW, []);
    expect(found).toHaveLength(expected.length);
    expected.forEach((pattern, i) => {
      expect(found[i]).toMatch(pattern);
    });
    expect(verdictOf(found, null).startsWith('Everything')).toBe(expected.length === 0);
  });

  it('names what Kafka has no more', () => {
    expect(doubts(WELL, null, NOW, [{ records: '1' }])).toEqual([
      '1 record was deleted in Kafka before it was read, and is in no figure.',
    ]);
    expect(doubts(WELL, null, NOW, [{ records: '1500' }, { records: '2' }])).toEqual([
      '1,502 records were deleted in Kafka before they were read, and are in no figure.',
    ]);
  });

  it('names what waits in Kafka where that is known, and claims nothing of it where it is not', () => {
    expect(doubts(WELL, lagOf(2), NOW, [])).toEqual(['2 records in Kafka are not read yet.']);
    expect(verdictOf([], lagOf(0))).toBe('Everything that arrived is in the figures.');
    for (const unknown of [null, []])
      expect(verdictOf([], unknown)).toMatch(/^Everything in the ledger is in the figures\. If Kafka feeds it, /);
    expect(verdictOf(['one'], null)).toBe('1 thing stands between what arrived and the figures.');
  });
});

describe('the line at the top', () => {
  const status = {
    ...WELL,
    source: 'ledger',
    loading_sample: false,
    has_own_data: true,
    events: 1,
    first_event_at: NOW - 60,
    last_stored_at: NOW - 300,
    account_zones: [],
    accounts: [],
    views: [],
  } as const;

  it.each([
    ['Summaries up to date', {}, null],
    ['Summaries up to date', {}, []],
    ['No lag', {}, lagOf(0)],
    ['Lag: 3 records in Kafka to read', {}, lagOf(3)],
    ['Lag: summaries being recomputed, 1 cell to go', { cells_behind: 1 }, null],
    ['Lag: amounts of 2 hours being rated again', { charge_hours_behind: 2 }, lagOf(0)],
    [
      'Lag: 1 record in Kafka to read; summaries being recomputed, 1 cell to go; amounts of 1 hour being rated again',
      { cells_behind: 1, charge_hours_behind: 1 },
      lagOf(1),
    ],
  ])('says “%s”', (sentence, change, lag) => {
    const freshness = freshnessOf({ ...status, ...change }, 0, lag, 'UTC', NOW);
    expect(lagSentence(freshness)).toBe(sentence);
    expect(isBehind(freshness)).toBe(sentence.startsWith('Lag'));
  });

  it.each([
    ['Last stored 5 min ago', {}],
    ['Last stored more than three days ago', { last_stored_at: null }],
    ['Nothing stored yet', { last_stored_at: null, last_event_at: null, first_event_at: null, events: 0 }],
  ])('says “%s”', (sentence, change) => {
    expect(storedSentence(freshnessOf({ ...status, ...change }, 0, null, 'UTC', NOW))).toBe(sentence);
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
