import { ChecklistWords, sayVerdict } from '@ctwa-ledger/schemas/checklist-words.ts';
import {
  mustBeAccepted,
  type Check,
  type CheckName,
  type CheckState,
  type Finding,
  type Period,
} from '@ctwa-ledger/schemas/periods.ts';
import { describe, expect, it } from 'vitest';
import { examinationLines, periodLines } from '../../services/cli/close-words.ts';
import { judgeMonth } from '../../services/periods/verdict.ts';
import { isWatched } from '../../services/reports/gaps.ts';

/** A month in which nothing is to be said. */
const PASSED: {
  readonly [Name in Exclude<CheckName, 'counts' | 'controls' | 'cases'>]: Extract<Check, { readonly check: Name }>;
} = {
  meta_numbers: {
    check: 'meta_numbers',
    state: 'passed',
    days: 31,
    missing_days: [],
    unsettled_days: [],
    settles_on: null,
  },
  events: {
    check: 'events',
    state: 'passed',
    gaps: 0,
    missing_hours: 0,
    unwatched_numbers: [],
    agrees_with_meta: false,
    stored_lately: 0,
    dead_letters: 0,
    lost_records: 0,
    settles_on: null,
  },
  outcomes: { check: 'outcomes', state: 'passed', messages: 0, settles_on: null },
  prices: { check: 'prices', state: 'passed', delivered: 9, unrated: 0, has_currency: true },
  differences: {
    check: 'differences',
    state: 'passed',
    rows: 4,
    different: 0,
    explained: 0,
    written_off: 0,
    accepted: 0,
    within_tolerance: 0,
    biases: [],
    no_cost: 0,
    missing_days: 0,
    currency: 'USD',
    our_cost: '1.5',
    meta_cost: '1.5',
    cost_difference: '0',
  },
  invoice: {
    check: 'invoice',
    state: 'passed',
    currency: 'USD',
    invoiced: '1.5',
    lines: 1,
    held_against: 'meta',
    amount: '1.5',
    difference: '0',
    unassigned_lines: 0,
    other_currencies: [],
  },
  closed_once: { check: 'closed_once', state: 'passed', messages: 0, months: [] },
};

/** There only where Meta's counts were imported. */
const COUNTS: Check = {
  check: 'counts',
  state: 'open',
  days: 31,
  missing_days: 1,
  rows: 30,
  gap: 1,
  other_responder: 0,
  missing: 0,
  outcomes: 0,
  surplus: 0,
  our_sent: 4,
  meta_sent: 9,
  our_delivered: 4,
  meta_delivered: 9,
  our_incoming: 0,
  meta_incoming: null,
};

function listWith(states: Partial<Record<CheckName, CheckState>>): Check[] {
  return Object.values(PASSED).map((check) => ({ ...check, state: states[check.check] ?? 'passed' }));
}

describe('the verdict of a month', () => {
  const CASES: [Partial<Record<CheckName, CheckState>>, string, CheckName[]][] = [
    [{}, 'reconciled', []],
    [{ outcomes: 'pending' }, 'pending', ['outcomes']],
    [{ outcomes: 'pending', differences: 'warning' }, 'warnings', ['differences']],
    [{ differences: 'open', events: 'warning' }, 'breaks', ['differences']],
    [{ invoice: 'open', outcomes: 'open' }, 'breaks', ['outcomes', 'invoice']],
    [{ invoice: 'unknown', differences: 'open' }, 'incomplete', ['invoice']],
    [{ prices: 'open', differences: 'open' }, 'incomplete', ['prices']],
    [
      { meta_numbers: 'open', events: 'open', closed_once: 'open' },
      'incomplete',
      ['meta_numbers', 'events', 'closed_once'],
    ],
  ];
  it.each(CASES)('%j is %s', (states, verdict, because) => {
    expect(judgeMonth(listWith(states))).toEqual({ verdict, because });
  });

  it('names why, and a month must be accepted where it has findings, or does not agree with Meta', () => {
    expect(sayVerdict('incomplete', ['meta_numbers', 'invoice'])).toBe('Incomplete: Meta’s numbers, invoice');
    expect(sayVerdict('reconciled', [])).toBe('Reconciled');
    const STATES: readonly CheckState[] = ['passed', 'warning', 'pending', 'open', 'unknown'];
    const CHECKS = ['meta_numbers', 'differences', 'invoice', 'events', 'outcomes', 'prices', 'closed_once'] as const;
    const must = CHECKS.flatMap((check) =>
      STATES.filter((state) => mustBeAccepted({ findings: [], checklist: listWith({ [check]: state }) })).map(
        (state) => `${check} ${state}`,
      ),
    );
    expect(must).toEqual(['meta_numbers open', 'differences open', 'invoice open']);
    const findings: Finding[] = [{ finding: 'unrated', reason: 'no_card', messages: 1 }];
    expect(mustBeAccepted({ findings, checklist: listWith({}) })).toBe(true);
  });
});

