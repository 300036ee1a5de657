import { Cron } from 'croner';
import { DateTime, IANAZone } from 'luxon';
import { ActionableError } from '../clickhouse/errors.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** When a schedule is due: five fields of cron, in local time of a zone. */
export interface When {
  readonly cron: string;
  /** IANA zone. */
  readonly zone: string;
}

/** A time at which a schedule is due. */
export interface Occurrence {
  /** Unix seconds. */
  readonly at: number;
  /** The day of the schedule, `YYYY-MM-DD`, in its zone. */
  readonly day: string;
}

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const CLOCK = /^([01]?\d|2[0-3]):([0-5]\d)$/;

/** The last three fields of cron for a description in words; null when the words are not known. */
function daysInWords(words: string): string | null {
  if (words === 'every day' || words === 'daily') return '* * *';
  if (words === 'every weekday' || words === 'weekdays') return '* * 1-5';
  const weekday = /^(?:every |weekly on )(\w+)$/.exec(words)?.[1] ?? '';
  if (WEEKDAYS.includes(weekday)) return `* * ${WEEKDAYS.indexOf(weekday)}`;
  if (words === 'last day of the month') return 'L * *';
  const day = Number(/^(?:the |on the )?(\d{1,2})(?:st|nd|rd|th) of the month$/.exec(words)?.[1] ?? 0);
  return day >= 1 && day <= 28 ? `${day} * *` : null;
}

function cronInWords(text: string): string | null {
  const words = text.toLowerCase().replaceAll(/\s+/g, ' ').trim();
  if (words === 'every hour' || words === 'hourly') return '0 * * * *';
  const [, rest = '', clock = ''] = /^(.+?)(?: at)? (\S+)$/.exec(words) ?? [];
  const [, hour, minute] = CLOCK.exec(clock) ?? [];
  const days = daysInWords(rest);
  return days === null || hour === undefined ? null : `${Number(minute)} ${Number(hour)} ${days}`;
}

/** Evaluated in UTC, as a pattern of local times of any zone. */
function patternOf(cron: string): Cron {
  return new Cron(cron, { timezone: 'UTC', mode: '5-part', paused: true });
}

/**
 * Reads when a schedule is due, in words or in five fields of cron. A zone at the end overrides the given one.
 * @throws ActionableError in words
 */
export function readWhen(text: string, zone: string): When {
  const [, before = '', last = ''] = /^(.*\S)\s+(\S+)$/.exec(text.trim()) ?? [];
  const isZone = /^[A-Za-z]+(?:\/|$)/.test(last) && IANAZone.isValidZone(last) && last.toLowerCase() !== 'hour';
  const [what, where] = isZone ? [before, last] : [text.trim(), zone];
  if (!/^[A-Za-z]/.test(where) || !IANAZone.isValidZone(where))
    throw new ActionableError(`"${where}" is not an IANA time zone; use a name like America/Sao_Paulo.`);
  const cron = cronInWords(what) ?? what;
  try {
    if (patternOf(cron).nextRun() === null) throw new Error('it never comes');
  } catch (error) {
    throw new ActionableError(
      `"${text}" does not say when (${error instanceof Error ? error.message : String(error)}); use words like "every weekday 06:00", "every monday 07:30", "1st of the month 07:00", or five fields like "0 6 * * 1-5", with a zone after them.`,
    );
  }
  return { cron, zone: new Intl.DateTimeFormat('en', { timeZone: where }).resolvedOptions().timeZone };
}

/**
 * The moment of a local time in a zone: the first one if the time occurs twice; the moment at which clocks go forward
 * if it does not occur.
 * @param shown the local time, in milliseconds as if it were UTC
 */
function momentOf(shown: number, zone: string): number {
  const offsetAt = (ms: number): number => IANAZone.create(zone).offset(ms) * MINUTE_MS;
  // Clocks change at most once in two days.
  const [before, after] = [offsetAt(shown - DAY_MS), offsetAt(shown + DAY_MS)];
  const moments = [before, after]
    .filter((offset) => offsetAt(shown - offset) === offset)
    .map((offset) => shown - offset);
  if (moments.length > 0) return Math.min(...moments);
  let [early, late] = [shown - after, shown - before];
  while (late - early > 1) {
    const middle = Math.floor((early + late) / 2);
    if (offsetAt(middle) === before) early = middle;
    else late = middle;
  }
  return late;
}

/** The times after a moment at which a schedule is due, each once, in order. */
export function* occurrencesAfter({ cron, zone }: When, after: number): Generator<Occurrence> {
  const pattern = patternOf(cron);
  const local = DateTime.fromSeconds(after, { zone });
  // Begins a day earlier, because clocks that go back show earlier times again.
  let shown = new Date(after * 1000 + local.offset * MINUTE_MS - DAY_MS);
  let last = after;
  for (;;) {
    const next = pattern.nextRun(shown);
    if (next === null) return;
    shown = next;
    const at = Math.ceil(momentOf(next.getTime(), zone) / 1000);
    if (at <= last) continue;
    last = at;
    yield { at, day: next.toISOString().slice(0, 10) };
  }
}

/** The next times, in the zone of the schedule, ISO 8601 with offset. */
export function nextTimes(when: When, nowSeconds: number, count: number): string[] {
  const times: string[] = [];
  if (count === 0) return times;
  for (const { at } of occurrencesAfter(when, nowSeconds)) {
    times.push(DateTime.fromSeconds(at, { zone: when.zone }).toFormat("yyyy-MM-dd'T'HH:mm:ssZZ"));
    if (times.length === count) break;
  }
  return times;
}
