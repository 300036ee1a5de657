import type { SavingsRow } from '@ctwa-ledger/schemas/bill.ts';
import type { Narrowed, ReportFilters } from '@ctwa-ledger/schemas/asked.ts';

import type { DayRange } from '../filters/range.ts';
import { rangeLabel } from '../format/dates.ts';
import { nothingSentence, whatFoundNothing } from '../format/nothing.ts';
import { CHARGE_NARROWINGS, chipName } from './narrowing.ts';

/**
 * Explains why no delivered message is shown.
 * @param asked the days, without filters
 * @param only the filters of the page
 */
export async function noMessageDelivered(
  asked: ReportFilters,
  only: Narrowed,
  range: DayRange,
  savings: (filters: ReportFilters) => Promise<readonly SavingsRow[]>,
): Promise<string> {
  const finds = (narrowed: Narrowed) => async (): Promise<boolean> =>
    (await savings({ ...asked, ...narrowed })).some(({ volume }) => volume > 0);
  const parts = CHARGE_NARROWINGS.flatMap((name) => {
    const value = only[name];
    return value == null ? [] : [{ name: chipName(name, value), finds: finds({ [name]: value }) }];
  });
  return nothingSentence('No message was delivered', rangeLabel(range), await whatFoundNothing(finds({}), parts));
}
