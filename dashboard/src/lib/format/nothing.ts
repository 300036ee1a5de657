import { quoted } from '../filters/filters.ts';

/** One part of what a page was asked for, besides its days. */
export interface AskedPart {
  /** As people read it: `Market: Narnia`. */
  readonly name: string;
  /** Whether these days have anything when nothing else is asked for. */
  readonly finds: () => Promise<boolean>;
}

/** Why there is nothing to show. */
export interface NothingFound {
  /** What was asked for besides the days. Empty: the days themselves have nothing. */
  readonly asked: readonly string[];
  /** The parts that find nothing by themselves; empty where it takes all parts to find nothing. */
  readonly fruitless: readonly string[];
}

/** Looks for the part that found nothing. It costs a question for each part, so only who has nothing to show asks. */
export async function whatFoundNothing(
  daysHaveAny: () => Promise<boolean>,
  parts: readonly AskedPart[],
): Promise<NothingFound> {
  if (parts.length === 0 || !(await daysHaveAny())) return { asked: [], fruitless: [] };
  const asked = parts.map(({ name }) => name);
  // One part alone is what has just found nothing.
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
