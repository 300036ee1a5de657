/** The language of the pages, used for numbers when the reader's locale is not known. */
export const DEFAULT_LOCALE = 'en';

/** Locales whose formats are kept. It is limited, because a request can name any locale. */
const MAX_LOCALES = 64;

let read: () => string = () => DEFAULT_LOCALE;

/**
 * Sets where the reader's locale comes from. Called once, when the pages are loaded: on the server one module serves
 * all requests, so `reader` must find the current request itself, and nothing of a request may be kept.
 */
export function readLocaleFrom(reader: () => string): void {
  read = reader;
}

/**
 * A number format in the reader's locale, made once for each. Digits are Latin everywhere, like the English text around
 * them.
 * @returns call it for each number while a page is drawn: a `load` function has no reader
 */
export function numberFormat(options: Intl.NumberFormatOptions): () => Intl.NumberFormat {
  const formats = new Map<string, Intl.NumberFormat>();
  return () => {
    const locale = read();
    const known = formats.get(locale);
    if (known !== undefined) return known;
    if (formats.size >= MAX_LOCALES) formats.clear();
    // The second locale is for a browser that does not know the first; otherwise it would use its own.
    const format = new Intl.NumberFormat([locale, DEFAULT_LOCALE], { ...options, numberingSystem: 'latn' });
    formats.set(locale, format);
    return format;
  };
}
