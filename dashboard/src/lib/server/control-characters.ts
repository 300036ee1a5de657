/**
 * Control characters in the data of others: ids, names and headlines may contain any. A page must not contain them (a
 * browser drops U+0000, and HTML forbids it), so pages show Unicode's picture of each, `␀` for U+0000. White space
 * stays.
 */

const PICTURES_FROM = 0x2400;
/** The picture of U+007F, the only one that is not at its offset. */
const DELETE = 0x7f;
const PICTURE_OF_DELETE = 0x2421;

// A class of code units: each page is searched for them, and \p{Cc} takes several times longer.
const HIDDEN = new RegExp(`[${['\\0-\\x08', '\\x0b', '\\x0e-\\x1f', '\\x7f'].join('')}]`, 'g');
const PICTURES = /[\u2400-\u2408\u240b\u240e-\u241f\u2421]/g;

/** A text in the form that a page shows. */
export function visibleText(text: string): string {
  return text.replace(HIDDEN, (character) => {
    const code = character.charCodeAt(0);
    return String.fromCharCode(code === DELETE ? PICTURE_OF_DELETE : PICTURES_FROM + code);
  });
}

/** The stored form of a text that a page showed. */
function storedText(text: string): string {
  return text.replace(PICTURES, (picture) => {
    const code = picture.charCodeAt(0);
    return String.fromCharCode(code === PICTURE_OF_DELETE ? DELETE : code - PICTURES_FROM);
  });
}

/** Changes every text in plain data: arrays and objects, as in JSON. */
function withTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((member: unknown) => withTexts(member, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withTexts(member, change)]));
}

/**
 * Wraps queries: parameters are turned into the stored form, answers into the form that pages show. So a link with a
 * shown id finds that id again.
 * @param queries functions that take and return plain data
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
