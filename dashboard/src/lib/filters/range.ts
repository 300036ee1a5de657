import { DateTime } from 'luxon';

import { daysShownAt } from '../navigation/pages.ts';
import { addDays, daysBetween, monthStart, type Day } from './days.ts';
import { GRAINS, zoneOf, type Comparison, type FilterState, type Grain, type Repair } from './filters.ts';

/** The days on screen. `to` is exclusive. */
export interface DayRange {
  readonly from: Day;
  readonly to: Day;
}

/** Longest range by hours: more bars do not fit on a screen. */
export const MAX_DAYS_BY_HOUR = 14;

/** The lengths of bars that a range allows. */
export function grainsOf({ from, to }: DayRange): readonly Grain[] {
  return GRAINS.filter((grain) => grain !== 'hour' || daysBetween(from, to) <= MAX_DAYS_BY_HOUR);
}

/** The default length of a range's bars. A single day has hours, because one bar would say nothing. */
function usualGrain({ from, to }: DayRange): Grain {
  return daysBetween(from, to) === 1 ? 'hour' : 'day';
}

/** The length of a range's bars: the chosen one, but days if the range is too long for hours. */
export function grainIn(range: DayRange, asked: Grain | null): Grain {
  if (asked === null) return usualGrain(range);
  return grainsOf(range).includes(asked) ? asked : 'day';
}

/** The state for a chosen length of bars: null when it is the default. */
export function grainState(range: DayRange, asked: Grain | null): Grain | null {
  const grain = grainIn(range, asked);
  return grain === usualGrain(range) ? null : grain;
}

/** When the ledger's first and last event happened, Unix seconds; null when it has none. */
export interface LedgerSpan {
  readonly first_event_at: number | null;
  readonly last_event_at: number | null;
}

export interface ResolvedRange {
  /** The given state, without a range that cannot be used. */
  readonly state: FilterState;
  readonly range: DayRange;
  readonly repairs: readonly Repair[];
}

const DEFAULT_DAYS = 30;

/** Longest range, because every day is a row and a bar. No ledger needs more: events before 2015 are rejected. */
const MAX_DAYS = 6000;

/** The day in `tz` that contains `seconds` (Unix). */
export function dayOf(seconds: number, tz: string): Day {
  const day = DateTime.fromSeconds(seconds, { zone: tz }).toISODate();
  if (day === null) throw new Error(`${seconds} s is no time in the zone "${tz}"`);
  return day;
}

/**
 * The zones whose days a page shows: the chosen one, or those of all accounts.
 * @param page its route
 */
export function zonesOfDays(
  page: string | null,
  tz: string | null,
  account_zones: readonly string[],
): readonly string[] {
  // Messages of no account, or of one without a zone, use the days of UTC.
  return daysShownAt(page) === 'accounts' && tz === null ? ['UTC', ...account_zones] : [zoneOf({ tz })];
}

/** The days in the zones that contain `seconds` (Unix), the earliest first. */
export function daysAt(seconds: number, zones: readonly string[]): readonly Day[] {
  return [...new Set(zones.map((tz) => dayOf(seconds, tz)))].sort();
}

/** The day after the last one with data in any of the zones, which ends every range that follows the data. */
function dataEnd(span: LedgerSpan, zones: readonly string[], now: number): Day {
  const seconds = span.last_event_at ?? now;
  return addDays(daysAt(seconds, zones).at(-1) ?? dayOf(seconds, 'UTC'), 1);
}

/**
 * The days of a state for a ledger. If the state has none: the last 30 days of the data up to and including the day of
 * the last event. For an empty ledger `now` (Unix seconds) is used instead of the last event.
 * @param zones zones of the days
 */
export function resolveRange(
  state: FilterState,
  span: LedgerSpan,
  now: number,
  zones: readonly string[],
): ResolvedRange {
  const end = dataEnd(span, zones, now);
  const to = state.to ?? end;
  const from = state.from ?? addDays(to, -DEFAULT_DAYS);
  const days = daysBetween(from, to);
  if (days >= 1 && days <= MAX_DAYS) return { state, range: { from, to }, repairs: [] };

  const notice =
    days < 1
      ? `from: “${from}” is after the last day with data; the last 30 days of the data are shown.`
      : `from: ${days} days are more than a page can show (${MAX_DAYS}); the last 30 days of the data are shown.`;
  return {
    state: { ...state, from: null, to: null },
    range: { from: addDays(end, -DEFAULT_DAYS), to: end },
    repairs: [{ parameter: 'from', notice }],
  };
}

/** Whether a range consists of whole calendar months. */
function isWholeMonths({ from, to }: DayRange): boolean {
  return from === monthStart(from) && to === monthStart(to);
}

/**
 * The days to compare a range with; null = no comparison. Whole months are compared with as many whole months before,
 * other ranges with as many days before. A year earlier has the same dates, with 28 February for 29 February.
 */
export function comparedRange(range: DayRange, comparison: Comparison): DayRange | null {
  const day = (text: Day): DateTime => DateTime.fromISO(text, { zone: 'utc' });
  const earlier = (text: Day, duration: { readonly years?: number; readonly months?: number }): Day =>
    day(text).minus(duration).toFormat('yyyy-MM-dd');
  switch (comparison) {
    case 'none':
      return null;
    case 'year': {
      const from = earlier(range.from, { years: 1 });
      const to = earlier(range.to, { years: 1 });
      // 29 February alone would have no day a year earlier.
      return { from, to: to > from ? to : addDays(from, 1) };
    }
    case 'previous': {
      if (!isWholeMonths(range))
        return { from: addDays(range.from, -daysBetween(range.from, range.to)), to: range.from };
      const months = Math.round(day(range.to).diff(day(range.from), 'months').months);
      return { from: earlier(range.from, { months }), to: range.from };
    }
  }
}

export interface Preset {
  readonly name: string;
  readonly range: DayRange;
  /** The range in the state: nulls for the default, which keeps the address empty. */
  readonly state: Pick<FilterState, 'from' | 'to'>;
}

/** The ranges offered as links, relative to the day of the last event in any of the zones. */
export function presets(span: LedgerSpan, zones: readonly string[], now: number): Preset[] {
  const to = dataEnd(span, zones, now);
  const month = monthStart(addDays(to, -1));
  const first = (span.first_event_at === null ? null : daysAt(span.first_event_at, zones)[0]) ?? addDays(to, -1);
  const earliest = addDays(to, -MAX_DAYS);

  const fixed = (name: string, range: DayRange): Preset => ({ name, range, state: range });
  return [
    fixed('7 days', { from: addDays(to, -7), to }),
    {
      name: `${DEFAULT_DAYS} days`,
      range: { from: addDays(to, -DEFAULT_DAYS), to },
      state: { from: null, to: null },
    },
    fixed('90 days', { from: addDays(to, -90), to }),
    fixed('This month', { from: month, to }),
    fixed('Previous month', { from: monthStart(addDays(month, -1)), to: month }),
    fixed('All', { from: first < earliest ? earliest : first, to }),
  ];
}

export function sameRange(one: DayRange, other: DayRange): boolean {
  return one.from === other.from && one.to === other.to;
}
