import { placeOfProblem, type BrokenCsvFile, type FileProblem } from '@ctwa-ledger/schemas/csv-file.ts';
import { ActionableError } from '../clickhouse/errors.ts';

/** A file that cannot be imported: nothing of it was imported. */
export class BrokenFileError extends ActionableError {
  readonly problems: readonly FileProblem[];
  /** How many problems are not listed. */
  readonly more: number;
  /** The columns of the file, if its headings were not recognised; else null. */
  readonly headings: readonly string[] | null;

  /** @param advice what to do about it, as a sentence */
  constructor(name: string, broken: BrokenCsvFile, advice = 'Correct it and import it again.') {
    const lines = broken.problems.map((problem) => {
      const place = placeOfProblem(problem);
      return `\n  ${place === '' ? '' : `${place}: `}${problem.message}`;
    });
    const rest = broken.more === 0 ? '' : `\n  and ${broken.more} more.`;
    super(`${name} cannot be imported, and nothing of it was:${lines.join('')}${rest}\n${advice}`);
    this.problems = broken.problems;
    this.more = broken.more;
    this.headings = broken.headings ?? null;
  }
}
