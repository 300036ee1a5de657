import { DateTime, IANAZone } from 'luxon';
import { CONVERSATION_STATES } from './conversations.ts';
import { NARROWINGS, type Narrowed, type ReportFilters } from './reports.ts';

/** Filters as text, from a command line or a query string; undefined = not given. */
export interface FilterTexts {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly tz?: string | undefined;
  readonly as_of?: string | undefined;
  readonly only?: Narrowed | undefined;
}

/** Ids, names and addresses of ads are shorter. */
const MAX_VALUE_CHARACTERS = 2_000;

export type ParsedFilters =
  { readonly ok: true; readonly filters: ReportFilters } | { readonly ok: false; readonly message: string };

const DAY = /^\d{4}-\d{2}-\d{2}$/;

function isDay(text: string): boolean {
  return DAY.test(text) && DateTime.fromISO(text, { zone: 'utc' }).isValid;
}

/** The zone's own spelling: runtimes are lenient about letter case, the ledger's engine is not. Null when it is none. */
function zoneName(text: string): string | null {
  // Some runtimes take "+03:00" as a zone; an offset is no IANA name.
  if (!/^[A-Za-z]/.test(text) || !IANAZone.isValidZone(text)) return null;
  return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
}

/** A moment as Unix seconds: ISO 8601 (a time without offset is in `zone`) or Unix seconds; null when it is neither. */
function moment(text: string, zone: string): number | null {
  if (/^\d{9,11}$/.test(text)) return Number(text);
  const time = DateTime.fromISO(text, { zone });
  return time.isValid ? Math.floor(time.toSeconds()) : null;
}

/**
 * Reads report filters strictly: what cannot be read is an error that says how it should look.
 * @param nowSeconds the clock for "now" when none is given, Unix seconds
 */
export function parseFilters(texts: FilterTexts, nowSeconds: number): ParsedFilters {
  const tz = zoneName(texts.tz ?? 'UTC');
  if (tz === null)
    return {
      ok: false,
      message: `tz "${texts.tz ?? ''}" is not an IANA time zone; use a name like America/Sao_Paulo.`,
    };
  for (const [name, text] of [
    ['from', texts.from],
    ['to', texts.to],
  ] as const)
    if (text !== undefined && !isDay(text))
      return { ok: false, message: `${name} "${text}" is not a date; use YYYY-MM-DD.` };
  if (texts.from !== undefined && texts.to !== undefined && texts.from >= texts.to)
    return { ok: false, message: `from ${texts.from} is not before to ${texts.to}; "to" is exclusive.` };
  const as_of = texts.as_of === undefined ? nowSeconds : moment(texts.as_of, tz);
  if (as_of === null || as_of < 0 || as_of > 4_294_967_295)
    return {
      ok: false,
      message: `as-of "${texts.as_of ?? ''}" is not a time; use ISO 8601 like 2026-01-31T10:00:00Z.`,
    };
  for (const name of NARROWINGS) {
    const value = texts.only?.[name] ?? '';
    if (value.length > MAX_VALUE_CHARACTERS)
      return {
        ok: false,
        message: `${name} has ${value.length} characters; it can have ${MAX_VALUE_CHARACTERS} at most.`,
      };
  }
  const state = texts.only?.state ?? '';
  if (state !== '' && !CONVERSATION_STATES.some((known) => known === state))
    return { ok: false, message: `state "${state}" is none of ${CONVERSATION_STATES.join(', ')}.` };
  return {
    ok: true,
    filters: {
      ...texts.only,
      from: texts.from ?? null,
      to: texts.to ?? null,
      tz,
      is_tz_given: texts.tz !== undefined,
      as_of,
    },
  };
}
