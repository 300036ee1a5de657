import type { BrokenCsvFile } from '@ctwa-ledger/schemas/csv-file.ts';
import type { AdLabel, AdSpend, SpendFile } from '@ctwa-ledger/schemas/spend.ts';
import { DateTime } from 'luxon';
import {
  currencyOf,
  MAX_DECIMALS,
  MAX_INTEGER_DIGITS,
  placeOf,
  plain,
  plainDecimal,
  Problems,
  readRows,
  singleSpaced,
  type CsvRow,
} from '../files/csv-file.ts';
import { scaled, unscaled } from './decimals.ts';

/** Either all of a file, or why none of it. */
export type ParsedSpendFile = ({ readonly ok: true } & SpendFile) | BrokenCsvFile;

/** Columns of an export from Meta's Ads Manager, and what the same are called in its API. */
const HEADINGS = {
  ad_id: ['Ad ID', 'ad_id'],
  ad_name: ['Ad name', 'ad_name'],
  adset_name: ['Ad set name', 'adset_name'],
  campaign_name: ['Campaign name', 'campaign_name'],
  day: ['Day', 'Date'],
  first_day: ['Reporting starts', 'date_start'],
  last_day: ['Reporting ends', 'date_stop'],
  amount: ['Amount spent', 'spend'],
  currency: ['Currency', 'account_currency'],
} as const;
type Column = keyof typeof HEADINGS;

const COLUMN_OF: ReadonlyMap<string, Column> = new Map(
  Object.entries(HEADINGS).flatMap(([column, names]) => names.map((name) => [plain(name), column as Column])),
);
const heading = (column: Column): string => HEADINGS[column][0];

/** `Amount spent (BRL)`: the heading says the currency. */
const AMOUNT_IN = /^\s*(?:amount\s+spent|spend)\s*\(\s*([^)]+?)\s*\)\s*$/i;

/** Ids of ads are digits. */
const AD_ID = /^\d{1,30}$/;
const MAX_NAME_CHARACTERS = 500;
/** Days of one amount: a longer span is a mistake in a year. */
const MAX_DAYS = 3_660;

interface Header extends CsvRow {
  readonly columns: ReadonlyMap<Column, number>;
  /** Of the heading; null: the file has a column for it, or no amounts. */
  readonly currency: string | null;
}

function readHeader(row: CsvRow, problems: Problems): Header | null {
  const columns = new Map<Column, number>();
  let currency: string | null = null;
  row.cells.forEach((cell, index) => {
    const [, inside] = AMOUNT_IN.exec(cell) ?? [];
    const column = inside === undefined ? COLUMN_OF.get(plain(cell)) : 'amount';
    if (column === undefined) return;
    if (columns.has(column)) {
      problems.add(row.line, placeOf(row, index), `The header names ${heading(column)} twice.`);
      return;
    }
    columns.set(column, index);
    if (inside === undefined) return;
    currency = currencyOf(inside);
    if (currency === null)
      problems.add(
        row.line,
        placeOf(row, index),
        `"${inside}" is not a currency: use three letters (ISO 4217), like USD.`,
      );
  });
  if (!columns.has('ad_id')) return null;
  const lacks = (what: string): void => {
    problems.add(row.line, null, `The header lacks ${what}.`);
  };
  if (columns.has('amount')) {
    if (!columns.has('day') && !(columns.has('first_day') && columns.has('last_day')))
      lacks(
        `${heading('first_day')} and ${heading('last_day')} (or ${heading('day')}): export with the days of each row`,
      );
    if (currency === null && !columns.has('currency') && problems.isEmpty)
      lacks(`the currency: a heading like "Amount spent (USD)", or a column ${heading('currency')}`);
  } else if (!columns.has('ad_name') && !columns.has('campaign_name') && !columns.has('adset_name'))
    lacks(`${heading('amount')} or ${heading('ad_name')}: there is nothing to import`);
  return { ...row, columns, currency };
}

function isDay(text: string): boolean {
  return (
    /^\d{4}-\d{2}-\d{2}$/.test(text) && text >= '2015-01-01' && text < '2100-01-01' && DateTime.fromISO(text).isValid
  );
}

