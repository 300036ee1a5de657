import { quoted } from '../filters/filters.ts';

/** One filter of a page, besides its days. */
export interface AskedPart {
  /** For people: `Market: Narnia`. */
  readonly name: string;
  /** Whether these days have rows with this filter alone. */
  readonly finds: () => Promise<boolean>;
}

/** Why there is nothing to show. */
export interface NothingFound {
  /** The filters besides the days. Empty: the days themselves have no rows. */
  readonly asked: readonly string[];
  /** The filters that find nothing by themselves; empty when only all filters together find nothing. */
  readonly fruitless: readonly string[];
}

/**
 * Looks for the filter that finds nothing. It costs a query per filter, so call it only when there is nothing to show.
 */
export async function whatFoundNothing(
  daysHaveAny: () => Promise<boolean>,
  parts: readonly AskedPart[],
): Promise<NothingFound> {
  if (parts.length === 0 || !(await daysHaveAny())) return { asked: [], fruitless: [] };
  const asked = parts.map(({ name }) => name);
  // A single filter is the one that just found nothing.
  if (parts.length === 1) return { asked, fruitless: asked };
  const finds = await Promise.all(parts.map((part) => part.finds()));
  return { asked, fruitless: asked.filter((_, i) => finds[i] === false) };
}

/**
 * Why there is nothing to show, in words.
 * @param none begins the sentence: `No message was delivered`
 * @param days as people read them
 */
export function nothingSentence(none: string, days: string, { asked, fruitless }: NothingFound): string {
  const begun = `${none} in ${days}`;
  if (asked.length === 0) return `${begun}.`;
  if (fruitless.length > 0) return `${begun} that matches ${fruitless.map(quoted).join(', and none that matches ')}.`;
  return `${begun} that matches all of ${asked.map(quoted).join(', ')}. Each of these alone has some.`;
}
