import { queryOf, type AddressParameters } from '@ctwa-ledger/schemas/address-parameters.ts';
import { givenValues, type Narrowed, type ReportFilters } from '@ctwa-ledger/schemas/asked.ts';

import { zoneOf, type FilterState } from './filters.ts';
import type { DayRange } from './range.ts';

/**
 * Reports that pages link to, and the days that such a link names: those of a zone, those of each account's own zone
 * unless one is chosen, those that the rows have by themselves, those of one whole month, or none.
 */
export const LINKED_REPORTS = {
  days: 'zone',
  hours: 'zone',
  weeks: 'zone',
  ads: 'zone',
  'ad-answers': 'zone',
  'ad-hours': 'zone',
  'ad-steps': 'zone',
  'ad-messages': 'zone',
  'ad-outcomes': 'zone',
  'ad-conversations': 'zone',
  savings: 'accounts',
  'savings-days': 'accounts',
  'savings-ads': 'accounts',
  'savings-categories': 'accounts',
  'savings-markets': 'accounts',
  'savings-numbers': 'accounts',
  'ad-figures': 'accounts',
  unrated: 'accounts',
  charges: 'accounts',
  // By the days of charges, as the link says.
  messages: 'accounts',
  mismatches: 'accounts',
  'mismatched-messages': 'accounts',
  adjustments: 'own',
  reconciliation: 'month',
  'reconciliation-differences': 'month',
  'reconciliation-days': 'month',
  statement: 'month',
  'whole-bill': 'month',
  cases: 'month',
  'message-counts': 'month',
  'meta-controls': 'month',
  'dead-letters': 'none',
  'dead-letter-reasons': 'none',
  'rate-cards': 'none',
  accounts: 'none',
  'ad-spend-imports': 'none',
  'meta-imports': 'none',
  'invoice-lines': 'none',
  restatements: 'none',
  claims: 'none',
  'write-offs': 'none',
} as const;
export type LinkedReport = keyof typeof LINKED_REPORTS;

/** The address of a report with these parameters. */
export function apiAddress(report: LinkedReport, parameters: AddressParameters): string {
  return `/api/${report}${queryOf(new URLSearchParams(parameters))}`;
}

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

/** The parameters of a report that say which days it is about, and the clock. */
function daysOf(report: LinkedReport, { tz, as_of }: FilterState, { from, to }: DayRange): AddressParameters {
  const days = LINKED_REPORTS[report];
  const clock = as_of === null ? {} : { as_of };
  switch (days) {
    case 'none':
      return {};
    case 'month':
      return { month: from.slice(0, 7) };
    case 'own':
      return { from, to, ...clock };
    case 'zone':
    case 'accounts':
      return {
        from,
        to,
        ...(report === 'messages' ? { by: 'charged' } : {}),
        ...(days === 'zone' || tz !== null ? { tz: zoneOf({ tz }) } : {}),
        ...clock,
      };
  }
}

/**
 * Address of the report behind a table, as JSON or CSV, for exactly the days on screen. Range, zone and sample data are
 * written out, because the API does not know the dashboard's defaults.
 * @param isSample whether the page shows the sample data, requested or not
 * @param only the filters that the report can take
 */
export function reportAddress(
  report: LinkedReport,
  format: 'json' | 'csv' | 'xlsx',
  filters: FilterState,
  range: DayRange,
  isSample = false,
  only: Narrowed = {},
  table: { readonly columns?: string; readonly sort?: string } = {},
): string {
  const params = new URLSearchParams({
    ...(format === 'json' ? {} : { format }),
    ...daysOf(report, filters, range),
    ...(isSample ? { sample: '1' } : {}),
    ...table,
  });
  for (const [name, given] of Object.entries(only)) for (const value of givenValues(given)) params.append(name, value);
  return `/api/${report}${queryOf(params)}`;
}
