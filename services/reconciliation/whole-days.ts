import { DateTime } from 'luxon';
import { firstMoment } from '../reports/sql.ts';

const HALF_HOUR = 1_800;
/** Meta's numbers for a day may still change for so many days after it. */
const SETTLING_DAYS = 2;

/** The span of time of a point. */
export type Span =
  { readonly kind: 'day' | 'half hour'; readonly day: string } | { readonly kind: 'month'; readonly day: string };

/** The day that begins at a moment in a zone, `YYYY-MM-DD`; null when none does. */
function dayBeginningAt(seconds: number, zone: string): string | null {
  const day = DateTime.fromSeconds(seconds, { zone }).toFormat('yyyy-MM-dd');
  return firstMoment(day, zone).toSeconds() === seconds ? day : null;
}

export function dayAfter(day: string, days = 1): string {
  return DateTime.fromISO(day, { zone: 'utc' }).plus({ days }).toFormat('yyyy-MM-dd');
}

export function monthAfter(day: string): string {
  return DateTime.fromISO(day, { zone: 'utc' }).plus({ months: 1 }).toFormat('yyyy-MM-dd');
}

/** When Meta's numbers for a day of a zone have settled, Unix seconds. */
export function settledAt(day: string, zone: string): number {
  return firstMoment(day, zone)
    .plus({ days: 1 + SETTLING_DAYS })
    .toSeconds();
}

/**
 * The day, half hour or calendar month of a zone that is exactly a span of time; null when there is none.
 * @param start and end in Unix seconds, the end excluded
 */
export function spanOf(start: number, end: number, zone: string): Span | null {
  if (end - start === HALF_HOUR && start % (HALF_HOUR / 2) === 0) {
    const dayOf = (seconds: number): string => DateTime.fromSeconds(seconds, { zone }).toFormat('yyyy-MM-dd');
    return dayOf(start) === dayOf(end - 1) ? { kind: 'half hour', day: dayOf(start) } : null;
  }
  const [first, after] = [dayBeginningAt(start, zone), dayBeginningAt(end, zone)];
  if (first === null || after === null) return null;
  if (after === dayAfter(first)) return { kind: 'day', day: first };
  return first.endsWith('-01') && after === monthAfter(first) ? { kind: 'month', day: first } : null;
}

/** Frequent zones of accounts, which are suggested first. */
const USUAL_ZONES = [
  'UTC',
  'America/Los_Angeles',
  'America/New_York',
  'America/Sao_Paulo',
  'America/Mexico_City',
  'America/Bogota',
  'Europe/London',
  'Europe/Berlin',
  'Africa/Lagos',
  'Africa/Johannesburg',
  'Asia/Dubai',
  'Asia/Kolkata',
  'Asia/Jakarta',
  'Asia/Singapore',
  'Asia/Tokyo',
  'Australia/Sydney',
] as const;

const NAMED = 3;

/** Zones in which all these spans are whole days, up to a limit. */
export function zonesThatFit(stretches: readonly { readonly start: number; readonly end: number }[]): string[] {
  const fits = (zone: string): boolean => stretches.every(({ start, end }) => spanOf(start, end, zone) !== null);
  const usual = USUAL_ZONES.filter(fits);
  return (usual.length > 0 ? usual : Intl.supportedValuesOf('timeZone').filter(fits)).slice(0, NAMED);
}

/** The usual zones and that of the account: those in which days are tried. */
export function usualZones(zone: string): string[] {
  return [...new Set<string>([zone, ...USUAL_ZONES])];
}
