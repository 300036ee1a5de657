import type { DayTotalsRow } from '@ctwa-ledger/schemas/reports.ts';
import { DateTime } from 'luxon';

import { addDays } from '../filters/days.ts';
import { dayOf } from '../filters/range.ts';

/** One day as the chart and its table show it. */
export interface DayView extends DayTotalsRow {
  /** Mature and not replied: the 24 h have passed. */
  readonly unanswered: number;
  /** The data ends within this day, so its figures still grow: by the clock, or because the last event is in it. */
  readonly unfinished: boolean;
}

/** `as_of` and `last_event_at` in Unix seconds; a day ends when the next one begins in `tz`. */
export function dayViews(
  rows: readonly DayTotalsRow[],
  tz: string,
  as_of: number,
  last_event_at: number | null,
): DayView[] {
  const last_day = last_event_at === null ? null : dayOf(last_event_at, tz);
  return rows.map((row) => ({
    ...row,
    unanswered: row.mature - row.replied,
    unfinished: row.day === last_day || DateTime.fromISO(addDays(row.day, 1), { zone: tz }).toSeconds() > as_of,
  }));
}
