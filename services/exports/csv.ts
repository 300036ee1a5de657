import { stringify } from 'csv-stringify/sync';

const NUMBER = /^[+-]?\d+(\.\d+)?$/;
const FORMULA = /^[=+\-@\t\r]/;

/** contract.md 3: a cell that a spreadsheet would run as a formula is prefixed with an apostrophe. */
export function guarded(cell: string): string {
  return FORMULA.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell;
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return guarded(String(value));
  throw new TypeError(`A ${typeof value} cannot be a CSV cell.`);
}

/** Rows as CSV text: RFC 4180 quoting, `\n` after every row. */
export function csvText(rows: readonly (readonly unknown[])[]): string {
  return stringify(
    rows.map((row) => row.map(cellText)),
    { record_delimiter: '\n', quoted_match: /\r/ },
  );
}
