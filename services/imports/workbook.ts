import { zipSync } from 'fflate';
import type { Problems } from './rows.ts';
import { MAX_ROWS, type FileRow, type Sheet } from './rows.ts';
import { unpack, type Unpacked } from './unpacked.ts';

const MAX_COLUMNS = 1_000;
/** Cells of a sheet, including empty ones between others: all of them are held in memory. */
const MAX_CELLS = 4_000_000;

/** A number with its spelling in the workbook. */
class SpelledNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Matches every attribute that names a row or cell. */
const ADDRESS = /(?<!xmlns)[\s:]r\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
/** Matches a formula at the end of its cell, so without a result. */
const WITHOUT_RESULT = /<(?:\w+:)?f\b[^<>]*(?:\/>|>[^<]*<\/(?:\w+:)?f\s*>)\s*<\/(?:\w+:)?c\s*>/;

function numberOfLetters(letters: string): number {
  return [...letters].reduce((number, letter) => number * 26 + letter.charCodeAt(0) - 64, 0);
}

/**
 * Why a sheet cannot be read: rows and columns are filled up to the last one named, so one far away would take all
 * memory; and a formula without its result would look like an empty cell.
 */
function whyNotReadable(xml: string): string | null {
  let [rows, columns] = [0, 0];
  for (const [, double, single] of xml.matchAll(ADDRESS)) {
    const [, letters, digits] = /^([A-Z]{0,3})(\d{0,7})$/.exec(double ?? single ?? '') ?? [];
    if (letters === undefined) return 'has a cell whose address cannot be read';
    rows = Math.max(rows, Number(digits));
    columns = Math.max(columns, numberOfLetters(letters));
  }
  if (rows > MAX_ROWS) return `has more than ${MAX_ROWS} rows`;
  if (columns > MAX_COLUMNS) return `has more than ${MAX_COLUMNS} columns`;
  if (rows * columns > MAX_CELLS) return `has more than ${MAX_CELLS} cells`;
  const formula = WITHOUT_RESULT.exec(xml);
  if (formula === null) return null;
  const address = [...xml.slice(Math.max(0, formula.index - 500), formula.index).matchAll(ADDRESS)].at(-1);
  return `has a formula in cell ${address?.[1] ?? address?.[2] ?? '?'} whose result is not in the file: open it in a spreadsheet program and save it there`;
}

/**
 * The shortest plain decimal that reads back as the same number; with an exponent when a double cannot represent every
 * digit.
 */
export function numberText(spelled: string): string {
  const number = Number(spelled);
  if (!Number.isFinite(number)) return spelled;
  if (Math.abs(number) > Number.MAX_SAFE_INTEGER) return number.toExponential().replace('e+', 'E+');
  const text = String(number);
  const [, sign = '', first = '', rest = '', exponent] = /^(-?)(\d)(?:\.(\d+))?e-(\d+)$/.exec(text) ?? [];
  return exponent === undefined ? text : `${sign}0.${'0'.repeat(Number(exponent) - 1)}${first}${rest}`;
}

/** The text of a day, which is a serial number in a workbook: `YYYY-MM-DD`, with the time if it has one. */
function dayText(date: Date): string {
  const text = Number.isNaN(date.valueOf()) ? '' : date.toISOString();
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : text;
}

function cellText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof SpelledNumber) return numberText(value.text);
  if (value instanceof Date) return dayText(value);
  return typeof value === 'boolean' ? String(value).toUpperCase() : '';
}

function rowsOf(sheet: string, data: readonly (readonly unknown[])[]): FileRow[] {
  return data.map((cells, index) => ({
    sheet,
    line: index + 1,
    cells: cells.map(cellText),
    numbers: new Set(cells.flatMap((cell, column) => (cell instanceof SpelledNumber ? [column] : []))),
  }));
}

function whyNoWorkbook(unpacked: Unpacked): string | null {
  if (unpacked['xl/workbook.xml'] === undefined)
    return 'is a ZIP archive, but no workbook (.xlsx): unpack it, or save the sheet as .xlsx or CSV';
  for (const [path, xml] of Object.entries(unpacked)) {
    const reason = whyNotReadable(Buffer.from(xml).toString('utf8'));
    if (reason !== null) return `is a workbook with a sheet (${path}) that ${reason}`;
  }
  return null;
}

/**
 * The sheets of a workbook (`.xlsx`), cell by cell as text; null when it cannot be read, with the reason among
 * `problems`. Numbers are doubles in a workbook: each becomes the shortest decimal with the same double.
 */
export async function readWorkbook(bytes: Uint8Array, problems: Problems): Promise<Sheet[] | null> {
  const unpacked = unpack(bytes);
  const reason =
    unpacked === 'too_large'
      ? 'unpacks to more than any workbook that is meant to be imported'
      : unpacked === 'broken'
        ? 'is a ZIP archive that is damaged: download it again'
        : whyNoWorkbook(unpacked);
  if (reason !== null || typeof unpacked === 'string') {
    problems.add(null, null, `The file ${reason ?? ''}.`);
    return null;
  }
  // Loaded here, because its many files would slow down the start of every command.
  const { default: readXlsxFile } = await import('read-excel-file/universal');
  try {
    // Packed again, so that the reader sees only the parts that were checked.
    const checked = new Uint8Array(zipSync(unpacked, { level: 0 })).buffer;
    const sheets = await readXlsxFile(checked, { parseNumber: (text) => new SpelledNumber(text), trim: false });
    // A sheet that holds only a chart has no data.
    return sheets.map(({ sheet, data }) => ({ name: sheet, rows: rowsOf(sheet, data ?? []) }));
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    problems.add(null, null, `The workbook cannot be read (${what}): save it again as .xlsx, or export it as CSV.`);
    return null;
  }
}
