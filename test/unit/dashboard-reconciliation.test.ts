import { describe, expect, it } from 'vitest';

import type { DifferingRow, ReconciliationOfMonth } from '../../schemas/meta.ts';
import { DEFAULT_STATE } from '../../dashboard/src/lib/filters/filters.ts';
import { amountDifference, countDifference } from '../../dashboard/src/lib/format/amounts.ts';
import type { CaseEntry } from '../../schemas/cases.ts';
import { decisionOf, entryWords } from '../../dashboard/src/lib/reconciliation/cases.ts';
import { messagesSearch, monthsOf, readAccount, readMonth } from '../../dashboard/src/lib/reconciliation/address.ts';
import { explained, keyWords, leftOver, sayDays, verdict } from '../../dashboard/src/lib/reconciliation/words.ts';

const ROW: DifferingRow = {
  waba_id: '10',
  month: '2026-10',
  day: '2026-10-31',
  phone_number: '15550783881',
  country: 'BR',
  category: 'MARKETING',
  pricing_type: 'REGULAR',
  tier: '',
  our_volume: '5',
  meta_volume: '8',
  volume_difference: '-3',
  currency: 'USD',
  our_cost: '0.3',
  meta_cost: '0.5',
  cost_difference: '-0.2',
  status: 'volume',
  explanation: 'midnight',
  explained_volume: '2',
  explanations: [{ code: 'midnight', volume: '2', detail: '' }],
  phone_number_id: '106',
};

describe('a difference on screen', () => {
  it.each([
    ['-0.125', '−0.13'],
    ['1234.5', '+1,234.50'],
    ['0', '0.00'],
    [null, '–'],
  ])('%s USD is %s', (decimal, text) => {
    expect(amountDifference(decimal, 'USD')).toBe(text);
  });

  it.each([
    ['-12345678901234567890', '−12,345,678,901,234,567,890'],
    ['7', '+7'],
    ['0', '0'],
  ])('%s messages are %s', (whole, text) => {
    expect(countDifference(whole)).toBe(text);
  });
});

describe('a row that differs', () => {
  it('says what it is of, what explains it, and what nothing does', () => {
    expect(keyWords(ROW)).toBe('15550783881, BR, Marketing, regular');
    expect(explained(ROW.explanations[0]!, ROW, 'message')).toBe('Counted on the neighbouring day: 2 of 3 messages');
    expect(explained({ code: 'rate', volume: '0' }, ROW, 'message')).toBe('Another price');
    expect(leftOver(ROW)).toBe(1);
  });

  it('leads to the messages of its day, by the days of the account, whatever zone is chosen', () => {
    const filters = { ...DEFAULT_STATE, tz: 'Asia/Tokyo' };
    const own = (row: DifferingRow) => Object.fromEntries(new URLSearchParams(messagesSearch(row, filters)));
    const day = { from: '2026-10-31', until: '2026-10-31', waba_id: '10', phone_number_id: '106' };
    expect(own(ROW)).toEqual({ ...day, category: 'marketing', billing: 'BILLABLE' });
    expect(own({ ...ROW, status: 'only_meta' })).toEqual(day);
    expect(own({ ...ROW, day: '', category: 'ANY', pricing_type: 'FREE_ENTRY_POINT' })).toEqual({
      ...day,
      from: '2026-10-01',
      billing: 'FREE_ENTRY',
    });
  });
});

describe('a month beside Meta’s', () => {
  const summary = { rows: 4, match: 4, within_tolerance: 0, different: 0 } as ReconciliationOfMonth['summary'];
  const said = (part: Partial<typeof summary>, missing_days: readonly string[] = [], no_cost = 0) =>
    verdict({ summary: { ...summary, ...part }, missing_days, no_cost } as ReconciliationOfMonth);

  it('never says that all agrees where something is not known', () => {
    expect(said({})).toBe('All 4 rows agree.');
    expect(said({ within_tolerance: 1 })).toBe('All 4 rows agree, 1 of them within tolerance.');
    expect(said({ different: 2 })).toBe('2 of 4 rows differ.');
    expect(said({}, [], 3)).toBe('All volumes agree; Meta names no charge for 3 of 4 rows.');
    expect(said({}, ['2026-10-31'])).toBe('Of the days that Meta’s numbers name, all 4 rows agree.');
  });

  it('names days, those that follow each other as one stretch', () => {
    expect(sayDays(['2026-10-03', '2026-10-07', '2026-10-08', '2026-10-09'])).toBe('3 Oct 2026, 7 – 9 Oct 2026');
  });

  it('is chosen by its address, or the last of which something is known', () => {
    expect(monthsOf(['2026-12-03', '2027-02-28', '2026-12-31'])).toEqual(['2027-02', '2027-01', '2026-12']);
    expect(readMonth(new URLSearchParams('month=2026-10'), ['2026-11'], [])).toEqual({ month: '2026-10', repairs: [] });
    const wrong = readMonth(new URLSearchParams('month=2026-13'), ['2026-11'], []);
    expect([wrong.month, wrong.repairs.length]).toEqual(['2026-11', 1]);
    const other = readAccount(new URLSearchParams('account=9'), '2026-10', ['10', '11'], []);
    expect([other.account, other.repairs.length]).toEqual(['10', 1]);
  });
});

describe('a decision on a case', () => {
  const texts = { explanation: 'gap', action: 'accept', by: 'ana', note: 'x', until: '2026-12-01', assignee: 'rui' };
  const of = { waba_id: '10', month: '2026-10', seen: '1-a' };

  it('has the fields that its action takes, whatever else was left in the form', () => {
    const kept = { ...of, explanation: 'gap', by: 'ana', note: 'x' };
    expect(decisionOf(texts, of)).toEqual({ ...kept, action: 'accept', until: '2026-12-01' });
    expect(decisionOf({ ...texts, until: '' }, of)).toEqual({ ...kept, action: 'accept' });
    expect(decisionOf({ ...texts, action: 'assign' }, of)).toEqual({ ...kept, action: 'assign', assignee: 'rui' });
    expect(decisionOf({ ...texts, action: 'comment' }, of)).toEqual({ ...kept, action: 'comment' });
  });

  it('is told in a line', () => {
    const spell = (day: string): string => day;
    const entry = { at: '2026-11-03T09:00:00+00:00', by: 'ana', note: '', until: '', assignee: '', period_id: '' };
    const cases: [CaseEntry, string][] = [
      [{ ...entry, action: 'accept', until: '2026-12-01', note: 'x' }, 'ana accepted it until 2026-12-01: x'],
      [{ ...entry, action: 'assign', assignee: 'rui' }, 'ana assigned it to rui'],
      [{ ...entry, action: 'assign' }, 'ana assigned it to nobody'],
      [{ ...entry, action: 'reopen', period_id: 'p' }, 'ana took back what was decided, after the month was closed'],
    ];
    for (const [one, words] of cases) expect(entryWords(one, spell)).toBe(`2026-11-03, ${words}`);
  });
});
