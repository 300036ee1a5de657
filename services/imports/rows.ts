import type { BrokenCsvFile, FileProblem } from '@ctwa-ledger/schemas/csv-file.ts';

/** Rows of one file or sheet: more are hardly meant to be imported. */
export const MAX_ROWS = 100_000;
/** Rows among which the header has to stand: a file is not searched to its end for one. */
export const MAX_ROWS_TO_HEADER = 1_000;
const MAX_PROBLEMS = 20;

/** One row of a CSV file or of a sheet. */
export interface FileRow {
  /** Name of the sheet; null in a CSV file. */
  readonly sheet: string | null;
  /** The line on which the row begins, or its number in the sheet; counted from 1. */
  readonly line: number;
  readonly cells: readonly string[];
  /** Which cells the workbook keeps as numbers. Their text is the number itself, with a point and no separators. */
  readonly numbers: ReadonlySet<number>;
}

/** All rows of a CSV file, or of one sheet of a workbook. */
export interface Sheet {
  readonly name: string | null;
  readonly rows: readonly FileRow[];
}

/** What is wrong with a file: the first problems in full, the others counted. */
export class Problems {
  readonly #listed: FileProblem[] = [];
  #more = 0;

  /** @param row null where the file as a whole is meant */
  add(row: Pick<FileRow, 'sheet' | 'line'> | null, column: string | null, message: string): void {
    if (this.#listed.length < MAX_PROBLEMS)
      this.#listed.push({ sheet: row?.sheet ?? null, line: row?.line ?? null, column, message });
    else this.#more++;
  }

  get isEmpty(): boolean {
    return this.#listed.length === 0;
  }

  /** @param headings the columns of the file, where it is their headings that are not understood */
  result(headings?: readonly string[]): BrokenCsvFile {
    return { ok: false, problems: this.#listed, more: this.#more, ...(headings === undefined ? {} : { headings }) };
  }
}

/** Headings and other fixed words: letter case, accents, white space, line breaks and signs do not matter. */
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

/** A column as people find it: its number, in a workbook its letters, and its heading. */
export function columnNameOf(header: FileRow, index: number): string {
  const column = header.sheet === null ? `${index + 1}` : lettersOf(index);
  const heading = singleSpaced(header.cells[index] ?? '');
  return heading === '' ? column : `${column} (${heading})`;
}

/** The row that is most likely the header where nobody knows one: of the first rows the one with the most filled cells. */
export function widestRow(rows: readonly FileRow[]): FileRow | null {
  const filled = (row: FileRow): number => row.cells.filter((cell) => cell.trim() !== '').length;
  return rows
    .slice(0, MAX_ROWS_TO_HEADER)
    .reduce<FileRow | null>((widest, row) => (widest === null || filled(row) > filled(widest) ? row : widest), null);
}
