import { CsvError, parse } from 'csv-parse/sync';
import type { Problems } from './rows.ts';
import { MAX_ROWS, MAX_ROWS_TO_HEADER, widestRow, type FileRow } from './rows.ts';

const MAX_ROW_CHARACTERS = 100_000;
/** Separators of columns. Spreadsheet programs write tabs with UTF-16. */
const DELIMITERS = [',', ';', '\t'] as const;
const NO_NUMBERS: ReadonlySet<number> = new Set();

/** Splits text into rows with their line numbers. @throws CsvError when quotation marks do not match */
function split(text: string, delimiter: string, max_rows: number): FileRow[] {
  const records = parse(text, {
    bom: true,
    delimiter,
    info: true,
    max_record_size: MAX_ROW_CHARACTERS,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    // A preamble is prose: a quotation mark inside a cell has no meaning there.
    relax_quotes: true,
    to: max_rows,
  }) as unknown as { info: { lines: number }; record: string[] }[];
  let line = 1;
  return records.map(({ info, record }) => {
    const row = { sheet: null, line, cells: record, numbers: NO_NUMBERS };
    line = info.lines + 1;
    return row;
  });
}

function firstRows(text: string, delimiter: string): FileRow[] {
  try {
    return split(text, delimiter, MAX_ROWS_TO_HEADER);
  } catch (error) {
    if (error instanceof CsvError) return [];
    throw error;
  }
}

/** The separator of a file: the one with which a header is found, else the one that gives the most cells. */
function delimiterOf(text: string, isHeader: (cells: readonly string[]) => boolean): string {
  const tried = DELIMITERS.map((delimiter) => ({ delimiter, rows: firstRows(text, delimiter) }));
  const known = tried.find(({ rows }) => rows.some(({ cells }) => isHeader(cells)));
  const width = (rows: readonly FileRow[]): number => widestRow(rows)?.cells.length ?? 0;
  return (known ?? tried.reduce((best, one) => (width(one.rows) > width(best.rows) ? one : best))).delimiter;
}

/** The rows of a CSV file; null when it is none, with the reason among `problems`. */
export function readCsv(
  text: string,
  isHeader: (cells: readonly string[]) => boolean,
  problems: Problems,
): FileRow[] | null {
  try {
    return split(text, delimiterOf(text, isHeader), MAX_ROWS + 1);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line: unknown = error['lines'];
    problems.add(
      typeof line === 'number' ? { sheet: null, line } : null,
      null,
      `The row is not CSV (${error.message}).`,
    );
    return null;
  }
}
