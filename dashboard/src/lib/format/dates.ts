import { addDays, type Day } from '../filters/days.ts';
import type { DayRange } from '../filters/range.ts';

// Not from Intl: its spellings differ between runtimes, and the browser must write what the server wrote.
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

/** `21 Sep`. */
export function shortDay(day: Day): string {
  return `${Number(day.slice(8, 10))} ${MONTHS[Number(day.slice(5, 7)) - 1] ?? ''}`;
}

/** `21 Sep 2026`. */
export function longDay(day: Day): string {
  return `${shortDay(day)} ${day.slice(0, 4)}`;
}

/** `2026-10` as `Oct 2026`. */
export function monthLabel(month: string): string {
  return `${MONTHS[Number(month.slice(5, 7)) - 1] ?? ''} ${month.slice(0, 4)}`;
}

/**
 * A function for the names of days in a range. A range over a new year has years, so that no two days have one name.
 */
export function dayNames(first: Day, last: Day): (day: Day) => string {
  return first.slice(0, 4) === last.slice(0, 4) ? shortDay : longDay;
}

/** `Mon`. */
export function weekday(day: Day): string {
  return WEEKDAYS[new Date(`${day}T00:00:00Z`).getUTCDay()] ?? '';
}

/** A range by its first and last day, both included: `1 – 30 Sep 2026`, `28 Dec 2025 – 3 Jan 2026`, `21 Sep 2026`. */
export function rangeLabel({ from, to }: DayRange): string {
  const last = addDays(to, -1);
  if (from === last) return longDay(from);
  if (from.slice(0, 7) === last.slice(0, 7)) return `${Number(from.slice(8, 10))} – ${longDay(last)}`;
  if (from.slice(0, 4) === last.slice(0, 4)) return `${shortDay(from)} – ${longDay(last)}`;
  return `${longDay(from)} – ${longDay(last)}`;
}

/** A time from a report (ISO 8601 in the report's zone): `21 Sep 2026, 14:03`. */
export function timeLabel(iso: string): string {
  return `${longDay(iso.slice(0, 10))}, ${iso.slice(11, 16)}`;
}
