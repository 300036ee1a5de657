import { describe, expect, it } from 'vitest';
import { varianceSentence } from '../../dashboard/src/lib/reconciliation/words.ts';
import type { JudgedRow } from '../../services/reconciliation/differences.ts';
import { DEFAULT_TOLERANCE } from '../../services/reconciliation/judgement.ts';
import type { ReconciledMonth } from '../../services/reconciliation/reconcile.ts';
import { dayVariances } from '../../services/reconciliation/variances.ts';

const ONE = 10n ** 12n;

function row(day: string, ours: bigint, metas: bigint, part: Partial<JudgedRow> = {}): JudgedRow {
  return {
    day,
    our_volume: ours,
    meta_volume: metas,
    volume_difference: ours - metas,
    our_cost: ours * ONE,
    meta_cost: metas * ONE,
    cost_difference: (ours - metas) * ONE,
    status: ours === metas ? 'match' : 'volume',
    ...part,
  } as JudgedRow;
}

function month(rows: readonly JudgedRow[], known: readonly string[], missing: readonly string[] = []): ReconciledMonth {
  return {
    waba_id: '10',
    month: '2026-10',
    currency: 'USD',
    tolerance: DEFAULT_TOLERANCE,
    rows: rows.map((one) => ({ row: one, explanations: [] })),
    missing_days: missing,
    taken_at: new Map(known.map((day) => [day, 0])),
    counts: [],
  };
}

describe('days of a month', () => {
  it('are judged by their rows, and conserve both sides', () => {
    const rows = [
      row('2026-10-01', 5n, 5n),
      row('2026-10-02', 9n, 10n, { status: 'within_tolerance' }),
      row('2026-10-03', 7n, 3n),
      row('2026-10-03', 2n, 6n),
      row('2026-10-03', 1n, 1n, { meta_cost: null, cost_difference: null, status: 'no_cost' }),
    ];
    const days = dayVariances(
      month(rows, ['2026-10-01', '2026-10-02', '2026-10-03', '2026-10-05'], ['2026-10-04', '2026-10-06']),
    );
    expect(days.map(({ day, day_state }) => [day, day_state])).toEqual([
      ['2026-10-01', 'agrees'],
      ['2026-10-02', 'within_tolerance'],
      ['2026-10-03', 'departs'],
      ['2026-10-04', 'missing'],
      ['2026-10-05', 'agrees'],
      ['2026-10-06', 'missing'],
    ]);
    expect(days[2]).toMatchObject({
      rows: 3,
      different_rows: 2,
      our_volume: '10',
      meta_volume: '10',
      volume_difference: '0',
      gross_volume_difference: '8',
      our_cost: '10',
      meta_cost: '9',
      cost_difference: '0',
      unknown_costs: 1,
    });
    // Of a missing day nothing is known, which is not 0; of one on which nothing happened both sides say 0.
    expect(days[3]).toMatchObject({ rows: null, our_volume: null, cost_difference: null });
    expect(days[4]).toMatchObject({ rows: 0, our_volume: '0', cost_difference: '0' });
    const sum = (of: 'our_volume' | 'meta_volume'): bigint => days.reduce((all, day) => all + BigInt(day[of] ?? 0), 0n);
    const all = (of: 'our_volume' | 'meta_volume'): bigint => rows.reduce((total, one) => total + one[of], 0n);
    expect([sum('our_volume'), sum('meta_volume')]).toEqual([all('our_volume'), all('meta_volume')]);
  });

  it('are not made up where Meta’s points are of the whole month', () => {
    expect(dayVariances(month([row('', 5n, 5n)], ['2026-10-01', '2026-10-02']))).toEqual([]);
  });

  it('are told in words', () => {
    const range = { from: '2026-10-01', to: '2026-11-01' };
    const said = (rows: readonly JudgedRow[]): string =>
      varianceSentence(dayVariances(month(rows, ['2026-10-01', '2026-10-02', '2026-10-03'])), range);
    expect(said([row('2026-10-01', 5n, 5n)])).toContain('no day is beyond tolerance');
    expect(said([row('2026-10-01', 9n, 5n)])).toContain('1 Oct 2026 is beyond tolerance');
    expect(said([row('2026-10-01', 9n, 5n), row('2026-10-03', 9n, 5n)])).toContain(
      '1 Oct 2026, 3 Oct 2026 are beyond tolerance',
    );
  });
});
