/** CSV files beyond this are hardly ones that somebody means to import. */
export const MAX_CSV_FILE_BYTES = 32 * 1024 * 1024;

/** Something in a file that cannot be used. */
export interface FileProblem {
  /** Counted from 1, as an editor shows it; null where the file as a whole is meant. */
  readonly line: number | null;
  /** Number and heading of the column; null where the whole row is meant. */
  readonly column: string | null;
  /** What is wrong and what to do. */
  readonly message: string;
}

/** Why nothing of a file can be used. */
export interface BrokenCsvFile {
  readonly ok: false;
  readonly problems: readonly FileProblem[];
  /** Problems beyond those listed. */
  readonly more: number;
}
