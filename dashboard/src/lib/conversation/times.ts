import { DateTime } from 'luxon';

/** A moment (Unix seconds) in the form of reports: ISO 8601 with offset in a zone. */
export function isoOf(seconds: number, tz: string): string {
  return DateTime.fromSeconds(seconds, { zone: tz }).toISO({ suppressMilliseconds: true }) ?? '';
}
