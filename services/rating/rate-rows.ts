import { LAST_PLACE, TIERED_CATEGORIES, type TieredCategory } from '@ctwa-ledger/schemas/rate-file.ts';
import { currencyOf, MAX_DECIMALS, MAX_INTEGER_DIGITS, plainDecimal } from '../imports/amounts.ts';
import { columnNameOf, singleSpaced, type FileRow, type Problems } from '../imports/rows.ts';
import { tieredCategoryOf, type Column, type Header } from './rate-header.ts';

/** Texts of a cell without a rate: the category is not offered, or there is no such tier. */
const NOTHING = /^(?:n\/a|[-–—]+)?$/i;

/** One row under the header of a rate file, cell by cell. What cannot be read is added to the problems of the file. */
export class RateRow {
  readonly row: FileRow;
  readonly #header: Header;
  readonly #problems: Problems;

  constructor(row: FileRow, header: Header, problems: Problems) {
    this.row = row;
    this.#header = header;
    this.#problems = problems;
  }

  /** Cells beyond the last column come from a comma inside a number. */
  checkEnd(): void {
    const { length } = this.#header.cells;
    const beyond = this.row.cells.findIndex((cell, index) => index >= length && cell.trim() !== '');
    if (beyond !== -1)
      this.problem(
        beyond,
        `The row goes on after the last column of the header ("${this.row.cells[beyond] ?? ''}"): is there a comma inside a number?`,
      );
  }

  /** The position of a column; -1 when the file has no such column. */
  indexOf(column: Column): number {
    return this.#header.columns.get(column) ?? -1;
  }

  /** The text of a cell; empty when the file has no such column, null when the row ends before it. */
  text(index: number): string | null {
    return index === -1 ? '' : (this.row.cells[index]?.trim() ?? null);
  }

  isNothing(index: number): boolean {
    return NOTHING.test(this.text(index) ?? '');
  }

  problem(index: number, message: string): void {
    this.#problems.add(this.row, columnNameOf(this.#header, Math.max(index, 0)), message);
  }

  /** The market of the row, or in a block of rows the market of its first row. */
  market(ofBlock: string | null = null): string | null {
    const index = this.indexOf('market');
    const market = singleSpaced(this.text(index) ?? '') || (ofBlock ?? '');
    if (market !== '' && !market.includes('"')) return market;
    this.problem(index, market === '' ? 'The market is missing.' : `The quotation marks of ${market} do not match.`);
    return null;
  }

  currency(ofBlock: string | null = null): string | null {
    const index = this.indexOf('currency');
    const text = this.text(index) ?? '';
    const currency = text === '' && ofBlock !== null ? ofBlock : currencyOf(text);
    if (currency === null) this.problem(index, `"${text}" is not a currency: use three letters (ISO 4217), like USD.`);
    return currency;
  }

  /** A plain decimal without trailing zeros; null when nothing is offered, undefined when it cannot be read. */
  rate(index: number): string | null | undefined {
    const text = this.text(index);
    if (text === null) {
      this.problem(index, 'The row ends before this column.');
      return undefined;
    }
    if (/^(n\/a)?$/i.test(text)) return null;
    const decimal = plainDecimal(text);
    if (decimal === 'not_plain')
      this.problem(
        index,
        `"${text}" is not a rate: write a plain decimal like 0.0225, without sign, exponent, currency or thousands separators, or n/a.`,
      );
    if (decimal === 'too_long')
      this.problem(
        index,
        `"${text}" has more than ${MAX_INTEGER_DIGITS} digits before or ${MAX_DECIMALS} after the point, and none may be lost.`,
      );
    return typeof decimal === 'string' ? undefined : decimal.text;
  }

  category(): TieredCategory | null {
    const index = this.indexOf('message_type');
    const text = this.text(index) ?? '';
    const category = tieredCategoryOf(text);
    if (category === null) this.problem(index, `"${text}" has no tiers: only ${TIERED_CATEGORIES.join(', ')} have.`);
    return category;
  }

  /** The first message of a tier. Messages are counted from 1, but files have 0 for the first one. */
  from(index: number): bigint | null {
    const first = this.#bound(index, '');
    return first === 0n ? 1n : first;
  }

  /** The last message of a tier; an empty cell, a dash or MAX means that it has none. */
  to(index: number): bigint | null {
    return /^(?:max|[-–—]*)$/i.test(this.text(index) ?? '') ? BigInt(LAST_PLACE) : this.#bound(index, ', or MAX');
  }

  #bound(index: number, or: string): bigint | null {
    const text = this.text(index) ?? '';
    if (/^\d{1,18}$/.test(text)) return BigInt(text);
    if (/^\d{1,3}(?:[,\s]\d{3}){1,5}$/.test(text)) return BigInt(text.replace(/\D/g, ''));
    this.problem(index, `"${text}" is not a bound: write a whole number${or}.`);
    return null;
  }
}
