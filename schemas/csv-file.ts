/** Limit for files to import, CSV files and workbooks alike. A larger one was probably chosen by mistake. */
export const MAX_CSV_FILE_BYTES = 32 * 1024 * 1024;

/** A problem with a place in a file. */
export interface FileProblem {
  /** Name of the sheet of a workbook; null in a CSV file. */
  readonly sheet: string | null;
  /** Line of a CSV file or row of a sheet, counted from 1; null when the problem is about the whole file. */
  readonly line: number | null;
  /**
   * The column's number or, in a workbook, its letters; and its heading. Null when the problem is about the whole row.
   */
  readonly column: string | null;
  /** What is wrong and what to do. */
  readonly message: string;
}

/** The reasons why nothing of a CSV file or workbook was used. */
export interface BrokenCsvFile {
  readonly ok: false;
  readonly problems: readonly FileProblem[];
  /** How many problems are not listed. */
  readonly more: number;
  /** The columns of the file, if its headings were not recognised. */
  readonly headings?: readonly string[];
}

/** The place of a problem: `line 3, column 6 (Rate)`, or `sheet "Tiers", cell F3 (Rate)`; empty for the whole file. */
export function placeOfProblem({ sheet, line, column }: Omit<FileProblem, 'message'>): string {
  if (line === null) return sheet === null ? '' : `sheet "${sheet}"`;
  if (sheet === null) return column === null ? `line ${line}` : `line ${line}, column ${column}`;
  const cell = column?.replace(/^[A-Z]+/, (letters) => `${letters}${line}`);
  return `sheet "${sheet}", ${cell === undefined ? `row ${line}` : `cell ${cell}`}`;
}
