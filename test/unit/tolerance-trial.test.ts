import { describe, expect, it } from 'vitest';
import { sayTrial } from '../../schemas/tolerance-words.ts';
import { readAmount } from '../../services/reconciliation/amounts.ts';
import type { JudgedRow } from '../../services/reconciliation/differences.ts';
import { DEFAULT_TOLERANCE, judge, type Tolerance } from '../../services/reconciliation/judgement.ts';
import type { ExplainedRow } from '../../services/reconciliation/reconcile.ts';
import { monthsUntil, trialOf } from '../../services/reconciliation/tolerance-trial.ts';

const PRICE = readAmount('0.0625');

/** A row in which both sides charge 0.0625 a message, judged as usual. */
function row(our_volume: bigint, meta_volume: bigint): ExplainedRow {
  const matched = {
    ...{ day: '', phone_number: '', country: '', category: '', pricing_type: '', tier: '' },
    ...{ our_volume, meta_volume, our_cost: our_volume * PRICE, meta_cost: meta_volume * PRICE, unrated: 0n },
    ...{ lowest_rate: PRICE, highest_rate: PRICE, has_point: true, is_costless: false },
  };
  const judged: JudgedRow = { ...matched, ...judge(matched, DEFAULT_TOLERANCE, true) };
  return { row: judged, explanations: [] };
}

const tolerance = (percent: string, messages: bigint): Tolerance => ({ percent: readAmount(percent), messages });
const trial = (rows: readonly ExplainedRow[], tried: Tolerance): unknown =>
  trialOf({ waba_id: '1', month: '2026-10', currency: 'USD', rows }, tried);

describe('a tolerance that is tried', () => {
  const rows = [row(100n, 100n), row(101n, 100n), row(97n, 100n), row(1000n, 1030n), row(0n, 40n)];

  it('is what it would be if it held, and what it would hide', () => {
    expect(trial(rows, DEFAULT_TOLERANCE)).toMatchObject({ different: 3, would_differ: 3, no_longer: 0, newly: 0 });
    expect(trial(rows, tolerance('3', 1n))).toEqual({
      ...{ waba_id: '1', month: '2026-10', rows: 5, different: 3, would_differ: 1, no_longer: 2, newly: 0 },
      ...{ hidden_volume: '33', currency: 'USD', hidden_cost: '2.0625', unknown_costs: 0 },
    });
    expect(trial(rows, tolerance('0', 0n))).toMatchObject({ different: 3, would_differ: 4, no_longer: 0, newly: 1 });
  });

  it('hides no price', () => {
    const priced = row(100n, 100n);
    const dear = { ...priced, row: { ...priced.row, meta_cost: 100n * readAmount('0.07'), status: 'price' as const } };
    expect(trial([dear], tolerance('50', 99n))).toMatchObject({ different: 1, would_differ: 1 });
  });

  it('is of the months up to one', () => {
    expect(monthsUntil('2026-02', 4)).toEqual(['2026-02', '2026-01', '2025-12', '2025-11']);
  });

  it('is said in a sentence', () => {
    const said = (tried: Tolerance): string =>
      sayTrial(trialOf({ waba_id: '1', month: '2026-10', currency: 'USD', rows }, tried), {
        count: String,
        money: (decimal, currency) => `${currency} ${decimal}`,
      });
    expect(said(tolerance('3', 1n))).toBe(
      '2 rows fewer would differ: 1 instead of 3, of 5. They differ by 33 and USD 2.0625, row by row.',
    );
    expect(said(tolerance('0', 0n))).toBe('1 row more would differ: 4 instead of 3, of 5.');
    expect(said(DEFAULT_TOLERANCE)).toBe('The same 3 of 5 rows would differ.');
  });
});
