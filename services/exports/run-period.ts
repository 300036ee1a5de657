import type { ExportPeriod } from '@ctwa-ledger/schemas/exports.ts';
import { DateTime } from 'luxon';

/** The days of a run, and the name of its file. */
export interface RunPeriod {
  /** First day, `YYYY-MM-DD`; for a report without days the day of the run. */
  readonly from: string;
  /** The day after the last one; empty for a report without days. */
  readonly to: string;
  /**
   * A day, a month, or the first and the last day. A month that is not over keeps its name, so that its file is
   * replaced.
   */
  readonly label: string;
}

const day = (at: DateTime): string => at.toFormat('yyyy-MM-dd');
const dayOf = (text: string): DateTime => DateTime.fromISO(text, { zone: 'utc' });

function days(first: DateTime, end: DateTime, label: string): RunPeriod {
  return { from: day(first), to: day(end), label };
}

function weekLabel(monday: DateTime): string {
  return `${day(monday)}_${day(monday.plus({ days: 6 }))}`;
}

function monthFrom(first: DateTime): RunPeriod {
  return days(first, first.plus({ months: 1 }), first.toFormat('yyyy-MM'));
}

/** The month as a period. */
export function monthPeriod(month: string): RunPeriod {
  return monthFrom(dayOf(`${month}-01`));
}

/** The week that begins on a Monday as a period. @param monday `YYYY-MM-DD` */
export function weekPeriod(monday: string): RunPeriod {
  const first = dayOf(monday);
  return days(first, first.plus({ weeks: 1 }), weekLabel(first));
}

/**
 * The period of a run.
 * @param on the day of the run in the zone of its schedule
 * @param closedMonth the last closed month, `YYYY-MM`; null when there is none
 * @returns null when there is no such period yet
 */
export function periodOn(period: ExportPeriod, on: string, closedMonth: string | null): RunPeriod | null {
  const today = dayOf(on);
  switch (period) {
    case 'yesterday': {
      const before = today.minus({ days: 1 });
      return days(before, today, day(before));
    }
    case 'last-week':
      return weekPeriod(day(today.startOf('week').minus({ weeks: 1 })));
    case 'last-month':
      return monthFrom(today.startOf('month').minus({ months: 1 }));
    case 'last-closed-month':
      return closedMonth === null ? null : monthPeriod(closedMonth);
    case 'this-week':
      return days(today.startOf('week'), today.plus({ days: 1 }), weekLabel(today.startOf('week')));
    case 'this-month':
      return days(today.startOf('month'), today.plus({ days: 1 }), today.toFormat('yyyy-MM'));
    case 'all':
      return { from: on, to: '', label: on };
  }
}
