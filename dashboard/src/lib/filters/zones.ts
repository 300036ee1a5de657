import { IANAZone } from 'luxon';

/**
 * Zones offered in the zone field; any other IANA name works too. Their spellings here are the ones that are kept:
 * runtimes know some zones by an older name (Asia/Calcutta) and ignore letter case, the ledger's engine does not.
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

const runtime_names = new Map<string, string>();

/** This runtime's name of a zone. */
function runtimeName(zone: string): string {
  const known = runtime_names.get(zone);
  if (known !== undefined) return known;
  const name = new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
  // Remembered for the suggested ones only, because links can name any zone.
  if (SUGGESTED_ZONES.includes(zone)) runtime_names.set(zone, name);
  return name;
}

/** Links beside the zone field. With accounts in more zones the name has to be typed. */
const MAX_OFFERED_ZONES = 4;

/** A zone offered as a link, and the reason; null = the default without a chosen zone. */
export interface OfferedZone {
  readonly tz: string | null;
  readonly whose: 'usual' | 'UTC' | 'account' | 'browser';
}

/**
 * The default, UTC, the zones of the accounts and that of the browser, each once.
 * @param usual whose days are shown without a chosen zone
 * @param browser_zone null until the page's scripts run
 */
export function offeredZones(
  usual: 'UTC' | 'accounts',
  account_zones: readonly string[],
  browser_zone: string | null,
): OfferedZone[] {
  const offered: OfferedZone[] = [{ tz: null, whose: 'usual' }];
  const add = (text: string, whose: OfferedZone['whose']): void => {
    const tz = zoneName(text);
    const isKnown = (usual === 'UTC' && tz === 'UTC') || offered.some((known) => known.tz === tz);
    if (tz !== null && !isKnown) offered.push({ tz, whose });
  };
  add('UTC', 'UTC');
  for (const zone of account_zones.slice(0, MAX_OFFERED_ZONES)) add(zone, 'account');
  if (browser_zone !== null) add(browser_zone, 'browser');
  return offered;
}

/** The standard name of an IANA zone, from any letter case; null when it is none. */
export function zoneName(text: string): string | null {
  const suggested = SUGGESTED_ZONES.find((zone) => zone.toLowerCase() === text.toLowerCase());
  if (suggested !== undefined) return suggested;
  // Some runtimes accept "+03:00" as a zone, but an offset has no daylight saving and is no IANA name.
  if (!/^[A-Za-z]/.test(text) || !IANAZone.isValidZone(text)) return null;
  const name = runtimeName(text);
  return SUGGESTED_ZONES.find((zone) => runtimeName(zone) === name) ?? name;
}

/** The place in a zone's name: `Los Angeles`. */
export function placeOfZone(tz: string): string {
  return (tz.split('/').at(-1) ?? tz).replaceAll('_', ' ');
}
