import type { SavingsRow } from '@ctwa-ledger/schemas/bill.ts';

import type { DayRange } from '../filters/range.ts';
import { money } from '../format/amounts.ts';
import { rangeLabel } from '../format/dates.ts';

/** The chart in words, for those who do not see it. */
export function chartSentence(range: DayRange, rows: readonly SavingsRow[]): string {
  const amounts = rows.map(
    ({ currency, billed_cost, savings }) =>
      `${money(billed_cost, currency)} billed and ${money(savings, currency)} saved by free entry`,
  );
  return `Bar chart by day, ${rangeLabel(range)}: ${amounts.join('; ')}. The same amounts are in the table “By day”.`;
}
