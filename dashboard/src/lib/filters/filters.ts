import {
  asksForSample,
  queryOf,
  textIn,
  valueIn,
  type AddressParameter,
  type AddressParameters,
} from '@ctwa-ledger/schemas/address-parameters.ts';
import { DateTime } from 'luxon';

import { addDays, isDay, type Day } from './days.ts';
import { isOfPicks, isSaid, pickedParameters, readPicks, type Picked, type Picks } from './picked.ts';
import { zoneName } from './zones.ts';

/** What the headline figures can be compared with. */
export const COMPARISONS = ['previous', 'year', 'none'] as const;
export type Comparison = (typeof COMPARISONS)[number];

/** Lengths of the chart's bars. */
export const GRAINS = ['hour', 'day', 'week'] as const;
export type Grain = (typeof GRAINS)[number];

/** The state in a page's address. The default state is the empty query string. */
export interface FilterState {
  /** First day; null = follows the data. */
  readonly from: Day | null;
  /**
   * Day after the last one; null = follows the data. In addresses and forms people use the last day itself, as `until`.
   */
  readonly to: Day | null;
  /** IANA zone of the days; null = none was chosen, see {@link zoneOf}. */
  readonly tz: string | null;
  /** The clock for pending and mature, ISO 8601 in UTC; null = now. */
  readonly as_of: string | null;
  /** Asks for the sample data even when real data exists. */
  readonly sample: boolean;
  readonly compare: Comparison;
  /** null = the usual one for the range. */
  readonly grain: Grain | null;
  /** The filters besides days. */
  readonly only: Picks;
}

export const DEFAULT_STATE: FilterState = {
  from: null,
  to: null,
  tz: null,
  as_of: null,
  sample: false,
  compare: 'previous',
  grain: null,
  only: {},
};

/**
 * The zone of times on screen: the chosen one, else UTC. Without a chosen zone the days of amounts are those of each
 * account's own zone, see `zonesOfDays`.
 */
export function zoneOf({ tz }: Pick<FilterState, 'tz'>): string {
  return tz ?? 'UTC';
}

/**
 * A part of a link that could not be used, and what was done instead. It is shown as a notice and never as an error
 * page.
 */
export interface Repair {
  readonly parameter: 'from' | 'until' | 'to' | 'tz' | 'as_of' | 'sample' | 'compare' | 'grain' | Picked;
  readonly notice: string;
}

export interface ReadFilters {
  readonly state: FilterState;
  readonly repairs: readonly Repair[];
}

/** Longest part of a link that a notice repeats. */
const MAX_QUOTED_CHARACTERS = 40;

/** A part of a link, quoted in a notice. */
export const quoted = (text: string): string =>
  `“${text.length > MAX_QUOTED_CHARACTERS ? `${text.slice(0, MAX_QUOTED_CHARACTERS)}…` : text}”`;

function readInstant(text: string, tz: string): string | null {
  // A "+" in a query string arrives as a space, which would break an offset typed by hand.
  const instant = DateTime.fromISO(text.replace(/ (?=\d{2}:?\d{2}$)/, '+'), { zone: tz });
  if (!instant.isValid || !isDay(instant.toUTC().toISODate())) return null;
  return instant.toUTC().startOf('second').toISO({ suppressMilliseconds: true });
}

/**
 * The page state in a query string. Parameters that are missing, empty or unknown mean the default. Values that cannot
 * be used become the default and are listed in `repairs`.
 * @param usual_days the days to use without a zone
 */
