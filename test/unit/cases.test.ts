import { readCaseDecision, type CaseAction } from '@ctwa-ledger/schemas/cases.ts';
import type { ExplanationCode } from '@ctwa-ledger/schemas/meta.ts';
import { sayCase } from '@ctwa-ledger/schemas/case-words.ts';
import { describe, expect, it } from 'vitest';
import { readSizes, sizesText } from '../../services/reconciliation/case-evaluation.ts';
import {
  ageDays,
  standingOf,
  weightedAge,
  type CaseSize,
  type Decision,
  type Evaluation,
  type Standing,
} from '../../services/reconciliation/cases.ts';

const START = Date.parse('2026-11-02T09:00:00Z');
const DAY = 86_400_000;
const at = (day: number): number => START + day * DAY;

/** Rows by day of October: one row each, so many messages, a tenth of a unit each. */
type Differs = Readonly<Record<number, number>>;

const dayOf = (day: string): string => `2026-10-${day.padStart(2, '0')}`;

function sizeOf(differs: Differs): CaseSize {
  const days = Object.entries(differs).map(([day, volume]) => [dayOf(day), BigInt(volume)] as const);
  const volume = days.reduce((sum, [, one]) => sum + one, 0n);
  return {
    rows: days.length,
    volume_difference: -volume,
    gross_volume: volume,
    cost_difference: -volume * 10n ** 11n,
    gross_cost: volume * 10n ** 11n,
    unknown_costs: 0,
    checksum: JSON.stringify(differs),
    days: new Map(days.map(([day, one]) => [day, { rows: 1, volume: one, cost: one * 10n ** 11n }])),
  };
}

interface Made {
  readonly missing?: readonly number[];
  /** What is another one than before. */
  readonly changed?: Partial<Evaluation['sources']>;
  readonly others?: Readonly<Partial<Record<ExplanationCode, Differs>>>;
}

type Step = Evaluation | Decision;

/** Days after the first evaluation, and what was found then of case `gap`; null: nothing differs. */
function found(
  day: number,
  differs: Differs | null,
  { missing = [], changed = {}, others = {} }: Made = {},
): Evaluation {
  const cases = Object.entries(others) as [ExplanationCode, Differs][];
  return {
    evaluation_id: `e${day}`,
    at: at(day),
    missing_days: missing.map((one) => dayOf(String(one))),
    sources: { imports: '1', cards: '1', account: '1', events: '1', ...changed },
    cases: new Map(
      [...(differs === null ? [] : ([['gap', differs]] as const)), ...cases].map(([c, d]) => [c, sizeOf(d)]),
    ),
  };
}

let revision = 0;
function says(day: number, action: CaseAction, rest: Partial<Decision> = {}): Decision {
  revision += 1;
  return {
    decision_id: `d${revision}`,
    revision,
    at: at(day) + 1,
    action,
    by: 'finance',
    note: '',
    until: '',
    assignee: '',
    evaluation_id: '',
    period_id: '',
    ...rest,
  };
}

function stands(steps: readonly Step[], day = 30): Standing | null {
  const evaluations = steps.filter((step) => 'sources' in step);
  const decisions = steps.filter((step) => 'action' in step);
  return standingOf('gap', evaluations, decisions, at(day));
}

const words = (standing: Standing | null): string =>
  standing === null ? 'none' : [standing.state, standing.open_because ?? [], standing.resolved_by].flat().join(' ');

const until = (day: number): { readonly until: string } => ({ until: new Date(at(day)).toISOString().slice(0, 10) });

