import type { SavingsRow } from '@ctwa-ledger/schemas/bill.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';

import type { DayRange } from '../filters/range.ts';
import { rangeLabel } from '../format/dates.ts';
import { nothingSentence, whatFoundNothing } from '../format/nothing.ts';
import { chipName, pickedParameters, type Names, type Picks } from '../filters/picked.ts';

/**
 * Explains why no delivered message is shown.
 * @param asked the days, without filters
 * @param only the filters of the page
 */
export async function noMessageDelivered(
  asked: ReportFilters,
  only: Picks,
  names: Names,
  range: DayRange,
  savings: (filters: ReportFilters) => Promise<readonly SavingsRow[]>,
): Promise<string> {
  const finds = (narrowed: Picks) => async (): Promise<boolean> =>
    (await savings({ ...asked, ...narrowed })).some(({ volume }) => volume > 0);
  const parts = pickedParameters(only).map(([name, value]) => ({
    name: chipName(name, value, names),
    finds: finds({ [name]: value }),
  }));
  return nothingSentence('No message was delivered', rangeLabel(range), await whatFoundNothing(finds({}), parts));
}
