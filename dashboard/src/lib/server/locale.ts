import { DEFAULT_LOCALE } from '../format/locale.ts';

/** Longest part of the header that is read; browsers send far less. */
const MAX_CHARACTERS = 256;

/** `pt-BR`, `pt-BR;q=0.8`. */
const RANGE = /^\s*([a-z]{2,8}(?:-[a-z0-9]{1,8})*)\s*(?:;\s*q\s*=\s*(0(?:\.\d{1,3})?|1(?:\.0{1,3})?)\s*)?$/i;

/** The locale without extensions for digits or calendars; null when it has no number format here. */
function supported(tag: string): string | null {
  try {
    const { language, script, region } = new Intl.Locale(tag);
    const plain = [language, script, region].filter((part) => part !== undefined).join('-');
    return Intl.NumberFormat.supportedLocalesOf(plain)[0] ?? null;
  } catch {
    return null;
  }
}

/**
 * The locale for the reader's numbers: the first one that the browser prefers and that can be formatted here, else
 * {@link DEFAULT_LOCALE}.
 * @param accept_language the header of that name; null = not sent
 */
export function localeOf(accept_language: string | null): string {
  const ranges = (accept_language ?? '').slice(0, MAX_CHARACTERS).split(',');
  const wanted = ranges.flatMap((text) => {
    const [, tag, weight = '1'] = RANGE.exec(text) ?? [];
    return tag === undefined || Number(weight) === 0 ? [] : [{ tag, weight: Number(weight) }];
  });
  for (const { tag } of wanted.sort((one, other) => other.weight - one.weight)) {
    const locale = supported(tag);
    if (locale !== null) return locale;
  }
  return DEFAULT_LOCALE;
}
