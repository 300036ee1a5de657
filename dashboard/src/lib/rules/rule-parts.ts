export interface RulePart {
  readonly words: string;
  /** Where these words lead on the page of the rules; null = nowhere. */
  readonly anchor: string | null;
}

/** `rule W2`, `rules W3`, `section 3.1`, or a rule that follows another: `and W4`. */
const NAMED = /(?:rules? )?\b([FWVM]\d+[a-z]?)\b|section (\d+(?:\.\d+)?)/g;

/** Where a rule (`W2`) or a section (`3.1`) is on the page of the rules. */
export function anchorOf(number: string): string {
  return /^\d/.test(number) ? `section-${number}` : number;
}

/** A text like `section 6, rules W3 and W4`, cut into what leads somewhere and what stands between. */
export function ruleParts(text: string): RulePart[] {
  const parts: RulePart[] = [];
  let from = 0;
  for (const found of text.matchAll(NAMED)) {
    if (found.index > from) parts.push({ words: text.slice(from, found.index), anchor: null });
    parts.push({ words: found[0], anchor: anchorOf(found[1] ?? found[2] ?? '') });
    from = found.index + found[0].length;
  }
  if (from < text.length) parts.push({ words: text.slice(from), anchor: null });
  return parts;
}
