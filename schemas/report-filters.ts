import { DateTime, IANAZone } from 'luxon';
import { CONVERSATION_STATES } from './conversations.ts';
import { monthSchema } from './periods.ts';
import { MAX_VALUE_CHARACTERS, PERIODS, type PeriodName } from './report-parameters.ts';
import { NARROWINGS, givenValues, type Narrowed, type ReportFilters } from './asked.ts';
import { LAST_SECOND } from './time-limits.ts';

/** Filters as text, from a command line or a query string; undefined = not given. */
export interface FilterTexts {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** `YYYY-MM`: all days of the month, instead of `from` and `to`. */
  readonly month?: string | undefined;
  /** One of `PERIODS`, instead of `from` and `to`. */
  readonly period?: string | undefined;
  readonly tz?: string | undefined;
  readonly as_of?: string | undefined;
  readonly changed_since?: string | undefined;
  readonly only?: Narrowed | undefined;
}

export type ParsedFilters =
  { readonly ok: true; readonly filters: ReportFilters } | { readonly ok: false; readonly message: string };

const DAY = /^\d{4}-\d{2}-\d{2}$/;

export function isDay(text: string): boolean {
  return DAY.test(text) && DateTime.fromISO(text, { zone: 'utc' }).isValid;
}

/**
 * The standard spelling of a zone: runtimes ignore letter case, the ledger's engine does not. Null when it is no zone.
 */
function zoneName(text: string): string | null {
  // Some runtimes accept "+03:00" as a zone, but an offset is no IANA name.
  if (!/^[A-Za-z]/.test(text) || !IANAZone.isValidZone(text)) return null;
  return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
}

/**
 * A moment as Unix seconds, from ISO 8601 (a time without offset is in `zone`) or Unix seconds; null when it is
 * neither.
 */
function moment(text: string, zone: string): number | null {
  if (/^\d{9,11}$/.test(text)) return Number(text);
  const time = DateTime.fromISO(text, { zone });
  return time.isValid ? Math.floor(time.toSeconds()) : null;
}

/**
 * Rows that changed so long before the asked moment count too. A row has the time at which its writing began, and can be
 * read when it ended; clocks of several machines differ a little. Nothing is lost between two questions by that.
 */
const CHANGES_OVERLAP_MS = 600_000;

/** The moment since which rows count as changed, Unix milliseconds; null when the text is no time. */
function changesSince(text: string, zone: string): number | null {
  const asked = /^\d{9,11}$/.test(text) ? Number(text) * 1000 : DateTime.fromISO(text, { zone }).toMillis();
  return Number.isFinite(asked) && asked <= LAST_SECOND * 1000 ? Math.max(asked - CHANGES_OVERLAP_MS, 0) : null;
}

/** The days of each period, relative to the current day. Weeks begin on Monday. */
const DAYS_OF: Readonly<Record<PeriodName, (today: DateTime) => readonly [DateTime, DateTime]>> = {
  today: (today) => [today, today.plus({ days: 1 })],
  yesterday: (today) => [today.minus({ days: 1 }), today],
  'last-7-days': (today) => [today.minus({ days: 7 }), today],
  'last-30-days': (today) => [today.minus({ days: 30 }), today],
  'this-week': (today) => [today.startOf('week'), today.plus({ days: 1 })],
  'last-week': (today) => [today.startOf('week').minus({ weeks: 1 }), today.startOf('week')],
  'this-month': (today) => [today.startOf('month'), today.plus({ days: 1 })],
  'last-month': (today) => [today.startOf('month').minus({ months: 1 }), today.startOf('month')],
  'this-year': (today) => [today.startOf('year'), today.plus({ days: 1 })],
  'last-year': (today) => [today.startOf('year').minus({ years: 1 }), today.startOf('year')],
};

/** The days in the texts, or what is wrong with them. */
function rangeIn(texts: FilterTexts, tz: string, as_of: number): Pick<FilterTexts, 'from' | 'to'> | string {
  const { from, to, month, period } = texts;
  if (period !== undefined) {
    if (from !== undefined || to !== undefined || month !== undefined)
      return 'period names all days by itself: leave out from, to and month.';
    const known = PERIODS.find((name) => name === period);
    if (known === undefined) return `period "${period}" must be one of ${PERIODS.join(', ')}.`;
    // Compared by name only: in some zones a day has no midnight.
    const today = DateTime.fromSeconds(as_of, { zone: tz }).setZone('utc', { keepLocalTime: true }).startOf('day');
    const [first, end] = DAYS_OF[known](today);
    return { from: first.toFormat('yyyy-MM-dd'), to: end.toFormat('yyyy-MM-dd') };
  }
  if (month === undefined) return { from, to };
  if (from !== undefined || to !== undefined) return 'month names all days by itself: leave out from and to.';
  if (!monthSchema.safeParse(month).success) return `month "${month}" is not a month; use YYYY-MM.`;
  const first = DateTime.fromISO(`${month}-01`, { zone: 'utc' });
  return { from: first.toFormat('yyyy-MM-dd'), to: first.plus({ months: 1 }).toFormat('yyyy-MM-dd') };
}

/**
 * Reads report filters strictly: a text that cannot be read is an error that says how it should look.
 * @param nowSeconds the clock for "now" when none is given, Unix seconds
 */
export function parseFilters(texts: FilterTexts, nowSeconds: number): ParsedFilters {
  const tz = zoneName(texts.tz ?? 'UTC');
  if (tz === null)
    return {
      ok: false,
      message: `tz "${texts.tz ?? ''}" is not an IANA time zone; use a name like America/Sao_Paulo.`,
    };
  const clock = texts.as_of === undefined ? nowSeconds : moment(texts.as_of, tz);
  const range = rangeIn(texts, tz, clock ?? nowSeconds);
  if (typeof range === 'string') return { ok: false, message: range };
  const { from, to } = range;
  for (const [name, text] of [
    ['from', from],
    ['to', to],
  ] as const)
    if (text !== undefined && !isDay(text))
      return { ok: false, message: `${name} "${text}" is not a date; use YYYY-MM-DD.` };
  if (from !== undefined && to !== undefined && from >= to)
    return { ok: false, message: `from ${from} is not before to ${to}; "to" is exclusive.` };
  if (clock === null || clock < 0 || clock > LAST_SECOND)
    return {
      ok: false,
      message: `as-of "${texts.as_of ?? ''}" is not a time; use ISO 8601 like 2026-01-31T10:00:00Z.`,
    };
  const changed_since = texts.changed_since === undefined ? undefined : changesSince(texts.changed_since, tz);
  if (changed_since === null)
    return {
      ok: false,
      message: `changed-since "${texts.changed_since ?? ''}" is not a time; use ISO 8601 like 2026-01-31T10:00:00Z.`,
    };
  for (const name of NARROWINGS) {
    const long = givenValues(texts.only?.[name]).find((value) => value.length > MAX_VALUE_CHARACTERS);
    if (long !== undefined)
      return {
        ok: false,
        message: `${name} has ${long.length} characters; it can have ${MAX_VALUE_CHARACTERS} at most.`,
      };
  }
  const state = texts.only?.state ?? '';
  if (state !== '' && !CONVERSATION_STATES.some((known) => known === state))
    return { ok: false, message: `state "${state}" must be one of ${CONVERSATION_STATES.join(', ')}.` };
  return {
    ok: true,
    filters: {
      ...texts.only,
      from: from ?? null,
      to: to ?? null,
      tz,
      is_tz_given: texts.tz !== undefined,
      as_of: clock,
      ...(changed_since === undefined ? {} : { changed_since }),
    },
  };
}