describe('the state of a case', () => {
  const CASES: readonly (readonly [string, readonly Step[], string])[] = [
    ['never differed', [found(0, null), found(1, null)], 'none'],
    ['differs', [found(0, { 5: 3 })], 'open new'],
    ['differs still', [found(0, { 5: 3 }), found(1, { 5: 4 })], 'open new'],
    ['is acknowledged', [found(0, { 5: 3 }), says(0, 'acknowledge')], 'acknowledged'],
    ['is acknowledged and grows', [found(0, { 5: 3 }), says(0, 'acknowledge'), found(1, { 5: 9 })], 'acknowledged'],
    ['is accepted', [found(0, { 5: 3 }), says(0, 'accept', until(60))], 'accepted'],
    ['is accepted and shrinks', [found(0, { 5: 3 }), says(0, 'accept', until(60)), found(1, { 5: 2 })], 'accepted'],
    ['is accepted and grows', [found(0, { 5: 3 }), says(0, 'accept', until(60)), found(1, { 5: 4 })], 'open grown'],
    [
      'is accepted, and as much differs on another day',
      [found(0, { 5: 3 }), says(0, 'accept', until(60)), found(1, { 6: 3 })],
      'open grown',
    ],
    [
      'is accepted, grew and shrank again: who accepts it again?',
      [found(0, { 5: 3 }), says(0, 'accept', until(60)), found(1, { 5: 4 }), found(2, { 5: 3 })],
      'open grown',
    ],
    ['is accepted until yesterday', [found(0, { 5: 3 }), says(0, 'accept', until(29))], 'open expired'],
    ['is accepted until today', [found(0, { 5: 3 }), says(0, 'accept', until(30))], 'accepted'],
    ['is taken back', [found(0, { 5: 3 }), says(0, 'accept', until(60)), says(1, 'reopen')], 'open taken_back'],
    [
      'differs no more, by events',
      [found(0, { 5: 3 }), found(1, null, { changed: { events: '2' } })],
      'resolved late_events',
    ],
    [
      'differs no more, by a card',
      [found(0, { 5: 3 }), found(1, null, { changed: { cards: '2' } })],
      'resolved rate_card',
    ],
    [
      'differs no more, by Meta and by events',
      [found(0, { 5: 3 }), found(1, null, { changed: { imports: '2', events: '2' } })],
      'resolved restatement late_events',
    ],
    ['differs no more, and nobody can tell why', [found(0, { 5: 3 }), found(1, null)], 'resolved not_known'],
    [
      'is explained otherwise',
      [found(0, { 5: 3 }), found(1, null, { others: { midnight: { 5: 3 } } })],
      'resolved other_explanation',
    ],
    [
      'is gone, and another case is what it was',
      [found(0, { 5: 3 }, { others: { midnight: { 5: 1 } } }), found(1, null, { others: { midnight: { 5: 1 } } })],
      'resolved not_known',
    ],
    [
      'is not resolved because Meta’s numbers of its day are gone',
      [found(0, { 5: 3 }), found(1, null, { missing: [5] })],
      'open new',
    ],
    [
      'is resolved where numbers of another day are gone',
      [found(0, { 5: 3 }), found(1, null, { missing: [9] })],
      'resolved not_known',
    ],
    [
      'is still accepted while its numbers are gone, and resolved when they are back',
      [
        found(0, { 5: 3 }),
        says(0, 'accept', until(60)),
        found(1, null, { missing: [5] }),
        found(2, null, { changed: { imports: '2' } }),
      ],
      'resolved restatement',
    ],
    ['departs again within its month', [found(0, { 5: 3 }), found(1, null), found(2, { 5: 1 })], 'open again'],
    [
      'departs again after it was accepted and resolved: the acceptance is over',
      [found(0, { 5: 3 }), says(0, 'accept', until(60)), found(1, null), found(2, { 5: 1 })],
      'open again',
    ],
    [
      'is decided on too late',
      [found(0, { 5: 3 }), found(1, null), says(1, 'accept', until(60))],
      'resolved not_known',
    ],
    ['is spoken of', [found(0, { 5: 3 }), says(0, 'comment', { note: 'asked Meta' }), says(1, 'assign')], 'open new'],
  ];
  it.each(CASES)('%s', (_, steps, expected) => {
    expect(words(stands(steps))).toBe(expected);
    // In whatever order they were read.
    expect(words(stands(steps.toReversed()))).toBe(expected);
  });

  it('takes the first of two decisions of one revision', () => {
    const [first, second] = [says(0, 'acknowledge', { by: 'ana' }), says(0, 'accept', { by: 'rui', ...until(60) })];
    const steps = [found(0, { 5: 3 }), { ...second, revision: 1, at: first.at + 5 }, { ...first, revision: 1 }];
    expect(stands(steps)).toMatchObject({ state: 'acknowledged', decided: { by: 'ana' } });
  });

  it('keeps when it was seen, who works on it, and what was accepted', () => {
    const steps = [
      found(0, { 5: 3 }),
      says(0, 'assign', { assignee: 'rui' }),
      says(0, 'comment', { note: 'asked Meta' }),
      found(2, { 5: 2 }),
      says(2, 'accept', until(60)),
      found(3, { 5: 1 }),
    ];
    const standing = stands(steps);
    expect(standing).toMatchObject({
      ...{ first_seen: at(0), last_seen: at(3), assignee: 'rui', comments: 1 },
      ...{ size: { gross_volume: 1n }, accepted: { gross_volume: 2n }, seen_in: { evaluation_id: 'e3' } },
    });
    expect(ageDays(standing!, at(30))).toBe(30);
    const resolved = stands([...steps, found(7, null)]);
    expect(ageDays(resolved!, at(30))).toBe(7);
    expect(resolved).toMatchObject({ resolved_at: at(7), accepted: null });
  });

  it('weighs ages by amounts, and leaves out what is resolved or has none', () => {
    const small = stands([found(0, { 5: 1 })])!;
    const large = stands([found(20, { 5: 3 })])!;
    const resolved = stands([found(0, { 5: 100 }), found(1, null)])!;
    // (1 × 30 + 3 × 10) ÷ 4
    expect(weightedAge([small, large, resolved], at(30))).toBe(15);
    expect(weightedAge([resolved, { ...small, size: { ...small.size, gross_cost: null } }], at(30))).toBeNull();
  });
});

