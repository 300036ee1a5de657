import type { Bias } from './meta.ts';

/** How to write numbers and amounts with their signs. */
export interface BiasSpelling {
  readonly count: (value: number) => string;
  readonly difference: (whole: string) => string;
  readonly money: (decimal: string) => string;
}

/** A bias of rows within tolerance, in a sentence. */
export function sayBias({ measure, rows, same_way, direction, difference }: Bias, spelling: BiasSpelling): string {
  const what = measure === 'volume' ? 'rows' : 'charges';
  const together = measure === 'volume' ? spelling.difference(difference) : spelling.money(difference);
  return `${spelling.count(same_way)} of ${spelling.count(rows)} ${what} that differ within tolerance are ${direction} than Meta’s, together by ${together}: a cause may be common to them.`;
}
