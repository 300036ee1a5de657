import { wellFormedText } from '@ctwa-ledger/schemas/json.ts';
import {
  META_COUNTS,
  SPEND_COLUMN_NAMES,
  type MetaCount,
  type MetaCounts,
  type SpendColumn,
} from '@ctwa-ledger/schemas/spend.ts';
import { DateTime } from 'luxon';
import {
  currencyOf,
  MAX_DECIMALS,
  MAX_INTEGER_DIGITS,
  plainDecimal,
  withPoint,
  type DecimalMark,
} from '../imports/amounts.ts';
import { readDay, type DayOrder } from '../imports/days.ts';
import { columnNameOf, singleSpaced, type FileRow, type Problems } from '../imports/rows.ts';
import { isAll } from './headings.ts';
import type { SpendHeader } from './spend-header.ts';
import { FIRST_DAY_OF_EVENTS, LAST_GIVEN_DAY } from '@ctwa-ledger/schemas/time-limits.ts';

/** Ids of ads are digits. */
const AD_ID = /^\d{1,30}$/;
const MAX_NAME_CHARACTERS = 500;
/** Limit for the days of one amount: a longer span is a mistake in a year. */
const MAX_DAYS = 3_660;
const SAID = 60;
/** A whole number with separators of thousands. */
const WITH_THOUSANDS = /^\d{1,3}([.,'’\s]\d{3})+$/u;

/** How a file writes what is ambiguous by itself. */
export interface Writing {
  readonly day_order: DayOrder;
  readonly decimal_mark: DecimalMark;
}

/** One row under the header of an export, cell by cell. What cannot be read is added to the problems of the file. */
export class SpendRow {
  readonly row: FileRow;
  readonly #header: SpendHeader;
  readonly #problems: Problems;

  constructor(row: FileRow, header: SpendHeader, problems: Problems) {
    this.row = row;
    this.#header = header;
    this.#problems = problems;
  }

  /** The text of a cell; empty when there is none. */
  text(column: SpendColumn): string {
    const index = this.#header.columns.get(column);
    return index === undefined ? '' : (this.row.cells[index]?.trim() ?? '');
  }

  problem(column: SpendColumn, message: string): null {
    this.#problems.add(this.row, columnNameOf(this.#header, this.#header.columns.get(column) ?? 0), message);
    return null;
  }

  /** Whether the row is a sum over this column: it is empty, or has the word for "all". */
  sumsUp(column: SpendColumn): boolean {
    const text = this.text(column);
    return text === '' || isAll(text);
  }

  /** The id as text, whether or not it is valid. */
  get idText(): string {
    return this.text('ad_id').replace(/^(ag|ad):/i, '');
  }

  /** Whether a spreadsheet program has turned the id into a number and so changed it. */
  get isIdRounded(): boolean {
    return /^\d+([.,]\d+)?e\+?\d+$/i.test(this.idText);
  }

  adId(): string | null {
    const text = this.idText;
    if (AD_ID.test(text)) return text;
    return this.problem('ad_id', `"${text.slice(0, SAID)}" is not the id of an ad: it has digits only.`);
  }

  name(column: 'ad_name' | 'adset_name' | 'campaign_name'): string {
    // A cut may fall into the middle of a character, and half a character cannot be stored.
    return wellFormedText(singleSpaced(this.text(column)).slice(0, MAX_NAME_CHARACTERS));
  }

  /** @param isByDay whether the file is broken down by day, which repeats the whole span as reporting starts and ends */
  days(isByDay: boolean, { day_order }: Writing): { readonly first_day: string; readonly last_day: string } | null {
    const [first, last] = isByDay ? (['day', 'day'] as const) : (['first_day', 'last_day'] as const);
    const [first_day, last_day] = [readDay(this.text(first), day_order), readDay(this.text(last), day_order)];
    const isMeant = (day: string | null): day is string =>
      day !== null && day >= FIRST_DAY_OF_EVENTS && day <= LAST_GIVEN_DAY;
    if (!isMeant(first_day)) return this.#notADay(first);
    if (!isMeant(last_day)) return this.#notADay(last);
    if (first_day > last_day) return this.problem(last, `It ends (${last_day}) before it begins (${first_day}).`);
    const days = DateTime.fromISO(last_day).diff(DateTime.fromISO(first_day), 'days').days;
    if (days > MAX_DAYS) return this.problem(last, `${first_day} to ${last_day} are more than ten years.`);
    return { first_day, last_day };
  }

  #notADay(column: SpendColumn): null {
    return this.problem(column, `"${this.text(column).slice(0, SAID)}" is not a date; write YYYY-MM-DD.`);
  }

  currency(): string | null {
    if (this.#header.currency !== null) return this.#header.currency;
    const text = this.text('currency');
    return (
      currencyOf(text) ??
      this.problem('currency', `"${text.slice(0, SAID)}" is not a currency: use three letters (ISO 4217), like USD.`)
    );
  }

  /** The amount as the file writes it if it is ambiguous; else null. */
  get writtenAmount(): string | null {
    const index = this.#header.columns.get('amount');
    return index === undefined || this.row.numbers.has(index) ? null : this.text('amount');
  }

  /** A plain decimal; null when it cannot be read. An empty cell means that the ad was not shown: 0. */
  amount({ decimal_mark }: Writing): string | null {
    const text = this.text('amount');
    if (text === '') return '0';
    const written = this.writtenAmount;
    const decimal = plainDecimal(written === null ? text : (withPoint(written, decimal_mark) ?? written));
    if (decimal === 'too_long')
      return this.problem(
        'amount',
        `"${text.slice(0, SAID)}" has more than ${MAX_INTEGER_DIGITS} digits before or ${MAX_DECIMALS} after the point, and none may be lost.`,
      );
    if (decimal === 'not_plain' || (written !== null && withPoint(written, decimal_mark) === null))
      return this.problem(
        'amount',
        `"${text.slice(0, SAID)}" is not an amount${decimal_mark === ',' ? ' with a decimal comma, as the others of the column have it' : ''}: write a plain decimal like 1234.50, without sign or currency.`,
      );
    return decimal.text;
  }

  /**
   * What Meta counts; null when a cell cannot be read. An empty cell means none: Ads Manager leaves out what did not
   * happen. A column that the file lacks is not known.
   */
  counts(): MetaCounts | null {
    const read = META_COUNTS.map((column) => [column, this.#count(column)] as const);
    if (read.some(([, count]) => count === undefined)) return null;
    return Object.fromEntries(read) as MetaCounts;
  }

  /** A whole number as text; null = the file has no such column; undefined = it cannot be read. */
  #count(column: MetaCount): string | null | undefined {
    if (!this.#header.columns.has(column)) return null;
    const text = this.text(column);
    if (text === '') return '0';
    const digits = WITH_THOUSANDS.test(text) ? text.replaceAll(/\D/g, '') : text.replace(/[.,]0+$/, '');
    if (/^\d{1,15}$/.test(digits)) return digits.replace(/^0+(?=\d)/, '');
    this.problem(column, `"${text.slice(0, SAID)}" is not a whole number.`);
    return undefined;
  }

  /** The file's heading of a column. */
  heading(column: SpendColumn): string {
    const index = this.#header.columns.get(column);
    return index === undefined ? SPEND_COLUMN_NAMES[column] : singleSpaced(this.#header.cells[index] ?? '');
  }
}
