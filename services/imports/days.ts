const MONTHS = 'january february march april may june july august september october november december'.split(' ');
/** Spellings of a day with only one meaning: 2026-10-01, October 1, 2026 and 1 October 2026; each with its groups. */
const SPELLINGS = [
  { pattern: /^(\d{4})([-/.])\s?(\d{1,2})\2\s?(\d{1,2})(?!\d)/, year: 1, month: 3, day: 4 },
  { pattern: /^([a-z]{3,9})\.?[\s-]+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\d)/i, year: 3, month: 1, day: 2 },
  {
    pattern: /^(\d{1,2})(?:st|nd|rd|th)?[\s-]+(?:of\s+)?([a-z]{3,9})\.?,?[\s-]+(\d{4})(?!\d)/i,
    year: 3,
    month: 2,
    day: 1,
  },
] as const;

/** A day of the calendar as `YYYY-MM-DD`; null when there is no such day. */
function dayOf(year: number, month: number, day: number): string | null {
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  return date.toISOString().slice(0, 10);
}

function monthOf(name: string): number {
  const letters = name.toLowerCase();
  return letters === 'sept' ? 9 : MONTHS.findIndex((month) => month === letters || month.slice(0, 3) === letters) + 1;
}

/** The day at the start of a text, if its spelling has only one meaning, and its length; else null. */
export function leadingDay(text: string): { readonly day: string; readonly characters: number } | null {
  for (const { pattern, year, month, day } of SPELLINGS) {
    const parts = pattern.exec(text);
    if (parts === null) continue;
    const named = parts[month] ?? '';
    const found = dayOf(Number(parts[year]), /\d/.test(named) ? Number(named) : monthOf(named), Number(parts[day]));
    return found === null ? null : { day: found, characters: parts[0].length };
  }
  return null;
}

/** Whether `10/01/2026` is the first of October or the tenth of January. */
export type DayOrder = 'month_first' | 'day_first';

const NUMBERS = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4})$/;
/** Spreadsheet programs may write a day as its midnight. */
const MIDNIGHT = /[T ]+0?0:00(?::00(?:\.0+)?)?(?:Z| ?AM)?$/i;

/**
 * A day in the spellings of files, as `YYYY-MM-DD`; null when it is none. The order matters only for days written with
 * numbers alone.
 */
export function readDay(text: string, order: DayOrder): string | null {
  const day = text.replace(MIDNIGHT, '').replace(/\.$/, '');
  const [, first, sign, second, year] = NUMBERS.exec(day) ?? [];
  if (year === undefined) {
    const spelled = leadingDay(day);
    return spelled?.characters === day.length ? spelled.day : null;
  }
  // Wherever points are used between the numbers, the day comes first.
  const isMonthFirst = order === 'month_first' && sign !== '.';
  return dayOf(Number(year), Number(isMonthFirst ? first : second), Number(isMonthFirst ? second : first));
}

/**
 * The order of day and month in a file, found from all its days: `10/31/2026` also decides `10/01/2026`.
 * @returns a day that has two meanings, if no other day decides between the two orders
 */
export function dayOrderOf(texts: Iterable<string>): DayOrder | { readonly unclear: string } {
  let [isMonthFirst, isDayFirst] = [true, true];
  let unclear: string | null = null;
  for (const text of texts) {
    const [month_first, day_first] = [readDay(text, 'month_first'), readDay(text, 'day_first')];
    if (month_first === day_first) continue;
    if (month_first === null) isMonthFirst = false;
    else if (day_first === null) isDayFirst = false;
    else unclear ??= text;
  }
  if (isMonthFirst && isDayFirst && unclear !== null) return { unclear };
  return isMonthFirst ? 'month_first' : 'day_first';
}