export function readFilters(params: URLSearchParams, usual_days = 'UTC is used'): ReadFilters {
  const repairs: Repair[] = [];

  /** Reads one parameter. `read` returns null for a value that cannot be used. */
  function parameter<T>(name: Repair['parameter'], otherwise: T, read: (text: string) => T | null, wrong: string): T {
    const text = textIn(params, name);
    if (text === '') return otherwise;
    const value = read(text);
    if (value !== null) return value;
    repairs.push({ parameter: name, notice: `${name}: ${quoted(text)} ${wrong}` });
    return otherwise;
  }

  const day = (text: string): Day | null => (isDay(text) ? text : null);
  const notADay = 'is not a date like 2026-01-31; the last 30 days of the data are shown.';

  let from = parameter<Day | null>('from', null, day, notADay);
  // Older links have `to`, the day after the last one.
  let to =
    params.has('until') || !params.has('to')
      ? parameter<Day | null>('until', null, (text) => (isDay(text) ? addDays(text, 1) : null), notADay)
      : parameter<Day | null>('to', null, day, notADay);
  // If one end of a range is broken, both are dropped, because the other end alone would be another range.
  if (repairs.length > 0) from = to = null;
  if (from !== null && to !== null && from >= to) {
    repairs.push({
      parameter: 'from',
      notice: `from: ${quoted(from)} is after the last day, ${quoted(addDays(to, -1))}; the last 30 days of the data are shown.`,
    });
    from = to = null;
  }

  const tz = parameter<string | null>(
    'tz',
    null,
    zoneName,
    `is not an IANA time zone like America/Sao_Paulo; ${usual_days}.`,
  );
  const as_of = parameter<string | null>(
    'as_of',
    null,
    (text) => readInstant(text, zoneOf({ tz })),
    'is not a time like 2026-01-31T10:00:00Z; now is used.',
  );
  const compare = parameter(
    'compare',
    DEFAULT_STATE.compare,
    (text) => COMPARISONS.find((known) => known === text) ?? null,
    'is none of previous, year and none; the previous period is used.',
  );
  const grain = parameter<Grain | null>(
    'grain',
    DEFAULT_STATE.grain,
    (text) => GRAINS.find((known) => known === text) ?? null,
    'is none of hour, day and week; what suits the range is shown.',
  );

  const sample = readSample(params, repairs);
  const { only, unusable } = readPicks(params);
  for (const { name, text, what } of unusable)
    repairs.push({ parameter: name, notice: `${name}: ${quoted(text)} is ${what}; this filter is left out.` });
  return { state: { from, to, tz, as_of, sample, compare, grain, only }, repairs };
}

/** Present is enough for this flag, while the other parameters ignore empty values. */
function readSample(params: URLSearchParams, repairs: Repair[]): boolean {
  const isAsked = asksForSample(params);
  if (isAsked !== null) return isAsked;
  const text = valueIn(params, 'sample') ?? '';
  repairs.push({ parameter: 'sample', notice: `sample: ${quoted(text)} is neither 1 nor 0; it is left out.` });
  return false;
}

/** The shortest query string of a state: only what differs from the default, in a fixed order. */
export function writeFilters(state: FilterState): URLSearchParams {
  const params = new URLSearchParams();
  const say = (name: AddressParameter, value: string | null): void => {
    if (value !== null) params.set(name, value);
  };
  say('from', state.from);
  say('until', state.to === null ? null : addDays(state.to, -1));
  say('tz', state.tz);
  say('as_of', state.as_of);
  say('sample', state.sample ? '1' : null);
  say('compare', state.compare === DEFAULT_STATE.compare ? null : state.compare);
  say('grain', state.grain);
  for (const [name, value] of pickedParameters(state.only)) params.append(name, value);
  return params;
}

/**
 * {@link writeFilters} as the end of an address: empty, or with a question mark.
 * @param own parameters of the page itself; empty ones are left out, unless the empty text is a value
 */
export function search(state: FilterState, own: AddressParameters = {}): string {
  const params = writeFilters(state);
  for (const [name, value] of Object.entries(own)) {
    // A filter that the page sets itself replaces the one of all pages.
    if (isSaid(name, value)) params.set(name, value);
  }
  return queryOf(params);
}

/** The end of the address of the same page with other filters besides days. Pages of tables begin again. */
export function withPicks(state: FilterState, params: URLSearchParams, only: Picks): string {
  return search({ ...state, only }, ownParameters(params));
}

/** The address to which a page's form is sent: the action's name, then the filters. */
export function actionSearch(action: string, state: FilterState): string {
  return `?/${action}${search(state).replace('?', '&')}`;
}

/** Parameters of all pages; others belong to one page. */
const FILTERS: ReadonlySet<string> = new Set([...Object.keys(DEFAULT_STATE), 'until']);

/**
 * Whether a parameter is the position of a page in a table. It is dropped when other parameters change, because rows
 * move then.
 */
const isPlace = (name: string): boolean => /^(.+\.)?(after|before)$/.test(name);

/**
 * The parameters of an address that belong to the page, and stay when the filters change: all except positions of pages
 * in tables.
 */
export function ownParameters(params: URLSearchParams): Readonly<Record<string, string>> {
  // A name that begins with a slash is the action of a form that was just sent.
  return Object.fromEntries(
    [...params].filter(([name]) => !FILTERS.has(name) && !isOfPicks(name) && !isPlace(name) && !name.startsWith('/')),
  );
}
