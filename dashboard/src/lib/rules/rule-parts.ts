export interface RulePart {
  readonly words: string;
  /** The anchor of these words on the page of the rules; null = none. */
  readonly anchor: string | null;
}

/** `rule W2`, `rules W3`, `section 3.1`, or a further rule: `and W4`. */
const NAMED = /(?:rules? )?\b([FWVM]\d+[a-z]?)\b|section (\d+(?:\.\d+)?)/g;

/** The anchor of a rule (`W2`) or a section (`3.1`) on the page of the rules. */
export function anchorOf(number: string): string {
  return /^\d/.test(number) ? `section-${number}` : number;
}

/** Splits a text like `section 6, rules W3 and W4` into links and the text between them. */
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
