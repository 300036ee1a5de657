import { isUtf8 } from 'node:buffer';
import { MAX_CSV_FILE_BYTES, type BrokenCsvFile, type FileProblem } from '@ctwa-ledger/schemas/csv-file.ts';
import { CsvError, parse } from 'csv-parse/sync';

const MAX_ROWS = 100_000;
const MAX_ROW_CHARACTERS = 100_000;
const MAX_PROBLEMS = 20;
/** What the ledger keeps of an amount or a rate: Decimal(18, 8). */
export const MAX_INTEGER_DIGITS = 10;
export const MAX_DECIMALS = 8;

/** What is wrong with a file: the first problems in full, the others counted. */
export class Problems {
  readonly #listed: FileProblem[] = [];
  #more = 0;

  add(line: number | null, column: string | null, message: string): void {
    if (this.#listed.length < MAX_PROBLEMS) this.#listed.push({ line, column, message });
    else this.#more++;
  }

  get isEmpty(): boolean {
    return this.#listed.length === 0;
  }

  result(): BrokenCsvFile {
    return { ok: false, problems: this.#listed, more: this.#more };
  }
}

/** One row of a file. */
export interface CsvRow {
  /** The line on which the row begins, counted from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** Headings and other fixed words: letter case, white space, line breaks, `-` and `_` do not matter. */
export function plain(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

export function singleSpaced(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}

/** Number and heading of a column. */
export function placeOf(header: CsvRow, index: number): string {
  const heading = singleSpaced(header.cells[index] ?? '');
  return heading === '' ? `${index + 1}` : `${index + 1} (${heading})`;
}

/** Other ways to print a currency that can mean only one. */
const CURRENCY_SIGNS: ReadonlyMap<string, string> = new Map([
  ['$US', 'USD'],
  ['US$', 'USD'],
  ['$AU', 'AUD'],
  ['AU$', 'AUD'],
  ['A$', 'AUD'],
  ['R$', 'BRL'],
  ['€', 'EUR'],
  ['£', 'GBP'],
  ['₹', 'INR'],
  ['$MX', 'MXN'],
  ['MX$', 'MXN'],
]);
const CURRENCIES = new Set(Intl.supportedValuesOf('currency'));

/** The currency that a cell names, ISO 4217; null when it names none. */
export function currencyOf(text: string): string | null {
  const sign = text.toUpperCase().replace(/\s/g, '');
  const currency = CURRENCY_SIGNS.get(sign) ?? sign;
  return CURRENCIES.has(currency) ? currency : null;
}

/** A plain decimal without needless zeros, or why a text is none that can be kept without loss. */
export function plainDecimal(text: string): { readonly text: string } | 'not_plain' | 'too_long' {
  const [, digits, fraction = ''] = /^(\d{1,100})(?:\.(\d{1,100}))?$/.exec(text) ?? [];
  if (digits === undefined) return 'not_plain';
  const integer = digits.replace(/^0+(?=\d)/, '');
  const decimals = fraction.replace(/0+$/, '');
  if (integer.length > MAX_INTEGER_DIGITS || decimals.length > MAX_DECIMALS) return 'too_long';
  return { text: decimals === '' ? integer : `${integer}.${decimals}` };
}

const SIGNATURES: readonly (readonly [bytes: readonly number[], what: string])[] = [
  [[0x50, 0x4b], 'is an Excel workbook or another ZIP archive, not CSV: open it and export it as CSV'],
  [[0xd0, 0xcf, 0x11, 0xe0], 'is an old Excel workbook, not CSV: open it and export it as CSV'],
  [[0x25, 0x50, 0x44, 0x46], 'is a PDF, not CSV: get the same as CSV'],
  [[0x1f, 0x8b], 'is compressed: unpack it first'],
  [[0xff, 0xfe], 'is not UTF-8 but UTF-16: export it as "CSV UTF-8"'],
  [[0xfe, 0xff], 'is not UTF-8 but UTF-16: export it as "CSV UTF-8"'],
];

/** What keeps bytes from being text of a CSV file; null when nothing does. */
function whyNotText(bytes: Uint8Array, kind: string): string | null {
  if (bytes.length > MAX_CSV_FILE_BYTES)
    return `is larger than ${MAX_CSV_FILE_BYTES / 1024 / 1024} MB: it is hardly a ${kind}`;
  for (const [signature, what] of SIGNATURES) if (signature.every((byte, index) => bytes[index] === byte)) return what;
  if (bytes.includes(0)) return 'is binary, not CSV: export it as CSV';
  if (!isUtf8(bytes)) return 'is not UTF-8: export it as "CSV UTF-8"';
  return null;
}

/** Splits text into rows and keeps where each begins; null when the quotation marks do not match. */
function splitRows(text: string, problems: Problems): CsvRow[] | null {
  try {
    const records = parse(text, {
      bom: true,
      info: true,
      max_record_size: MAX_ROW_CHARACTERS,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      // A preamble is prose, where a quotation mark in the middle means nothing.
      relax_quotes: true,
      to: MAX_ROWS + 1,
    }) as unknown as { info: { lines: number }; record: string[] }[];
    let line = 1;
    return records.map(({ info, record }) => {
      const row = { line, cells: record };
      line = info.lines + 1;
      return row;
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line: unknown = error['lines'];
    problems.add(typeof line === 'number' ? line : null, null, `The row is not CSV (${error.message}).`);
    return null;
  }
}

/**
 * The rows of a CSV file that somebody gives; null when it is none, with the reason among `problems`.
 * @param kind what the file is meant to be, for people: `rate file`
 */
export function readRows(bytes: Uint8Array, kind: string, problems: Problems): CsvRow[] | null {
  const reason = whyNotText(bytes, kind);
  const text = reason === null ? Buffer.from(bytes).toString('utf8') : '';
  if (reason !== null) problems.add(null, null, `The file ${reason}.`);
  else if (text.trim() === '') problems.add(null, null, 'The file is empty.');
  else if (/^\s*<(!doctype|html|\?xml)/i.test(text))
    problems.add(null, null, 'The file is a web page, not CSV: the link to it may have expired, download it anew.');
  if (!problems.isEmpty) return null;
  const rows = splitRows(text, problems);
  if (rows === null) return null;
  if (rows.length <= MAX_ROWS) return rows;
  problems.add(null, null, `The file has more than ${MAX_ROWS} rows: it is hardly a ${kind}.`);
  return null;
}
