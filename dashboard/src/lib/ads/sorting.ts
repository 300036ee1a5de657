import type { AdsRow } from '@ctwa-ledger/schemas/reports.ts';

import type { AdColumn, AdSort } from '../filters/filters.ts';

const COLLATOR = new Intl.Collator('en', { numeric: true });

/** Columns that hold a decimal as text. Rounding them only decides which of two equal-looking rows comes first. */
const DECIMALS: ReadonlySet<AdColumn> = new Set([
  'reply_rate',
  'median_seconds_to_reply',
  'p90_seconds_to_reply',
] satisfies AdColumn[]);

function compareValues(one: AdsRow, other: AdsRow, column: AdColumn): number {
  const a = one[column];
  const b = other[column];
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (DECIMALS.has(column)) return Number(a) - Number(b);
  return COLLATOR.compare(String(a), String(b));
}

/** The rows in the order asked for. What is not known comes last either way; ties go by ad, so pages are stable. */
export function sortAds(rows: readonly AdsRow[], { column, descending }: AdSort): AdsRow[] {
  return rows.toSorted((one, other) => {
    const missing = Number(one[column] === null) - Number(other[column] === null);
    if (missing !== 0) return missing;
    const order = one[column] === null ? 0 : compareValues(one, other, column);
    return (descending ? -order : order) || COLLATOR.compare(one.ad_id, other.ad_id);
  });
}

/** The sort that a click on a column's head asks for: the other way round, or the way that is useful first. */
export function nextSort(column: AdColumn, current: AdSort): AdSort {
  if (column === current.column) return { column, descending: !current.descending };
  return { column, descending: column !== 'ad_id' };
}
