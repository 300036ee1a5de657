/** Files beyond this are hardly ones that somebody means to import: CSV files and workbooks alike. */
export const MAX_CSV_FILE_BYTES = 32 * 1024 * 1024;

/** Something in a file that cannot be used. */
export interface FileProblem {
  /** Name of the sheet of a workbook; null in a CSV file. */
  readonly sheet: string | null;
  /** Line of a CSV file or row of a sheet, counted from 1; null where the file as a whole is meant. */
  readonly line: number | null;
  /** The column's number, in a workbook its letters, and its heading; null where the whole row is meant. */
  readonly column: string | null;
  /** What is wrong and what to do. */
  readonly message: string;
}

/** Why nothing of a CSV file or workbook can be used. */
export interface BrokenCsvFile {
  readonly ok: false;
  readonly problems: readonly FileProblem[];
  /** Problems beyond those listed. */
  readonly more: number;
  /** The columns of the file, where it is their headings that are not understood. */
  readonly headings?: readonly string[];
}

/** Where a problem is: `line 3, column 6 (Rate)`, or `sheet "Tiers", cell F3 (Rate)`; empty for the file as a whole. */
export function placeOfProblem({ sheet, line, column }: Omit<FileProblem, 'message'>): string {
  if (line === null) return sheet === null ? '' : `sheet "${sheet}"`;
  if (sheet === null) return column === null ? `line ${line}` : `line ${line}, column ${column}`;
  const cell = column?.replace(/^[A-Z]+/, (letters) => `${letters}${line}`);
  return `sheet "${sheet}", ${cell === undefined ? `row ${line}` : `cell ${cell}`}`;
}
