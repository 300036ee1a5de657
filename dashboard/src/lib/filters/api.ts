import type { FilterState } from './filters.ts';
import type { DayRange } from './range.ts';

/**
 * Address of the report behind a table, as JSON or CSV, for exactly the days on screen: the API does not know the
 * dashboard's defaults, so the range, the zone and the sample data are always spelled out.
 */
export function reportAddress(
  report: 'days' | 'daily' | 'ads',
  format: 'json' | 'csv',
  filters: FilterState,
  range: DayRange,
  isSample: boolean,
): string {
  const params = new URLSearchParams();
  if (format === 'csv') params.set('format', 'csv');
  params.set('from', range.from);
  params.set('to', range.to);
  params.set('tz', filters.tz);
  if (filters.as_of !== null) params.set('as_of', filters.as_of);
  if (isSample) params.set('sample', '1');
  return `/api/${report}?${params}`;
}