describe('a case', () => {
  it('is kept and read back to the last digit', () => {
    const cases = new Map([['gap', sizeOf({ 5: 3, 17: 2 })] as const]);
    const size = { ...cases.get('gap')!, cost_difference: null, gross_cost: null, unknown_costs: 2 };
    expect(readSizes(sizesText(cases))).toEqual(cases);
    expect(readSizes(sizesText(new Map([['rate', size]])))).toEqual(new Map([['rate', size]]));
  });

  it('says where it stands', () => {
    const spell = (day: string): string => day;
    const one = { decided_by: 'ana', decided_at: '2026-11-03T09:00:00+00:00', accepted_until: '2026-12-01' };
    const rest = { ...one, open_because: '', resolved_at: '2026-11-09T09:00:00+00:00', is_known: true } as const;
    expect(sayCase({ ...rest, state: 'accepted', resolved_by: '' }, spell)).toBe(
      'Accepted by ana on 2026-11-03, until 2026-12-01.',
    );
    expect(sayCase({ ...rest, state: 'open', open_because: 'grown', is_known: false, resolved_by: '' }, spell)).toBe(
      'Open: it differs by more than was accepted. Meta’s numbers are not there for its days now, so it stays as it was.',
    );
    expect(sayCase({ ...rest, state: 'resolved', resolved_by: 'restatement rate_card' }, spell)).toBe(
      'Resolved, as found on 2026-11-09: Meta’s numbers are others; the cards in force are others.',
    );
  });
});

describe('a decision', () => {
  const KEY = { waba_id: '1', month: '2026-10', explanation: 'gap', by: 'ana' };
  const WRONG: readonly (readonly [object, string])[] = [
    [{ action: 'accept', until: '2026-12-01' }, 'note is empty: say why the difference is accepted.'],
    [{ action: 'accept', note: 'known' }, 'until is missing: say the last day on which it is accepted.'],
    [{ action: 'accept', note: 'known', until: '2026-02-31' }, 'until: is not a day like 2026-12-31.'],
    [{ action: 'acknowledge', until: '2026-12-01' }, 'until goes with accept, not with acknowledge.'],
    [{ action: 'assign' }, 'assignee is missing: say who works on it.'],
    [{ action: 'comment', note: '  ' }, 'note is empty: there is no comment.'],
    [{ action: 'comment', note: 'x'.repeat(1_001) }, 'note: has more than 1000 characters.'],
    [{ action: 'comment', note: 'x', assignee: 'rui' }, 'assignee goes with assign, not with comment.'],
    [{ action: 'acknowledge', by: ' ' }, 'by: is empty: say who you are.'],
    [{ action: 'acknowledge', by: 'a\u001b[31m' }, 'by: has control characters.'],
    [{ action: 'forget' }, 'action: must be one of acknowledge, accept, reopen, assign, comment.'],
    [{ action: 'acknowledge', month: '2026-13' }, 'month: is not a month like 2026-10.'],
    [{ action: 'acknowledge', unknown: 1 }, 'Unrecognized key: "unknown".'],
  ];
  it.each(WRONG)('%j is refused', (given, message) => {
    expect(readCaseDecision({ ...KEY, ...given })).toBe(message);
  });
});
