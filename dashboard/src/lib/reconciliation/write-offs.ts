import { valueIn, type AddressParameters } from '@ctwa-ledger/schemas/address-parameters.ts';
import { EXPLANATION_CODES, rowKeyOf, type DifferingRow, type ExplanationCode } from '@ctwa-ledger/schemas/meta.ts';
import type { StatementOfMonth, WriteOffRow } from '@ctwa-ledger/schemas/write-offs.ts';

import { actionSearch, type FilterState } from '../filters/filters.ts';

/** The texts that were typed to write something off, so that they need not be typed again. */
export interface WriteOffTexts {
  readonly reason: string;
  readonly note: string;
  readonly by: string;
}

export const NOTHING_WRITTEN: WriteOffTexts = { reason: 'immaterial', note: '', by: '' };

/** What was typed to undo a write-off, and what was wrong with it. */
export interface UndoProblem {
  readonly message: string;
  readonly write_off_id: string;
  readonly texts: Omit<WriteOffTexts, 'reason'>;
}

/** Rows that a person is about to write off. */
export interface Writing {
  /** The case; null when the rows were chosen one by one. */
  readonly explanation: ExplanationCode | null;
  /** Keys of the rows; of a case none, because all of its rows are meant. */
  readonly keys: readonly string[];
  readonly rows: readonly DifferingRow[];
}

/** What the address asks to write off: `write_off` names a case, or says that `row` names the rows. Null: nothing. */
export function writingOf(params: URLSearchParams, rows: readonly DifferingRow[]): Writing | null {
  const asked = valueIn(params, 'write_off');
  if (asked === null) return null;
  const code = EXPLANATION_CODES.find((one) => one === asked);
  if (code !== undefined)
    return { explanation: code, keys: [], rows: rows.filter(({ explanation }) => explanation === code) };
  const chosen = new Set(params.getAll('row'));
  const found = rows.filter((row) => chosen.has(rowKeyOf(row)));
  return { explanation: null, keys: found.map(rowKeyOf), rows: found };
}

/** The end of the address to which they are written off. The page then shows the same rows again, if it is refused. */
export function writingSearch(
  { explanation, keys }: Writing,
  of: { readonly waba_id: string; readonly month: string },
  filters: FilterState,
): string {
  const asked: AddressParameters = { month: of.month, account: of.waba_id, write_off: explanation ?? 'rows' };
  const own = new URLSearchParams(asked);
  for (const key of keys) own.append('row', key);
  return `${actionSearch('write_off', filters)}&${own.toString()}`;
}

/** Sum of plain decimals of one currency, without a JavaScript number. */
function sumOf(decimals: readonly string[]): string {
  const places = Math.max(0, ...decimals.map((one) => one.split('.')[1]?.length ?? 0));
  const total = decimals.reduce((sum, one) => {
    const [whole = '0', fraction = ''] = one.split('.');
    return sum + BigInt(whole + fraction.padEnd(places, '0'));
  }, 0n);
  const digits = total.toString().padStart(places + 1, '0');
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

const sizeOf = (text: string): string => text.replace('-', '');

/** Sizes of the differences of rows, row by row. `amount` is null when none is known. */
export function sizesOf(rows: readonly DifferingRow[]): {
  readonly volume: string;
  readonly amount: string | null;
  readonly unknown: number;
} {
  const known = rows.flatMap(({ cost_difference }) => (cost_difference === null ? [] : [sizeOf(cost_difference)]));
  return {
    volume: sumOf(rows.map(({ volume_difference }) => sizeOf(volume_difference))),
    amount: known.length === 0 ? null : sumOf(known),
    unknown: rows.length - known.length,
  };
}

/** Sizes of what is written off in the month. */
export function writtenSizes({ write_offs }: Pick<StatementOfMonth, 'write_offs'>): {
  readonly volume: string;
  readonly amount: string;
} {
  const held = write_offs.filter(({ state }: WriteOffRow) => state === 'in_force');
  return {
    volume: sumOf(held.map(({ gross_volume_difference }) => gross_volume_difference)),
    amount: sumOf(held.map(({ gross_cost_difference }) => gross_cost_difference ?? '0')),
  };
}
