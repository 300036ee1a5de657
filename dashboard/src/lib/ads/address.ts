import { textIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import type { AdNameRow } from '@ctwa-ledger/schemas/figures.ts';

import { quoted, type Repair } from '../filters/filters.ts';
import type { DayRange } from '../filters/range.ts';
import { rangeLabel } from '../format/dates.ts';

/** Longest id or address in a search. */
const MAX_CHARACTERS = 2_000;

/**
 * The id or address of the ad or post that an address selects, empty = all. A text that cannot be used is left out,
 * with a notice.
 */
export function readAd(params: URLSearchParams): {
  readonly ad: string;
  readonly repairs: readonly Pick<Repair, 'notice'>[];
} {
  const ad = textIn(params, 'ad');
  if (ad.length <= MAX_CHARACTERS) return { ad, repairs: [] };
  return { ad: '', repairs: [{ notice: `ad: no id or address has ${ad.length} characters; all ads are shown.` }] };
}

/**
 * The text of a table of ads without rows.
 * @param ad the selected id or address; empty = all
 * @param isElsewhere whether other days have something of it
 */
export function nothingOfAd(ad: string, range: DayRange, isElsewhere: boolean): string {
  if (ad === '') return 'No ad-driven conversation started in this range, and no ad has a cost.';
  return isElsewhere
    ? `The ad or post ${quoted(ad)} has no conversation and no cost in ${rangeLabel(range)}, but on other days.`
    : `No ad or post with a conversation or a cost in ${rangeLabel(range)} has the id, address or name ${quoted(ad)}.`;
}

/** Whether a text can only be a name: ids have digits only, and addresses begin with a protocol. */
export const isName = (ad: string): boolean => ad !== '' && !/^(\d+|https?:.*)$/i.test(ad);

/** The lines of ads whose name, ad set, campaign or headline contains a text, in any letter case. */
export function namedLike<Line extends Pick<AdNameRow, 'ad_name' | 'adset_name' | 'campaign_name' | 'headline'>>(
  lines: readonly Line[],
  text: string,
): Line[] {
  const wanted = text.toLocaleLowerCase();
  return lines.filter(({ ad_name, adset_name, campaign_name, headline }) =>
    [ad_name, adset_name, campaign_name, headline].some((name) => name.toLocaleLowerCase().includes(wanted)),
  );
}
