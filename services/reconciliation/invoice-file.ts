import type { BrokenCsvFile } from '@ctwa-ledger/schemas/csv-file.ts';
import {
  INVOICE_COLUMNS,
  LINE_KINDS,
  NEEDED_INVOICE_COLUMNS,
  type InvoiceColumn,
  type InvoiceLine,
  type InvoiceMapping,
  type LineKind,
} from '@ctwa-ledger/schemas/invoices.ts';
import { wellFormedText } from '@ctwa-ledger/schemas/json.ts';
import {
  currencyOf,
  decimalMarkOf,
  MAX_DECIMALS,
  MAX_INTEGER_DIGITS,
  plainDecimal,
  withPoint,
  type DecimalMark,
} from '../imports/amounts.ts';
import {
  isBlank,
  MAX_ROWS_TO_HEADER,
  columnNameOf,
  plain,
  Problems,
  singleSpaced,
  widestRow,
  type FileRow,
  type Sheet,
} from '../imports/rows.ts';
import { isJson, readJsonTable } from './json-table.ts';
import { PARTNER_BILLS, partnerSheet } from './partner-bills.ts';
import { readSheets } from '../imports/sheets.ts';

/** All lines of an invoice, or everything that is wrong with it. An invoice is never read in part. */
export type ParsedInvoice = { readonly ok: true; readonly lines: readonly InvoiceLine[] } | BrokenCsvFile;

const SAID = 60;
const MAX_NAME_CHARACTERS = 200;

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** A month in the spellings of invoices, as `YYYY-MM`; null when it is none. A day stands for its month. */
function readMonth(text: string): string | null {
  const [, year, month] = /^(20\d{2})[-/.]?(\d{2})(?:[-/.]\d{2})?$/.exec(text) ?? [];
  const [, after, before] = /^(\d{1,2})[-/.](20\d{2})$/.exec(text) ?? [];
  const [, name, named] = /^([a-z]{3})[a-z]*\.?[\s-]+(20\d{2})$/i.exec(text) ?? [];
  const number = month ?? after ?? String(MONTHS.indexOf(name?.toLowerCase() ?? '') + 1);
  const of = year ?? before ?? named;
  const isMonth = Number(number) >= 1 && Number(number) <= 12;
  return of === undefined || !isMonth ? null : `${of}-${number.padStart(2, '0')}`;
}

/** Other words for the kinds of lines, without signs and spaces. */
const KIND_WORDS: Readonly<Record<LineKind, readonly string[]>> = {
  charge: ['charges', 'usage', 'message', 'messages'],
  tax: ['taxes', 'vat', 'gst', 'iva'],
  fee: ['fees', 'markup', 'commission', 'purchase'],
  credit: ['credits', 'creditmemo'],
  rounding: ['roundings'],
  adjustment: ['adjustments', 'debitmemo'],
  refund: ['refunds'],
};
const KINDS = new Map(LINE_KINDS.flatMap((kind) => [kind, ...KIND_WORDS[kind]].map((word) => [word, kind] as const)));

/** An amount without its sign and currency, which are in the other fields. */
interface Written {
  readonly size: string;
  readonly isNegative: boolean;
  /** The text before or after the number. */
  readonly beside: string;
}

