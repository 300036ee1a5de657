import {
  META_COUNTS,
  SPEND_COLUMN_NAMES,
  SPEND_COLUMNS,
  type SpendColumn,
  type SpendMapping,
} from '@ctwa-ledger/schemas/spend.ts';
import { currencyOf } from '../imports/amounts.ts';
import { columnNameOf, plain, singleSpaced, type FileRow, type Problems } from '../imports/rows.ts';
import { columnNames, splitHeading } from './headings.ts';

/** The row with the headings, and what it says about the file. */
export interface SpendHeader extends FileRow {
  readonly columns: ReadonlyMap<SpendColumn, number>;
  /** Currency of all amounts; null when the file has a column for it, or no amounts. */
  readonly currency: string | null;
}

/** The positions of headings that were mapped by hand. */
function mappedColumns(cells: readonly string[], mapping: SpendMapping): Map<SpendColumn, number> {
  const found = new Map<SpendColumn, number>();
  for (const column of SPEND_COLUMNS) {
    const heading = mapping.columns[column];
    if (heading === undefined) continue;
    const index = cells.findIndex((cell) => plain(cell) === plain(heading));
    const without = cells.findIndex((cell) => plain(splitHeading(cell).name) === plain(heading));
    if (index !== -1 || without !== -1) found.set(column, index === -1 ? without : index);
  }
  return found;
}

/** Whether a row is the header of an export of ads: it has every mapped column, and the id of an ad. */
export function isSpendHeader(cells: readonly string[], mapping: SpendMapping): boolean {
  const mapped = mappedColumns(cells, mapping);
  if (mapped.size < Object.keys(mapping.columns).length) return false;
  const columnOf = columnNames(cells);
  return mapped.has('ad_id') || cells.some((cell) => columnOf(cell) === 'ad_id');
}

/** The headings of a row, unchanged. */
export function headingsOf(row: FileRow): string[] {
  return row.cells.map(singleSpaced).filter((heading) => heading !== '');
}

function currencyInHeading(row: FileRow, index: number, mapping: SpendMapping, problems: Problems): string | null {
  const { inside } = splitHeading(row.cells[index] ?? '');
  const said = inside === null ? null : currencyOf(inside);
  // A heading that was mapped by hand may have any text in brackets.
  if (inside !== null && said === null && mapping.columns.amount === undefined)
    problems.add(
      row,
      columnNameOf(row, index),
      `"${inside}" is not a currency: use three letters (ISO 4217), like USD.`,
    );
  if (said !== null && mapping.currency !== undefined && said !== mapping.currency)
    problems.add(
      row,
      columnNameOf(row, index),
      `The heading says ${said}, but ${mapping.currency} was given for all amounts.`,
    );
  return said;
}

/** Reads the header of an export; missing columns are listed in `problems`. */
export function readSpendHeader(row: FileRow, mapping: SpendMapping, problems: Problems): SpendHeader {
  const columns = mappedColumns(row.cells, mapping);
  const byHand = new Set(columns.keys());
  const taken = new Set(columns.values());
  const columnOf = columnNames(row.cells);
  row.cells.forEach((cell, index) => {
    const column = taken.has(index) ? null : columnOf(cell);
    if (column === null || byHand.has(column)) return;
    // An export may have a count twice, such as for two ways of attribution: the first one is read.
    if (columns.has(column) && META_COUNTS.some((count) => count === column)) return;
    if (columns.has(column))
      problems.add(row, columnNameOf(row, index), `The header names ${SPEND_COLUMN_NAMES[column]} twice.`);
    else columns.set(column, index);
  });
  const lacks = (what: string): void => {
    problems.add(row, null, `The header lacks ${what}.`);
  };
  const { ad_name, amount, currency: currencyName, day, first_day, last_day } = SPEND_COLUMN_NAMES;
  const index = columns.get('amount');
  if (index === undefined) {
    if (!columns.has('ad_name') && !columns.has('campaign_name') && !columns.has('adset_name'))
      lacks(`${amount} or ${ad_name}: there is nothing to import`);
    return { ...row, columns, currency: null };
  }
  if (mapping.currency !== undefined && currencyOf(mapping.currency) !== mapping.currency)
    problems.add(null, null, `"${mapping.currency}" is not a currency: use three letters (ISO 4217), like USD.`);
  const said = currencyInHeading(row, index, mapping, problems);
  if (!columns.has('day') && !(columns.has('first_day') && columns.has('last_day')))
    lacks(`${first_day} and ${last_day} (or ${day}): export with the days of each row`);
  const currency = said ?? mapping.currency ?? null;
  if (currency === null && !columns.has('currency') && problems.isEmpty)
    lacks(`the currency: a heading like "${amount} (USD)", or a column ${currencyName}`);
  return { ...row, columns, currency };
}
