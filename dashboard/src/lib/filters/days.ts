import { FIRST_DAY_OF_EVENTS, LAST_GIVEN_DAY } from '@ctwa-ledger/schemas/time-limits.ts';

/** A calendar day, `YYYY-MM-DD`. Days have no zone; the zone is applied where an instant becomes a day. */
export type Day = string;

const MS_PER_DAY = 86_400_000;
const DAY_SHAPE = /^\d{4}-\d{2}-\d{2}$/;

const utc = (day: Day): number => Date.parse(`${day}T00:00:00Z`);

const fromUtc = (ms: number): Day => new Date(ms).toISOString().slice(0, 10);

/** Whether `text` is a day of the calendar (30 February is not) for which the ledger can hold data. */
export function isDay(text: string): boolean {
  if (!DAY_SHAPE.test(text)) return false;
  const ms = utc(text);
  // Date.parse turns 30 February into a day of March, so the day is written back and compared.
  return !Number.isNaN(ms) && fromUtc(ms) === text && text >= FIRST_DAY_OF_EVENTS && text <= LAST_GIVEN_DAY;
}

/** The day `days` later, or earlier when negative. */
export function addDays(day: Day, days: number): Day {
  return fromUtc(utc(day) + days * MS_PER_DAY);
}

/** Number of days from `from` to `to`, `to` exclusive. */
export function daysBetween(from: Day, to: Day): number {
  return Math.round((utc(to) - utc(from)) / MS_PER_DAY);
}

export function monthStart(day: Day): Day {
  return `${day.slice(0, 7)}-01`;
}
