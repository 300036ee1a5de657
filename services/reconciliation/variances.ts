import type { DayVariance } from '@ctwa-ledger/schemas/meta.ts';
import { amountText, sizeOf } from './amounts.ts';
import type { JudgedRow } from './differences.ts';
import { isDifferent } from './judgement.ts';
import { sumKnown, type ReconciledMonth } from './reconcile.ts';

const sum = (numbers: readonly bigint[]): bigint => numbers.reduce((total, one) => total + one, 0n);

/** The figures that are unknown for a day without numbers of Meta's. */
const NOT_KNOWN = {
  rows: null,
  different_rows: null,
  our_volume: null,
  meta_volume: null,
  volume_difference: null,
  gross_volume_difference: null,
  our_cost: null,
  meta_cost: null,
  cost_difference: null,
  unknown_costs: null,
} as const;

/** Sums of the rows of a day. The difference of cost is over rows with both costs; for a day without rows it is 0. */
function varianceOf(rows: readonly JudgedRow[]): Omit<DayVariance, 'waba_id' | 'month' | 'day' | 'currency'> {
  const different_rows = rows.filter(({ status }) => isDifferent(status)).length;
  const differs = rows.some(({ volume_difference }) => volume_difference !== 0n);
  const cost = (of: 'our_cost' | 'meta_cost' | 'cost_difference'): string | null =>
    rows.length === 0 ? amountText(0n) : sumKnown(rows.map((row) => row[of]));
  return {
    day_state: different_rows > 0 ? 'departs' : differs ? 'within_tolerance' : 'agrees',
    rows: rows.length,
    different_rows,
    our_volume: sum(rows.map(({ our_volume }) => our_volume)).toString(),
    meta_volume: sum(rows.map(({ meta_volume }) => meta_volume)).toString(),
    volume_difference: sum(rows.map(({ volume_difference }) => volume_difference)).toString(),
    gross_volume_difference: sum(rows.map(({ volume_difference }) => sizeOf(volume_difference))).toString(),
    our_cost: cost('our_cost'),
    meta_cost: cost('meta_cost'),
    cost_difference: cost('cost_difference'),
    unknown_costs: rows.filter(({ cost_difference }) => cost_difference === null).length,
  };
}

/**
 * How each day of a month differs from Meta's numbers, in order. Pure.
 * @returns empty when Meta's points are for the whole month, so that no day can be compared
 */
export function dayVariances({
  waba_id,
  month,
  currency,
  rows,
  missing_days,
  taken_at,
}: ReconciledMonth): DayVariance[] {
  const byDay = new Map<string, JudgedRow[]>();
  for (const { row } of rows) {
    const ofDay = byDay.get(row.day);
    if (ofDay === undefined) byDay.set(row.day, [row]);
    else ofDay.push(row);
  }
  if (byDay.has('')) return [];
  const of = { waba_id, month, currency };
  return [
    ...missing_days.map((day): DayVariance => ({ ...of, day, day_state: 'missing', ...NOT_KNOWN })),
    ...[...taken_at.keys()].map((day): DayVariance => ({ ...of, day, ...varianceOf(byDay.get(day) ?? []) })),
  ].toSorted((a, b) => (a.day < b.day ? -1 : 1));
}
