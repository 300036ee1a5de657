import type { Bias } from '@ctwa-ledger/schemas/meta.ts';
import { amountText } from './amounts.ts';
import type { ReconciledMonth } from './reconcile.ts';

/** Fewer rows that differ a little may go one way by chance. */
const MIN_ROWS = 12;
/** Of a hundred rows, so many go one way. Of 12 rows 11: by chance in 0.6 % of months. */
const SHARE = 90;

function biasOf(measure: Bias['measure'], differences: readonly bigint[]): Bias | null {
  const differing = differences.filter((one) => one !== 0n);
  const higher = differing.filter((one) => one > 0n).length;
  const same = Math.max(higher, differing.length - higher);
  if (differing.length < MIN_ROWS || same * 100 < differing.length * SHARE) return null;
  const sum = differing.reduce((total, one) => total + one, 0n);
  return {
    measure,
    rows: differing.length,
    same_way: same,
    direction: higher === same ? 'more' : 'less',
    difference: measure === 'volume' ? sum.toString() : amountText(sum),
  };
}

/**
 * Whether rows within tolerance all differ a little in the same direction, which no single one of them shows: in
 * volume, and in cost where volumes agree. At least 12 rows have to differ, and 90 % of them the same way. Pure.
 */
export function biasesOf({ rows }: Pick<ReconciledMonth, 'rows'>): Bias[] {
  const within = rows.map(({ row }) => row).filter(({ status }) => status === 'within_tolerance' || status === 'match');
  const volumes = within.map(({ volume_difference }) => volume_difference);
  const costs = within
    .filter(({ volume_difference }) => volume_difference === 0n)
    .map(({ cost_difference }) => cost_difference ?? 0n);
  return [biasOf('volume', volumes), biasOf('cost', costs)].filter((one) => one !== null);
}
