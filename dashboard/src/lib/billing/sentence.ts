import type { SavingsRow } from '@ctwa-ledger/schemas/bill.ts';

import type { DayRange } from '../filters/range.ts';
import { money } from '../format/amounts.ts';
import { rangeLabel } from '../format/dates.ts';
import { counted } from '../format/numbers.ts';

/** The chart in words, for readers who do not see it. */
export function chartSentence(range: DayRange, rows: readonly SavingsRow[]): string {
  const amounts = rows.map(
    ({ currency, billed_cost, savings }) =>
      `${money(billed_cost, currency)} expected charge and ${money(savings, currency)} saved by free entry`,
  );
  const unrated = rows.reduce((sum, row) => sum + row.unrated, 0);
  const left_out = unrated === 0 ? '' : ` Left out: ${counted(unrated, 'message')} without a price.`;
  return `Bar chart by day, ${rangeLabel(range)}: ${amounts.join('; ')}.${left_out} The same amounts are in the table “By day”.`;
}
