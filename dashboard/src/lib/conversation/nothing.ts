import type { AskedAdConversations, AdConversationList } from '@ctwa-ledger/schemas/conversations.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';

import type { DayRange } from '../filters/range.ts';
import { rangeLabel } from '../format/dates.ts';
import { chipName, pickedParameters, type Names, type Picks } from '../filters/picked.ts';
import { nothingSentence, whatFoundNothing, type AskedPart } from '../format/nothing.ts';
import { NOTHING_ASKED, type AskedState } from './asked.ts';
import { stateName } from './state.ts';
import { CONVERSATION_TABLE } from './table.ts';

/**
 * Explains why no conversation is listed.
 * @param days the days, without filters
 * @param only the filters of the page
 * @param isMessage whether the search text is the id of a known message, which is searched on all days
 */
export async function noConversation(
  days: ReportFilters,
  only: Picks,
  names: Names,
  { q, state }: AskedState,
  isMessage: boolean,
  range: DayRange,
  list: (asked: AskedAdConversations) => Promise<AdConversationList>,
): Promise<string> {
  if (isMessage && Object.keys(only).length === 0 && state === null)
    return 'No ad-driven conversation holds the message of this search.';
  const finds = (asked: Partial<AskedState> & Picks) => async (): Promise<boolean> => {
    const { reveal: _, ...alone } = { ...NOTHING_ASKED, ...asked };
    const page = { sort: CONVERSATION_TABLE.default_sort, after: '', limit: 1 };
    return (await list({ filters: { ...days, ...alone }, page })).rows.length > 0;
  };
  const parts: (AskedPart & { readonly hint: string })[] = [];
  if (q !== '')
    parts.push({
      name: `Search: ${q}`,
      finds: finds({ q }),
      hint: ' The search looks for numbers of customers or parts of them, message ids and user ids.',
    });
  for (const [name, value] of pickedParameters(only))
    parts.push({ name: chipName(name, value, names), finds: finds({ [name]: value }), hint: '' });
  if (state !== null) parts.push({ name: `State: ${stateName(state)}`, finds: finds({ state }), hint: '' });
  const found = await whatFoundNothing(finds({}), parts);
  const hints = parts.filter(({ name }) => found.fruitless.includes(name)).map(({ hint }) => hint);
  return nothingSentence('No ad-driven conversation started', rangeLabel(range), found) + hints.join('');
}
