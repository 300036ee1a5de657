import { isAll } from './headings.ts';
import type { SpendHeader } from './spend-header.ts';
import type { SpendRow } from './spend-rows.ts';

/** Columns that are not read, in which a breakdown (by age, platform, …) may be. */
function otherColumns(header: SpendHeader): number[] {
  const known = new Set(header.columns.values());
  return header.cells.flatMap((cell, index) => (known.has(index) || cell.trim() === '' ? [] : [index]));
}

/**
 * Rows with the sum of a breakdown of the same ad and days: one has the word for "all" where another one has a value.
 */
function sumsOfBreakdowns(rows: readonly SpendRow[], header: SpendHeader): ReadonlySet<SpendRow> {
  const others = otherColumns(header);
  const groups = new Map<string, SpendRow[]>();
  for (const row of rows) {
    const key = JSON.stringify([
      row.idText,
      row.text('day'),
      row.text('first_day'),
      row.text('last_day'),
      row.text('currency'),
    ]);
    const group = groups.get(key) ?? [];
    group.push(row);
    groups.set(key, group);
  }
  const sums = new Set<SpendRow>();
  for (const group of groups.values()) {
    if (group.length === 1) continue;
    for (const index of others) {
      const cellOf = ({ row }: SpendRow): string => row.cells[index]?.trim() ?? '';
      const summing = group.filter((row) => isAll(cellOf(row)));
      if (summing.length > 0 && group.some((row) => cellOf(row) !== '' && !isAll(cellOf(row))))
        for (const row of summing) sums.add(row);
    }
  }
  return sums;
}

/**
 * Separates rows that count from rows of sums: without an ad, over all days, over all values of a breakdown. If an ad
 * has an amount only in a row of sums, it would be lost, so that is a problem of the file.
 */
export function findSums(
  rows: readonly SpendRow[],
  header: SpendHeader,
  isByDay: boolean,
): { readonly counted: readonly SpendRow[]; readonly passed_over: number } {
  const ofAds = rows.filter((row) => !row.sumsUp('ad_id'));
  const ofDays = ofAds.filter((row) => !isByDay || !row.sumsUp('day'));
  const ofBreakdowns = sumsOfBreakdowns(ofDays, header);
  const counted = ofDays.filter((row) => !ofBreakdowns.has(row));
  const ads = new Set(counted.map((row) => row.idText));
  for (const row of ofAds) {
    if (ads.has(row.idText) || /^[0.,]*$/.test(row.text('amount'))) continue;
    row.problem(
      'ad_id',
      `Ad ${row.idText.slice(0, 30)} has an amount only in this row, which sums up days (its ${row.heading('day')} is "${row.text('day').slice(0, 20)}"): export with the id of the ad on the row of every day.`,
    );
    ads.add(row.idText);
  }
  return { counted, passed_over: rows.length - counted.length };
}
