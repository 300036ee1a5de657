import type { BrokenCsvFile, FileProblem } from '@ctwa-ledger/schemas/csv-file.ts';

/** Limit of rows in a file or sheet: a file with more was probably given by mistake. */
export const MAX_ROWS = 100_000;
/** Only so many rows are searched for the header. */
export const MAX_ROWS_TO_HEADER = 1_000;
const MAX_PROBLEMS = 20;

/** One row of a CSV file or of a sheet. */
export interface FileRow {
  /** Name of the sheet; null for a CSV file. */
  readonly sheet: string | null;
  /** The line on which the row begins, or its number in the sheet; counted from 1. */
  readonly line: number;
  readonly cells: readonly string[];
  /**
   * Indexes of the cells that the workbook stores as numbers. Their text is the number with a decimal point and no
   * separators.
   */
  readonly numbers: ReadonlySet<number>;
}

/** All rows of a CSV file, or of one sheet of a workbook. */
export interface Sheet {
  readonly name: string | null;
  readonly rows: readonly FileRow[];
}

/** The problems of a file: the first ones in full, the others counted. */
export class Problems {
  readonly #listed: FileProblem[] = [];
  #more = 0;

  /** @param row null when the problem is about the whole file */
  add(row: Pick<FileRow, 'sheet' | 'line'> | null, column: string | null, message: string): void {
    if (this.#listed.length < MAX_PROBLEMS)
      this.#listed.push({ sheet: row?.sheet ?? null, line: row?.line ?? null, column, message });
    else this.#more++;
  }

  get isEmpty(): boolean {
    return this.#listed.length === 0;
  }

  /** @param headings the columns of the file, if its headings were not recognised */
  result(headings?: readonly string[]): BrokenCsvFile {
    return { ok: false, problems: this.#listed, more: this.#more, ...(headings === undefined ? {} : { headings }) };
  }
}

/**
 * Normalises headings and other fixed words: letter case, accents, white space, line breaks and signs do not matter.
 */
export function plain(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}

export function singleSpaced(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}

/** Whether every cell of a row is empty. */
export function isBlank({ cells }: FileRow): boolean {
  return cells.every((cell) => cell.trim() === '');
}

function lettersOf(index: number): string {
  const rest = Math.floor(index / 26) - 1;
  return `${rest < 0 ? '' : lettersOf(rest)}${String.fromCharCode(65 + (index % 26))}`;
}

/** The name of a column for people: its number or, in a workbook, its letters; and its heading. */
export function columnNameOf(header: FileRow, index: number): string {
  const column = header.sheet === null ? `${index + 1}` : lettersOf(index);
  const heading = singleSpaced(header.cells[index] ?? '');
  return heading === '' ? column : `${column} (${heading})`;
}

/** The most likely header when none was recognised: of the first rows the one with the most filled cells. */
export function widestRow(rows: readonly FileRow[]): FileRow | null {
  const filled = (row: FileRow): number => row.cells.filter((cell) => cell.trim() !== '').length;
  return rows
    .slice(0, MAX_ROWS_TO_HEADER)
    .reduce<FileRow | null>((widest, row) => (widest === null || filled(row) > filled(widest) ? row : widest), null);
}
