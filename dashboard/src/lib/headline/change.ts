import type { SavingsRow } from '@ctwa-ledger/schemas/bill.ts';
import type { OverviewRow } from '@ctwa-ledger/schemas/figures.ts';

import { inPoints, relativeTo } from '../comparison/changes.ts';
import { COMPARISONS, type Comparison } from '../filters/filters.ts';
import type { DayRange } from '../filters/range.ts';
import { amount } from '../format/amounts.ts';
import { count, rate } from '../format/numbers.ts';

/** The figures to compare with. */
export interface Before {
  readonly range: DayRange;
  readonly overview: OverviewRow;
  readonly savings: readonly SavingsRow[];
  /** Whether the ledger begins within that range, so that the comparison lacks some days. */
  readonly is_partial: boolean;
}

const COMPARISON_NAMES: Readonly<Record<Comparison, string>> = {
  previous: 'previous period',
  year: 'previous year',
  none: 'none',
};

export const COMPARISON_LINKS = COMPARISONS.map((comparison) => ({ comparison, name: COMPARISON_NAMES[comparison] }));

/** `+12.5% from 1,200`; growth from 0 has no percentage. */
export function countChange(now: number, before: number): string {
  if (before === 0) return now === 0 ? 'none before either' : 'none before';
  return `${relativeTo(now, before)} from ${count(before)}`;
}

/** `+3.2% from 750.10`, for two amounts of one currency; null = no amount. */
export function amountChange(now: string | null, before: string | null, currency: string): string {
  if (now === null || before === null || Number(before) === 0) return 'none before';
  return `${relativeTo(Number(now), Number(before))} from ${amount(before, currency)}`;
}

/** `+1.2 points from 80.4%`, for two rates as reports print them; null when one does not exist. */
export function rateChange(now: string | null, before: string | null): string | null {
  if (now === null || before === null) return null;
  // Both have four decimals, so the difference is a whole number of hundredths of a point.
  const hundredths = Math.round(Number(now) * 10_000) - Math.round(Number(before) * 10_000);
  return `${inPoints(hundredths)} from ${rate(before)}`;
}
