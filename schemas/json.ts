/** Whether a parsed value is an object, and neither a list nor null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Orders two strings by their UTF-8 bytes, as ClickHouse does and rules.md F2 asks; -1, 0 or 1. */
export function compareUtf8(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // UTF-16 puts surrogate pairs (U+10000 and above) before U+E000..U+FFFF, UTF-8 after them.
    const xIsSurrogate = x >= 0xd800 && x <= 0xdfff;
    const yIsSurrogate = y >= 0xd800 && y <= 0xdfff;
    if (xIsSurrogate !== yIsSurrogate) return xIsSurrogate ? 1 : -1;
    return x < y ? -1 : 1;
  }
  return a.length < b.length ? -1 : 1;
}

/** A text without halves of surrogate pairs: no text encoding carries them, and ClickHouse refuses them. */
export function wellFormedText(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** Deeper values are refused, so that no later code runs out of call stack. */
export const MAX_JSON_DEPTH = 64;

/**
 * The canonical JSON text of a value (rules.md F2): keys sorted by UTF-8 bytes, no white space, non-ASCII not escaped.
 * @throws RangeError when the value is nested more than `MAX_JSON_DEPTH` deep
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > MAX_JSON_DEPTH) throw new RangeError(`The value is nested more than ${MAX_JSON_DEPTH} deep.`);
  if (Array.isArray(value)) return `[${value.map((member) => canonicalJson(member, depth + 1)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => compareUtf8(a, b))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member, depth + 1)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}