function writtenAmount(text: string): Written {
  const [, open = '', number = '', close = ''] = /^([^\d.,]*)([\d.,'’\s]*)(.*)$/su.exec(text) ?? [];
  const around = `${open}${close}`;
  return {
    size: number.trim(),
    isNegative: /[-−]/.test(around) || (open.includes('(') && close.includes(')')),
    beside: around.replace(/[-−()+\s]/g, ''),
  };
}

const VOLUME = /^(?:\d{1,15}|\d{1,3}(?:([.,'’\s])\d{3})(?:\1\d{3})*)$/u;

/** One line under the header of an invoice. What cannot be read is added to the problems of the file. */
class InvoiceRow {
  readonly row: FileRow;
  readonly #header: FileRow;
  readonly #columns: ReadonlyMap<InvoiceColumn, number>;
  readonly #problems: Problems;

  constructor(row: FileRow, header: FileRow, columns: ReadonlyMap<InvoiceColumn, number>, problems: Problems) {
    this.row = row;
    this.#header = header;
    this.#columns = columns;
    this.#problems = problems;
  }

  text(column: InvoiceColumn): string {
    const index = this.#columns.get(column);
    return index === undefined ? '' : singleSpaced(this.row.cells[index] ?? '');
  }

  problem(column: InvoiceColumn, message: string): null {
    this.#problems.add(this.row, columnNameOf(this.#header, this.#columns.get(column) ?? 0), message);
    return null;
  }

  /** The absolute amount as printed, if it is ambiguous; else null. */
  get printedSize(): string | null {
    return this.row.numbers.has(this.#columns.get('amount') ?? -1) ? null : writtenAmount(this.text('amount')).size;
  }

  #amount(mark: DecimalMark): string | null {
    const text = this.text('amount');
    const { size, isNegative, beside } = writtenAmount(text);
    const isNamed = beside === '' || currencyOf(beside) !== null;
    const number = this.printedSize === null ? size : withPoint(size, mark);
    const decimal = number === null || !isNamed ? 'not_plain' : plainDecimal(number);
    if (decimal === 'too_long')
      return this.problem(
        'amount',
        `"${text.slice(0, SAID)}" has more than ${MAX_INTEGER_DIGITS} digits before or ${MAX_DECIMALS} after the point.`,
      );
    if (decimal === 'not_plain')
      return this.problem('amount', `"${text.slice(0, SAID)}" is not an amount with a decimal "${mark}".`);
    return isNegative && decimal.text !== '0' ? `-${decimal.text}` : decimal.text;
  }

  #currency(given: string | undefined): string | null {
    const beside = currencyOf(writtenAmount(this.text('amount')).beside);
    const said = this.text('currency') === '' ? beside : currencyOf(this.text('currency'));
    if (this.text('currency') !== '' && said === null)
      return this.problem(
        'currency',
        `"${this.text('currency').slice(0, SAID)}" is not a currency: use ISO 4217, like USD.`,
      );
    if (said !== null && given !== undefined && said !== given)
      return this.problem('amount', `The line is in ${said}, but the mapping says ${given} for all amounts.`);
    return said ?? given ?? this.problem('amount', 'The currency is not known: map a column, or give --currency.');
  }

  #kind(): LineKind | null {
    const text = this.text('kind');
    const kind = text === '' ? 'charge' : KINDS.get(plain(text));
    return kind ?? this.problem('kind', `"${text.slice(0, SAID)}" must be one of ${LINE_KINDS.join(', ')}.`);
  }

  #volume(): string | null | undefined {
    const text = this.text('volume');
    if (text === '') return null;
    if (VOLUME.test(text)) return BigInt(text.replace(/\D/g, '')).toString();
    this.problem('volume', `"${text.slice(0, SAID)}" is not a number of messages.`);
    return undefined;
  }

  #month(): string | null {
    const text = this.text('month');
    return (
      readMonth(text) ??
      this.problem(
        'month',
        `"${text.slice(0, SAID)}" is not a month: write YYYY-MM, and leave out rows that sum up others.`,
      )
    );
  }

  read(mapping: InvoiceMapping, mark: DecimalMark): InvoiceLine | null {
    const [month, kind, volume] = [this.#month(), this.#kind(), this.#volume()];
    const [amount, currency] = [this.#amount(mark), this.#currency(mapping.currency)];
    if (month === null || kind === null || volume === undefined || amount === null || currency === null) return null;
    const name = (column: InvoiceColumn): string => wellFormedText(this.text(column).slice(0, MAX_NAME_CHARACTERS));
    const { sheet, line } = this.row;
    const [market, category] = [name('market'), name('category')];
    return { sheet: sheet ?? '', line, month, market, category, kind, volume, amount, currency };
  }
}

/** The position of each mapped heading in a row; null when one is missing. */
function columnsIn(cells: readonly string[], mapping: InvoiceMapping): ReadonlyMap<InvoiceColumn, number> | null {
  const columns = new Map<InvoiceColumn, number>();
  for (const column of INVOICE_COLUMNS) {
    const heading = mapping.columns[column];
    if (heading === undefined) continue;
    const index = cells.findIndex((cell) => plain(cell) === plain(heading));
    if (index === -1) return null;
    columns.set(column, index);
  }
  return columns;
}

function readSheet(sheet: Sheet, mapping: InvoiceMapping, problems: Problems): InvoiceLine[] | null {
  const header = sheet.rows.slice(0, MAX_ROWS_TO_HEADER).find(({ cells }) => columnsIn(cells, mapping) !== null);
  const columns = header === undefined ? null : columnsIn(header.cells, mapping);
  if (header === undefined || columns === null) return null;
  const rows = sheet.rows
    .filter((row) => row.line > header.line && !isBlank(row))
    .map((row) => new InvoiceRow(row, header, columns, problems));
  if (rows.length === 0) problems.add(header, null, 'There are no lines under the header.');
  const told = mapping.decimal_mark ?? decimalMarkOf(rows.flatMap((row) => row.printedSize ?? []));
  if (typeof told === 'object') {
    rows
      .find((row) => row.printedSize === told.unclear)
      ?.problem(
        'amount',
        `"${told.unclear}" can be two different amounts, and no other one of the column tells which. Keep the mapping with --decimal point or --decimal comma.`,
      );
    return [];
  }
  return rows.flatMap((row) => row.read(mapping, told) ?? []);
}

function headingsOf(row: FileRow | undefined): string[] {
  return (row?.cells ?? []).map(singleSpaced).filter((heading) => heading !== '');
}

/** The headings of an invoice whose columns nobody has named yet; empty when the file cannot be read. */
export async function invoiceHeadings(bytes: Uint8Array): Promise<string[]> {
  const sheets = await sheetsOf(bytes, () => false, new Problems());
  return headingsOf((sheets ?? []).flatMap(({ rows }) => widestRow(rows) ?? [])[0]);
}

function noHeader(sheets: readonly Sheet[], mapping: InvoiceMapping, problems: Problems): BrokenCsvFile {
  const row = sheets.flatMap(({ rows }) => widestRow(rows) ?? [])[0];
  const headings = headingsOf(row);
  const wanted = Object.values(mapping.columns).map((heading) => `"${heading}"`);
  problems.add(
    row ?? null,
    null,
    `There is no header with ${wanted.join(', ')}. The columns found are: ${headings.map((heading) => `"${heading.slice(0, SAID)}"`).join(', ')}.`,
  );
  return problems.result(headings);
}

/** The sheets of an invoice: of a workbook or a CSV file, or the table in an answer of an API. */
async function sheetsOf(
  bytes: Uint8Array,
  isHeader: (cells: readonly string[]) => boolean,
  problems: Problems,
): Promise<readonly Sheet[] | null> {
  if (!isJson(bytes)) return readSheets(bytes, 'invoice', isHeader, problems);
  const table = readJsonTable(bytes, problems);
  return table === null ? null : [table];
}

function readLines(sheets: readonly Sheet[], mapping: InvoiceMapping, problems: Problems): ParsedInvoice {
  const read = sheets.flatMap((sheet) => readSheet(sheet, mapping, problems) ?? []);
  if (!problems.isEmpty) return problems.result();
  return read.length === 0 ? noHeader(sheets, mapping, problems) : { ok: true, lines: read };
}

/**
 * Reads an invoice, CSV, a workbook or an answer of an API, by the columns of a mapping; or everything that is wrong
 * with it. Amounts are never JavaScript numbers.
 */
export async function parseInvoice(bytes: Uint8Array, mapping: InvoiceMapping): Promise<ParsedInvoice> {
  const problems = new Problems();
  const sheets = await sheetsOf(bytes, (cells) => columnsIn(cells, mapping) !== null, problems);
  if (sheets === null) return problems.result();
  for (const column of NEEDED_INVOICE_COLUMNS)
    if (mapping.columns[column] === undefined)
      problems.add(null, null, `The mapping does not say which column is the ${column}.`);
  return problems.isEmpty ? readLines(sheets, mapping, problems) : problems.result();
}

/** Reads the bill of a partner by the mapping that comes with the product. @param partner its name in `PARTNER_BILLS` */
export async function parsePartnerBill(bytes: Uint8Array, partner: string): Promise<ParsedInvoice> {
  const problems = new Problems();
  const bill = PARTNER_BILLS[partner];
  const [sheet] = (await sheetsOf(bytes, () => true, problems)) ?? [];
  const read = sheet === undefined || bill === undefined ? null : partnerSheet(sheet, bill, problems);
  return read === null || !problems.isEmpty ? problems.result() : readLines([read.sheet], read.mapping, problems);
}
