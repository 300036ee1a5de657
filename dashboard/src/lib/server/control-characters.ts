/**
 * Control characters in what others send: ids, names and headlines may hold any of them. A page must not (a browser drops
 * U+0000, and HTML forbids it), so that pages show the picture that Unicode has for each, `␀` for U+0000. White space stays.
 */

const PICTURES_FROM = 0x2400;
/** The picture of U+007F, which is the only one that is not in its place. */
const DELETE = 0x7f;
const PICTURE_OF_DELETE = 0x2421;

const HIDDEN = /(?![\t\n\f\r\u0080-\u009f])\p{Cc}/gu;
const PICTURES = /[\u2400-\u2408\u240b\u240e-\u241f\u2421]/g;

/** A text as a page shows it. */
export function visibleText(text: string): string {
  return text.replace(HIDDEN, (character) => {
    const code = character.charCodeAt(0);
    return String.fromCharCode(code === DELETE ? PICTURE_OF_DELETE : PICTURES_FROM + code);
  });
}

/** A text that a page showed, as it is stored. */
function storedText(text: string): string {
  return text.replace(PICTURES, (picture) => {
    const code = picture.charCodeAt(0);
    return String.fromCharCode(code === PICTURE_OF_DELETE ? DELETE : code - PICTURES_FROM);
  });
}

/** Changes every text in plain data: arrays and objects of other values, as JSON has them. */
function withTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((member: unknown) => withTexts(member, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withTexts(member, change)]));
}

/**
 * Asks as the ledger stores and answers as pages show: a link that a page makes of an id leads to that id again.
 * @param queries functions of plain data that answer with plain data
 */
export function shown<T extends object>(queries: T): T {
  return new Proxy(queries, {
    get(target, name) {
      const ask: unknown = Reflect.get(target, name);
      if (typeof ask !== 'function') return ask;
      return async (...asked: readonly unknown[]): Promise<unknown> =>
        withTexts(await Reflect.apply(ask, target, withTexts(asked, storedText) as unknown[]), visibleText);
    },
  });
}
