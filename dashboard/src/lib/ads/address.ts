import type { DayRange } from '../filters/range.ts';
import { chipName, pickedParameters, type Names, type Picks } from '../filters/picked.ts';
import { quoted } from '../filters/filters.ts';
import { rangeLabel } from '../format/dates.ts';

/**
 * The text of a table of ads without rows.
 * @param only the filters of the page
 * @param isElsewhere whether other days have something of it
 */
export function nothingOfAd(only: Picks, names: Names, range: DayRange, isElsewhere: boolean): string {
  const asked = pickedParameters(only).map(([name, value]) => quoted(chipName(name, value, names)));
  if (asked.length === 0) return 'No ad-driven conversation started in this range, and no ad has a cost.';
  return isElsewhere
    ? `No conversation and no cost in ${rangeLabel(range)} matches ${asked.join(', ')}, but other days have some.`
    : `No ad or post with a conversation or a cost matches ${asked.join(', ')}.`;
}

/** Whether a text can only be a name: ids have digits only, and addresses begin with a protocol. */
export const isName = (ad: string): boolean => !/^(\d+|https?:.*)$/i.test(ad);