describe('counts of Meta’s', () => {
  it('make a month incomplete, and must be accepted, where they are more than ours', () => {
    const checklist = [...listWith({}), COUNTS];
    expect(judgeMonth(checklist)).toEqual({ verdict: 'incomplete', because: ['counts'] });
    expect(mustBeAccepted({ findings: [], checklist })).toBe(true);
    const lines = examinationLines('W1', '2026-10', {
      verdict: 'incomplete',
      because: ['counts'],
      checklist: [COUNTS],
      findings: [],
    });
    expect(lines[1]).toContain(
      '29 of 30 days and numbers agree: sent 4 here, 9 by Meta; delivered 4 here, 9 by Meta. Events are missing on 1 day and number. 1 of 31 days have no counts of Meta’s.',
    );
  });
});

describe('the checklist in words', () => {
  const words = new ChecklistWords({
    count: String,
    money: (decimal, currency) => `${currency} ${decimal}`,
    difference: (decimal, currency) => `${currency} ${decimal}`,
    day: (day) => day,
    month: (month) => month,
  });
  const days = (n: number): string[] =>
    Array.from({ length: n }, (_, i) => `2026-10-${String(i + 1).padStart(2, '0')}`);

  it('never says of an item that cannot be decided that it passed', () => {
    const none: Check = { ...PASSED.meta_numbers, state: 'unknown', missing_days: days(31) };
    expect(words.say(none)).toBe('Meta’s numbers are missing for every day of the month.');
    const differences: Check = { ...PASSED.differences, state: 'unknown', rows: 0, missing_days: 31 };
    expect(words.say(differences)).toBe('There is nothing to compare the expected charge with.');
    const unwatched: Check = { ...PASSED.events, state: 'unknown', unwatched_numbers: ['N1'] };
    expect(words.say(unwatched)).toBe('A gap would not show for 1 number with little traffic: N1.');
    const foreign: Check = { ...PASSED.invoice, state: 'unknown', invoiced: null, other_currencies: ['EUR'] };
    expect(words.say(foreign)).toBe('The invoice is in EUR, the account in USD.');
    const nothing: Check = { ...PASSED.invoice, state: 'unknown', amount: null, difference: null };
    expect(words.say(nothing)).toContain('neither Meta’s charge nor the expected one is complete');
  });

  it('counts cases by what has become of them', () => {
    const cases: Check = { check: 'cases', state: 'warning', open: 2, acknowledged: 0, accepted: 1, resolved: 4 };
    expect(words.say(cases)).toBe('7 cases: 2 open, 1 accepted, 4 resolved.');
    expect(judgeMonth([...listWith({}), cases])).toEqual({ verdict: 'warnings', because: ['cases'] });
    expect(words.say({ ...cases, open: 0, accepted: 0, resolved: 0 })).toBe('Nothing was ever found to differ.');
    const differences: Check = { ...PASSED.differences, state: 'warning', different: 3, explained: 1, accepted: 2 };
    expect(words.say(differences)).toMatch(/^3 of 4 rows differ, 1 explained in full, 2 accepted\. /);
  });

  it('names a bias of rows within tolerance', () => {
    const bias = { measure: 'volume', rows: 12, same_way: 12, direction: 'more', difference: '12' } as const;
    const said = words.say({ ...PASSED.differences, state: 'warning', within_tolerance: 12, biases: [bias] });
    expect(said).toContain('12 of 12 rows that differ within tolerance are more than Meta’s, together by 12: a cause');
  });

  it('names days one by one, as far as they can be read', () => {
    const missing: Check = { ...PASSED.meta_numbers, state: 'open', missing_days: days(9) };
    expect(words.say(missing)).toBe(
      '9 of 31 days are missing: 2026-10-01, 2026-10-02, 2026-10-03, 2026-10-04, 2026-10-05, 2026-10-06, 2026-10-07, 2026-10-08 and 1 more.',
    );
    const moving = { ...PASSED.meta_numbers, unsettled_days: ['2026-10-31'], settles_on: '2026-11-03' };
    expect(words.say({ ...moving, state: 'pending' })).toBe(
      'All 31 days are there. 1 day was imported while Meta’s numbers could still change: 2026-10-31. Import them again on or after 2026-11-03.',
    );
    expect(words.say({ ...moving, state: 'warning' })).toMatch(/ Import them again\.$/);
  });

  it('says on a terminal what the page says', () => {
    const checklist = listWith({ invoice: 'unknown' });
    const examination = { verdict: 'incomplete', because: ['invoice'], checklist, findings: [] } as const;
    const lines = examinationLines('W1', '2026-10', examination);
    expect(lines[0]).toBe('2026-10 of account W1. Incomplete: invoice.');
    expect(lines).toHaveLength(8);
    expect(lines[4]).toBe('  passed     Nothing without a price: All 9 delivered messages have an amount.');
    const period: Period = {
      period_id: '2026-10-abc',
      waba_id: '',
      month: '2026-10',
      state: 'reopened',
      time_zone: 'UTC',
      closed_at: '2026-11-06T09:00:00+00:00',
      closed_by: 'ana',
      requested_by: '',
      cut_off: '2026-11-06T09:00:00+00:00',
      rate_cards: [],
      totals: [{ currency: 'USD', volume: '9', list_cost: '2', billed_cost: '1.5', savings: '0.5', unrated: '1' }],
      charges: 3,
      messages: 9,
      checksum: 'f00',
      findings: [],
      reopened_at: '2026-11-07T09:00:00+00:00',
      reopened_by: 'rui',
      note: 'all well',
      reopened_because: 'a late message',
      verdict: 'breaks',
      checklist,
    };
    expect(periodLines(period)).toEqual([
      '2026-10 of the messages of no account, closed 2026-11-06T09:00:00+00:00 by ana, and open again.',
      '  9 messages, expected charge USD 1.5, 1 without a price. Breaks.',
      '  Id 2026-10-abc, checksum f00.',
      '  Note: all well',
      '  Reopened 2026-11-07T09:00:00+00:00 by rui: a late message.',
    ]);
  });
});

describe('a number', () => {
  it('is watched where some hours of a month usually have events', () => {
    const hour = 3_600;
    const month = { from: 0, to: 4 * 168 * hour };
    const slotOf = (time: number): number => (time / hour) % 168;
    const weekly = (hours: number): Set<number> =>
      new Set([0, 1, 2, 3].flatMap((week) => Array.from({ length: hours }, (_, i) => (week * 168 + i) * hour)));
    expect(isWatched(weekly(2), month, slotOf)).toBe(true);
    expect(isWatched(weekly(1), month, slotOf)).toBe(false);
    expect(isWatched(new Set([0, 3 * hour, 200 * hour]), month, slotOf)).toBe(false);
    expect(isWatched(new Set(), month, slotOf)).toBe(false);
  });
});
