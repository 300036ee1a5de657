import { MAX_JSON_DEPTH } from '@ctwa-ledger/schemas/json.ts';

/** Stands before the digits of what was a number: amounts must not go through a JavaScript number. */
const MARK = '\0';

/** Strings, numbers, and what opens and closes. */
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
 * A JSON text with every number as text: its digits, all of them, behind a mark that `numberText` takes away.
 * @throws SyntaxError or RangeError when it cannot be read
 */
export function parseExact(text: string): unknown {
  // What it has to say about a broken text is about the text as it was given.
  JSON.parse(text);
  if (text.includes('\\u0000')) throw new SyntaxError('it holds a zero character');
  return JSON.parse(marked(text));
}

/** A number of `parseExact`, or a text, as text. */
export function numberText(value: string): string {
  return value.startsWith(MARK) ? value.slice(MARK.length) : value;
}

/** A value of `parseExact` as JSON, its numbers as they were written. */
export function exactText(value: unknown): string {
  return JSON.stringify(value).replaceAll(/"\\u0000([^"]*)"/g, '$1');
}
