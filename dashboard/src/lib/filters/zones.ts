import { IANAZone } from 'luxon';

/**
 * Offered in the zone field; any other IANA name works too. These are also the spellings that are kept: runtimes know
 * some zones by an older name (Asia/Calcutta) and are lenient about letter case, the ledger's engine is not.
 */
export const SUGGESTED_ZONES: readonly string[] = [
  'UTC',
  'Africa/Cairo',
  'Africa/Johannesburg',
  'Africa/Lagos',
  'Africa/Nairobi',
  'America/Argentina/Buenos_Aires',
  'America/Bogota',
  'America/Chicago',
  'America/Denver',
  'America/Lima',
  'America/Los_Angeles',
  'America/Mexico_City',
  'America/New_York',
  'America/Santiago',
  'America/Sao_Paulo',
  'America/Toronto',
  'Asia/Bangkok',
  'Asia/Colombo',
  'Asia/Dhaka',
  'Asia/Dubai',
  'Asia/Ho_Chi_Minh',
  'Asia/Hong_Kong',
  'Asia/Jakarta',
  'Asia/Jerusalem',
  'Asia/Karachi',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Asia/Kuala_Lumpur',
  'Asia/Manila',
  'Asia/Riyadh',
  'Asia/Shanghai',
  'Asia/Singapore',
  'Asia/Tokyo',
  'Australia/Sydney',
  'Europe/Amsterdam',
  'Europe/Berlin',
  'Europe/Istanbul',
  'Europe/Kyiv',
  'Europe/Lisbon',
  'Europe/London',
  'Europe/Madrid',
  'Europe/Paris',
  'Europe/Rome',
  'Pacific/Auckland',
];

/** The name under which `text` is known as an IANA zone, whatever its letter case; null when it is none. */
export function zoneName(text: string): string | null {
  const suggested = SUGGESTED_ZONES.find((zone) => zone.toLowerCase() === text.toLowerCase());
  if (suggested !== undefined) return suggested;
  // Some runtimes take "+03:00" as a zone; an offset has no daylight saving and is no IANA name.
  if (!/^[A-Za-z]/.test(text) || !IANAZone.isValidZone(text)) return null;
  return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
}
