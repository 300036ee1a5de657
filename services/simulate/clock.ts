import { DateTime, IANAZone } from 'luxon';
import { BUSINESS_CLOSES, BUSINESS_OPENS, HOUR_WEIGHTS, SAMPLE_ACCOUNTS, WEEKDAY_WEIGHTS } from './world.ts';

export const HOUR = 3600;
export const DAY = 86_400;

/** Midnight in a zone, Unix seconds. */
function midnight(date: string, zone: string): number {
  return DateTime.fromISO(date, { zone }).toSeconds();
}

/** Local time of one account, from tables, because it is needed for every message. */
export interface LocalTime {
  /** Until this time Meta prices by conversation (rules.md 3). */
  readonly perMessageFrom: number;
  /** From here service conversations are free. */
  readonly freeServiceFrom: number;
  /** From here service messages are charged. */
  readonly chargedServiceFrom: number;
  /** Seconds east of UTC at a time (Unix seconds); a change of the clocks counts from the next midnight UTC. */
  offset(time: number): number;
  /** The month of a time, counted from the first month simulated. */
  month(time: number): number;
}

/**
 * @param zone IANA name
 * @param start Unix seconds
 * @param end Unix seconds
 */
function localTime(zone: string, start: number, end: number): LocalTime {
  const iana = IANAZone.create(zone);
  const firstDay = Math.floor(start / DAY);
  const offsets = Int32Array.from(
    { length: Math.ceil(end / DAY) - firstDay + 1 },
    (_, i) => iana.offset((firstDay + i) * DAY * 1000) * 60,
  );
  const months: number[] = [];
  let month = DateTime.fromSeconds(start, { zone }).startOf('month').plus({ months: 1 });
  for (; month.toSeconds() < end + DAY; month = month.plus({ months: 1 })) months.push(month.toSeconds());
  return {
    perMessageFrom: midnight('2025-07-01', zone),
    freeServiceFrom: midnight('2024-11-01', zone),
    chargedServiceFrom: midnight('2026-10-01', zone),
    offset(time) {
      const day = Math.min(Math.max(Math.floor(time / DAY) - firstDay, 0), offsets.length - 1);
      return offsets[day] as number;
    },
    month(time) {
      let index = 0;
      while (index < months.length && (months[index] as number) <= time) index++;
      return index;
    },
  };
}

/** The local times of the sample accounts, in their order; `start` and `end` in Unix seconds. */
export function localTimes(start: number, end: number): LocalTime[] {
  return SAMPLE_ACCOUNTS.map((account) => localTime(account.time_zone ?? 'UTC', start, end));
}

/** 1970-01-01 was a Thursday; Sunday is 0. */
function weekday(localSeconds: number): number {
  return (Math.floor(localSeconds / DAY) + 4) % 7;
}

/** How busy customers are at a time, 0 to 1. */
export function trafficWeight(local: LocalTime, time: number): number {
  const seconds = time + local.offset(time);
  const hour = Math.floor((seconds % DAY) / HOUR);
  return (HOUR_WEIGHTS[hour] as number) * (WEEKDAY_WEIGHTS[weekday(seconds)] as number);
}

/** The time itself in business hours (Monday to Saturday), else the next opening; Unix seconds. */
export function nextBusinessTime(local: LocalTime, time: number): number {
  const offset = local.offset(time);
  const seconds = time + offset;
  const hour = (seconds % DAY) / HOUR;
  const today = weekday(seconds);
  if (today !== 0 && hour >= BUSINESS_OPENS && hour < BUSINESS_CLOSES) return time;
  const midnightToday = seconds - (seconds % DAY);
  let opening = midnightToday + BUSINESS_OPENS * HOUR;
  if (hour >= BUSINESS_OPENS) opening += DAY;
  if (weekday(opening) === 0) opening += DAY;
  return opening - offset;
}
