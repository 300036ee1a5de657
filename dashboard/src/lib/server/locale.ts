import { DEFAULT_LOCALE } from '../format/locale.ts';

/** A header as browsers send it is far shorter; what is beyond is not read. */
const MAX_CHARACTERS = 256;

/** `pt-BR`, `pt-BR;q=0.8`. */
const RANGE = /^\s*([a-z]{2,8}(?:-[a-z0-9]{1,8})*)\s*(?:;\s*q\s*=\s*(0(?:\.\d{1,3})?|1(?:\.0{1,3})?)\s*)?$/i;

/** The locale without what asks for other digits or calendars; null when its numbers are not known here. */
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
 * The locale in which somebody reads numbers, by what the browser prefers: the first by weight that can be written here,
 * {@link DEFAULT_LOCALE} when there is none.
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
