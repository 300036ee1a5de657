import { describe, expect, it } from 'vitest';
import { sayBias } from '../../schemas/bias-words.ts';
import { biasesOf } from '../../services/reconciliation/bias.ts';
import type { JudgedRow } from '../../services/reconciliation/differences.ts';
import type { ExplainedRow } from '../../services/reconciliation/reconcile.ts';

const row = (
  volume: bigint,
  cost: bigint | null = 0n,
  status: JudgedRow['status'] = 'within_tolerance',
): ExplainedRow => ({
  row: { volume_difference: volume, cost_difference: cost, status } as JudgedRow,
  explanations: [],
});
const rows = (n: number, one: ExplainedRow): ExplainedRow[] => Array.from({ length: n }, () => one);

describe('the test for a bias', () => {
  it.each([
    ['too few rows', [...rows(11, row(1n))], []],
    ['twelve rows, all a little high', rows(12, row(1n)), [['volume', 12, 12, 'more', '12']]],
    ['twelve of fourteen rows', [...rows(12, row(-1n)), ...rows(2, row(1n))], []],
    ['nineteen of twenty-one rows', [...rows(19, row(-1n)), ...rows(2, row(1n))], [['volume', 21, 19, 'less', '-17']]],
    ['both ways alike', [...rows(20, row(-1n)), ...rows(20, row(1n))], []],
    [
      'rows that agree beside them',
      [...rows(100, row(0n, 0n, 'match')), ...rows(12, row(1n))],
      [['volume', 12, 12, 'more', '12']],
    ],
    ['rows that differ beyond tolerance', rows(30, row(9n, 5n, 'volume')), []],
    [
      'amounts of rows whose volumes agree',
      rows(12, row(0n, -2_000_000_000n, 'match')),
      [['cost', 12, 12, 'less', '-0.024']],
    ],
    ['amounts that follow from volumes', rows(12, row(1n, 2n)), [['volume', 12, 12, 'more', '12']]],
    ['amounts that are not known', rows(12, row(0n, null, 'match')), []],
  ] as const)('%s', (_, all, found) => {
    expect(
      biasesOf({ rows: all }).map(({ measure, rows: n, same_way, direction, difference }) => [
        measure,
        n,
        same_way,
        direction,
        difference,
      ]),
    ).toEqual(found);
  });

  it('says what is to be known of it', () => {
    const [found] = biasesOf({ rows: [...rows(19, row(-1n)), ...rows(2, row(1n))] });
    const spelling = { count: String, difference: (text: string) => text, money: (text: string) => `USD ${text}` };
    expect(sayBias(found!, spelling)).toBe(
      '19 of 21 rows that differ within tolerance are less than Meta’s, together by -17: a cause may be common to them.',
    );
    expect(sayBias({ ...found!, measure: 'cost', difference: '-0.024' }, spelling)).toBe(
      '19 of 21 charges that differ within tolerance are less than Meta’s, together by USD -0.024: a cause may be common to them.',
    );
  });
});