/** One row under the header, cell by cell. */
class DataRow {
  readonly line: number;
  readonly #cells: readonly string[];
  readonly #header: Header;
  readonly #problems: Problems;

  constructor(row: CsvRow, header: Header, problems: Problems) {
    this.line = row.line;
    this.#cells = row.cells;
    this.#header = header;
    this.#problems = problems;
  }

  /** The text of a cell; empty where there is none. */
  text(column: Column): string {
    const index = this.#header.columns.get(column);
    return index === undefined ? '' : (this.#cells[index]?.trim() ?? '');
  }

  problem(column: Column, message: string): null {
    this.#problems.add(this.line, placeOf(this.#header, this.#header.columns.get(column) ?? 0), message);
    return null;
  }

  /** An id that a spreadsheet has made a number of is not the id any more. */
  adId(): string | null {
    const text = this.text('ad_id').replace(/^(ag|ad):/i, '');
    if (AD_ID.test(text)) return text;
    return this.problem(
      'ad_id',
      /^\d+(\.\d+)?e\+?\d+$/i.test(text)
        ? `"${text}" is what a spreadsheet makes of an id: export again, and do not save the file with a spreadsheet.`
        : `"${text.slice(0, 60)}" is not the id of an ad: it has digits only.`,
    );
  }

  name(column: 'ad_name' | 'adset_name' | 'campaign_name'): string {
    return singleSpaced(this.text(column)).slice(0, MAX_NAME_CHARACTERS);
  }

  days(): { readonly first_day: string; readonly last_day: string } | null {
    // A breakdown by day repeats the whole span as reporting starts and ends.
    const isByDay = this.text('day') !== '';
    const [first, last] = isByDay ? (['day', 'day'] as const) : (['first_day', 'last_day'] as const);
    const [first_day, last_day] = [this.text(first), this.text(last)];
    for (const [column, day] of [
      [first, first_day],
      [last, last_day],
    ] as const)
      if (!isDay(day)) return this.problem(column, `"${day.slice(0, 40)}" is not a date; write YYYY-MM-DD.`);
    if (first_day > last_day) return this.problem(last, `It ends (${last_day}) before it begins (${first_day}).`);
    const days = DateTime.fromISO(last_day).diff(DateTime.fromISO(first_day), 'days').days;
    if (days > MAX_DAYS) return this.problem(last, `${first_day} to ${last_day} are more than ten years.`);
    return { first_day, last_day };
  }

  currency(): string | null {
    if (this.#header.currency !== null) return this.#header.currency;
    const text = this.text('currency');
    return (
      currencyOf(text) ??
      this.problem('currency', `"${text.slice(0, 40)}" is not a currency: use three letters (ISO 4217), like USD.`)
    );
  }

  /** A plain decimal; null where it cannot be read. An empty cell is an ad that was not shown: 0. */
  amount(): string | null {
    const text = this.text('amount');
    if (text === '') return '0';
    const decimal = plainDecimal(text);
    if (decimal === 'not_plain')
      return this.problem(
        'amount',
        `"${text.slice(0, 60)}" is not an amount: write a plain decimal like 1234.50, without sign, currency or thousands separators.`,
      );
    if (decimal === 'too_long')
      return this.problem(
        'amount',
        `"${text.slice(0, 60)}" has more than ${MAX_INTEGER_DIGITS} digits before or ${MAX_DECIMALS} after the point, and none may be lost.`,
      );
    return decimal.text;
  }

  /** Summaries of an export name no ad. */
  get isOfNoAd(): boolean {
    return this.text('ad_id') === '';
  }
}

interface ReadSpend extends AdSpend {
  readonly row: DataRow;
}

/** Amounts of which each is for days of its own; those of the same ad and days are added up. */
function addedUp(spend: readonly ReadSpend[]): { readonly spend: ReadSpend[]; readonly added_up: number } {
  const bySpan = new Map<string, ReadSpend>();
  for (const one of spend) {
    const key = [one.ad_id, one.currency, one.first_day, one.last_day].join(' ');
    const known = bySpan.get(key);
    bySpan.set(
      key,
      known === undefined ? one : { ...known, amount: unscaled(scaled(known.amount) + scaled(one.amount)) },
    );
  }
  return { spend: [...bySpan.values()], added_up: spend.length - bySpan.size };
}

/** Days that overlap would be counted twice. */
function findOverlaps(spend: readonly ReadSpend[]): void {
  const byAd = new Map<string, ReadSpend[]>();
  for (const one of spend) {
    const key = `${one.ad_id} ${one.currency}`;
    byAd.set(key, [...(byAd.get(key) ?? []), one]);
  }
  for (const all of byAd.values()) {
    let furthest: ReadSpend | null = null;
    for (const one of all.toSorted((a, b) => (a.first_day < b.first_day ? -1 : 1))) {
      if (furthest !== null && one.first_day <= furthest.last_day)
        one.row.problem(
          'first_day',
          `The days overlap with those of line ${furthest.row.line}, so they would be counted twice: export by day.`,
        );
      if (furthest === null || one.last_day > furthest.last_day) furthest = one;
    }
  }
}

/** Every ad's names, each by the last row that says it. */
function labelsOf(rows: readonly DataRow[]): AdLabel[] {
  const byAd = new Map<string, AdLabel>();
  for (const row of rows) {
    const ad_id = row.text('ad_id').replace(/^(ag|ad):/i, '');
    const known = byAd.get(ad_id) ?? { ad_id, ad_name: '', adset_name: '', campaign_name: '' };
    byAd.set(ad_id, {
      ad_id,
      ad_name: row.name('ad_name') || known.ad_name,
      adset_name: row.name('adset_name') || known.adset_name,
      campaign_name: row.name('campaign_name') || known.campaign_name,
    });
  }
  return [...byAd.values()].filter((label) => label.ad_name + label.adset_name + label.campaign_name !== '');
}

/** Whether some row, read with commas, is one cell with an Ad ID among semicolons. */
function isSeparatedBySemicolons(rows: readonly CsvRow[]): boolean {
  return rows.some(({ cells }) => (cells[0] ?? '').split(';').some((cell) => COLUMN_OF.get(plain(cell)) === 'ad_id'));
}

/**
 * Reads an export of ads from Meta's Ads Manager: amounts per ad and days, names, or both; or all that is wrong with it.
 * Rows that name no ad (sums that some exports carry) are passed over. Pure; no amount ever becomes a JavaScript number.
 */
export function parseSpendFile(bytes: Uint8Array): ParsedSpendFile {
  const problems = new Problems();
  const rows = readRows(bytes, 'export of ads', problems);
  if (rows === null) return problems.result();
  const candidates = rows.filter((row) => row.cells.some((cell) => COLUMN_OF.get(plain(cell)) === 'ad_id'));
  const header = candidates[0] === undefined ? null : readHeader(candidates[0], problems);
  if (header === null) {
    problems.add(
      null,
      null,
      isSeparatedBySemicolons(rows)
        ? 'Columns are separated by semicolons here, as some spreadsheets save them: export as CSV with commas from Ads Manager, and do not save it again.'
        : 'There is no header with a column Ad ID: in Ads Manager choose the columns Ad ID, Amount spent and the days, and export as CSV with commas.',
    );
    return problems.result();
  }
  if (!problems.isEmpty) return problems.result();
  const data = rows
    .filter((row) => row.line > header.line && row.cells.some((cell) => cell.trim() !== ''))
    .map((row) => new DataRow(row, header, problems))
    .filter((row) => !row.isOfNoAd);
  if (data.length === 0) problems.add(header.line, null, 'There are no rows of ads under the header.');
  const read: ReadSpend[] = [];
  for (const row of data) {
    const ad_id = row.adId();
    if (!header.columns.has('amount')) continue;
    const [days, currency, amount] = [row.days(), row.currency(), row.amount()];
    if (ad_id !== null && days !== null && currency !== null && amount !== null)
      read.push({ row, ad_id, ...days, currency, amount });
  }
  const { spend, added_up } = addedUp(read);
  findOverlaps(spend);
  if (!problems.isEmpty) return problems.result();
  return { ok: true, spend: spend.map(({ row: _, ...one }) => one), labels: labelsOf(data), added_up };
}
