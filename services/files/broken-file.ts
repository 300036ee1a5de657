import type { BrokenCsvFile, FileProblem } from '@ctwa-ledger/schemas/csv-file.ts';
import { LedgerError } from '../ledger/errors.ts';

function whereIs({ line, column }: FileProblem): string {
  if (line === null) return '';
  return column === null ? `line ${line}: ` : `line ${line}, column ${column}: `;
}

/** A file that cannot be imported: nothing of it was. */
export class BrokenFileError extends LedgerError {
  readonly problems: readonly FileProblem[];
  /** Problems beyond those listed. */
  readonly more: number;

  constructor(name: string, { problems, more }: BrokenCsvFile) {
    const lines = problems.map((problem) => `\n  ${whereIs(problem)}${problem.message}`);
    const rest = more === 0 ? '' : `\n  and ${more} more.`;
    super(`${name} cannot be imported, and nothing of it was:${lines.join('')}${rest}\nMend it and import it again.`);
    this.problems = problems;
    this.more = more;
  }
}
