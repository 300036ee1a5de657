import { EXPLANATION_WORDS } from './case-words.ts';
import type { StatementLine, StatementRow, WriteOffReason } from './write-offs.ts';

export const REASON_WORDS: Readonly<Record<WriteOffReason, string>> = {
  immaterial: 'Too small to be pursued',
  rounding: 'Rounding',
  timing: 'Counted on another day or in another month',
  refused: 'A claim was refused',
  own_records: 'Our records are incomplete',
  other: 'Another reason',
};

const LINE_WORDS: Readonly<Record<StatementLine, string>> = {
  ours: 'Expected',
  meta: 'Meta’s',
  difference: 'Difference, expected − Meta’s',
  within_tolerance: 'Within tolerance',
  explained: 'Explained',
  written_off: 'Written off',
  residual: 'Neither explained nor written off',
};

function isReason(cause: string): cause is WriteOffReason {
  return cause in REASON_WORDS;
}

/** A line of the statement of a month: `Explained: Counted on the neighbouring day`. */
export function lineWords({ line, cause }: Pick<StatementRow, 'line' | 'cause'>): string {
  if (cause === '' || cause === 'unexplained') return LINE_WORDS[line];
  return `${LINE_WORDS[line]}: ${isReason(cause) ? REASON_WORDS[cause] : EXPLANATION_WORDS[cause]}`;
}

/**
 * Whether nothing is left of the difference once what is explained and written off is taken away.
 * @param missing_days days of the month without numbers of Meta's
 */
export function isWhole(lines: readonly StatementRow[], missing_days: number): boolean {
  const left = lines.filter(({ line, rows }) => line === 'residual' && rows > 0);
  return left.length === 0 && missing_days === 0;
}
