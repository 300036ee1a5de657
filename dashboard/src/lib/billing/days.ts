import type { SavingsDaysRow } from '@ctwa-ledger/schemas/bill.ts';

import { addDays, type Day } from '../filters/days.ts';
import { daysAt, type DayRange } from '../filters/range.ts';
import { NO_AMOUNTS, sideBySide, type SideBySide } from './currencies.ts';

/** One day of the bill, over all currencies. */
export interface BilledDay extends Omit<SideBySide<SavingsDaysRow>, 'key' | 'row'> {
  readonly day: Day;
  /** Whether the data ends within this day, so that its amounts still grow. */
  readonly unfinished: boolean;
}

/**
 * Every day of the range.
 * @param last_event_at Unix seconds; null when there is no event
 * @param zones zones of the days: a day is unfinished as soon as the data ends within it in one of them
 */
export function billedDays(
  rows: readonly SavingsDaysRow[],
  { from, to }: DayRange,
  last_event_at: number | null,
  zones: readonly string[],
): BilledDay[] {
  const known = new Map(sideBySide(rows, (row) => row.day).map((day) => [day.key, day]));
  const last_day = last_event_at === null ? null : (daysAt(last_event_at, zones)[0] ?? null);
  const days: BilledDay[] = [];
  for (let day = from; day < to; day = addDays(day, 1)) {
    const { volume, unrated, amounts } = known.get(day) ?? NO_AMOUNTS;
    days.push({ day, volume, unrated, amounts, unfinished: last_day !== null && day >= last_day });
  }
  return days;
}
