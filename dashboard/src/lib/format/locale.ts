/** The language of the pages: how numbers are written where the reader's own way is not known. */
export const DEFAULT_LOCALE = 'en';

/** Locales whose formats are kept at a time; more than speak to one server, and anybody can ask with any. */
const MAX_LOCALES = 64;

let read: () => string = () => DEFAULT_LOCALE;

/**
 * Says where the reader's locale comes from. Called once, when the pages are loaded: on the server one module serves all
 * requests, so what is told here must find the request by itself, and nothing of a request may be kept.
 */
export function readLocaleFrom(reader: () => string): void {
  read = reader;
}

/**
 * A number format in the reader's locale, made once for each. Digits are Latin everywhere, because columns of figures
 * and the English around them are.
 *
 * @returns asked anew whenever something is written, while a page is drawn: a `load` function has no reader
 */
export function numberFormat(options: Intl.NumberFormatOptions): () => Intl.NumberFormat {
  const formats = new Map<string, Intl.NumberFormat>();
  return () => {
    const locale = read();
    const known = formats.get(locale);
    if (known !== undefined) return known;
    if (formats.size >= MAX_LOCALES) formats.clear();
    // The second is for a browser that does not know the locale: else it would write in a way of its own.
    const format = new Intl.NumberFormat([locale, DEFAULT_LOCALE], { ...options, numberingSystem: 'latn' });
    formats.set(locale, format);
    return format;
  };
}
