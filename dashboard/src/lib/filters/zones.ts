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

const runtime_names = new Map<string, string>();

/** What this runtime calls a zone. */
function runtimeName(zone: string): string {
  const known = runtime_names.get(zone);
  if (known !== undefined) return known;
  const name = new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
  // Only of the suggested ones: links can name any.
  if (SUGGESTED_ZONES.includes(zone)) runtime_names.set(zone, name);
  return name;
}

/** Links beside the zone field; who has accounts in more zones types the name. */
const MAX_OFFERED_ZONES = 4;

/** A zone that is one click away, and why it is offered; null: what is usual where none is chosen. */
export interface OfferedZone {
  readonly tz: string | null;
  readonly whose: 'usual' | 'UTC' | 'account' | 'browser';
}

/**
 * What is usual, UTC, the zones of the accounts and that of the browser, each once.
 * @param usual whose days are shown where no zone is chosen
 * @param browser_zone null where it is not known: before the page has its scripts
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

/** The name under which `text` is known as an IANA zone, whatever its letter case; null when it is none. */
export function zoneName(text: string): string | null {
  const suggested = SUGGESTED_ZONES.find((zone) => zone.toLowerCase() === text.toLowerCase());
  if (suggested !== undefined) return suggested;
  // Some runtimes take "+03:00" as a zone; an offset has no daylight saving and is no IANA name.
  if (!/^[A-Za-z]/.test(text) || !IANAZone.isValidZone(text)) return null;
  const name = runtimeName(text);
  return SUGGESTED_ZONES.find((zone) => runtimeName(zone) === name) ?? name;
}

/** The place that a zone is called after, as people say it: `Los Angeles`. */
export function placeOfZone(tz: string): string {
  return (tz.split('/').at(-1) ?? tz).replaceAll('_', ' ');
}
