import type { Narrowed, ReportFilters } from '@ctwa-ledger/schemas/asked.ts';

import { zoneOf, type FilterState } from './filters.ts';
import type { DayRange } from './range.ts';

const AMOUNT_REPORTS = [
  'savings',
  'savings-days',
  'savings-ads',
  'ad-figures',
  'savings-categories',
  'savings-markets',
  'savings-numbers',
  'unrated',
  'charges',
  'messages',
  'adjustments',
  'mismatches',
  'mismatched-messages',
] as const;
type AmountReport = (typeof AMOUNT_REPORTS)[number];

/** Reports about the ledger as it is now, which take no days. */
const TIMELESS_REPORTS = [
  'dead-letters',
  'dead-letter-reasons',
  'rate-cards',
  'accounts',
  'ad-spend-imports',
  'meta-imports',
  'invoice-lines',
  'restatements',
  'claims',
] as const;
type TimelessReport = (typeof TIMELESS_REPORTS)[number];

/** Reports about one whole month, to which the days belong. */
const MONTH_REPORTS = [
  'reconciliation',
  'reconciliation-differences',
  'reconciliation-days',
  'cases',
  'message-counts',
] as const;
type MonthReport = (typeof MONTH_REPORTS)[number];

/** Reports that pages link to. */
export type LinkedReport =
  | 'days'
  | 'hours'
  | 'weeks'
  | 'ads'
  | 'ad-answers'
  | 'ad-hours'
  | 'ad-conversations'
  | AmountReport
  | MonthReport
  | TimelessReport;

const isOfAmounts = (report: LinkedReport): boolean => AMOUNT_REPORTS.some((name) => name === report);
const isOfMonth = (report: LinkedReport): boolean => MONTH_REPORTS.some((name) => name === report);
const isTimeless = (report: LinkedReport): boolean => TIMELESS_REPORTS.some((name) => name === report);

/**
 * The parameters of reports of amounts. The days are those of each account's own zone, unless another one is chosen.
 */
export function amountFilters(filters: FilterState, range: DayRange, as_of: number): ReportFilters {
  return { ...range, tz: zoneOf(filters), is_tz_given: filters.tz !== null, as_of };
}

/** Explains which days counts and amounts side by side are about. Empty when both use the chosen zone. */
export function daysOfAmounts({ tz }: FilterState): string {
  return tz === null
    ? 'Counts are of UTC days, amounts of the days of each account’s own time zone; choose a zone for both.'
    : '';
}

/**
 * Address of the report behind a table, as JSON or CSV, for exactly the days on screen. Range, zone and sample data are
 * written out, because the API does not know the dashboard's defaults.
 * @param isSample whether the page shows the sample data, requested or not
 * @param only the filters that the report can take
 */
export function reportAddress(
  report: LinkedReport,
  format: 'json' | 'csv',
  filters: FilterState,
  range: DayRange,
  isSample = false,
  only: Narrowed = {},
): string {
  const params = new URLSearchParams();
  if (format === 'csv') params.set('format', 'csv');
  if (isOfMonth(report)) params.set('month', range.from.slice(0, 7));
  else if (!isTimeless(report)) {
    params.set('from', range.from);
    params.set('to', range.to);
    // Days as those of charges: of each account's own zone, unless another one is chosen.
    if (report === 'messages') params.set('by', 'charged');
    if (!isOfAmounts(report) || filters.tz !== null) params.set('tz', zoneOf(filters));
    if (filters.as_of !== null) params.set('as_of', filters.as_of);
  }
  if (isSample) params.set('sample', '1');
  for (const [name, value] of Object.entries(only)) if (value != null) params.set(name, value);
  const text = params.toString();
  return `/api/${report}${text === '' ? '' : `?${text}`}`;
}
