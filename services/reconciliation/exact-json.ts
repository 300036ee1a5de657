import { MAX_JSON_DEPTH } from '@ctwa-ledger/schemas/json.ts';

/** Precedes the digits of a number, because amounts must not become JavaScript numbers. */
const MARK = '\0';

/** Strings, numbers, and brackets. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[[\]{}]/g;

function marked(text: string): string {
  let depth = 0;
  return text.replaceAll(TOKEN, (token) => {
    if (token === '[' || token === '{') {
      depth += 1;
      if (depth > MAX_JSON_DEPTH) throw new RangeError(`it is nested more than ${MAX_JSON_DEPTH} deep`);
    } else if (token === ']' || token === '}') depth -= 1;
    return /^[-\d]/.test(token) ? `"\\u0000${token}"` : token;
  });
}

/**
 * Parses a JSON text with every number as text: its digits after a mark, which `numberText` removes.
 * @throws SyntaxError or RangeError when it cannot be read
 */
export function parseExact(text: string): unknown {
  // Parsed unchanged first, so that an error message is about the text as it was given.
  JSON.parse(text);
  if (text.includes('\\u0000')) throw new SyntaxError('it holds a zero character');
  return JSON.parse(marked(text));
}

/** A number of `parseExact`, or a text, as text. */
export function numberText(value: string): string {
  return value.startsWith(MARK) ? value.slice(MARK.length) : value;
}

/** A value of `parseExact` as JSON, with its numbers as they were written. */
export function exactText(value: unknown): string {
  return JSON.stringify(value).replaceAll(/"\\u0000([^"]*)"/g, '$1');
}
