import { DateTime } from 'luxon';

import { longDay, shortDay } from '../format/dates.ts';
import { positionOf, round, type Scale, type Stretch } from './scale.ts';
import { isoOf } from './times.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

/** Largest width of a character of the smallest text. */
export const CHARACTER_PX = 6.5;
/** Space beside a text. */
export const TEXT_GAP_PX = 8;
const MIN_TICK_PX = 6;
const MIN_HOUR_TICK_PX = 56;

export interface Tick {
  readonly at: number;
  /** Empty when there is no room. */
  readonly label: string;
  /** Whether it has a line. The begin of a part names its day, but no day begins there. */
  readonly is_line: boolean;
}

interface Step {
  readonly unit: 'hours' | 'days' | 'weeks' | 'months';
  readonly of: number;
  readonly seconds: number;
  readonly min_px: number;
}

/** From small to large. */
const STEPS: readonly Step[] = [
  { unit: 'hours', of: 1, seconds: HOUR, min_px: MIN_HOUR_TICK_PX },
  { unit: 'hours', of: 3, seconds: 3 * HOUR, min_px: MIN_HOUR_TICK_PX },
  { unit: 'hours', of: 6, seconds: 6 * HOUR, min_px: MIN_HOUR_TICK_PX },
  { unit: 'days', of: 1, seconds: DAY, min_px: MIN_TICK_PX },
  { unit: 'weeks', of: 1, seconds: 7 * DAY, min_px: MIN_TICK_PX },
  { unit: 'months', of: 1, seconds: 30 * DAY, min_px: MIN_TICK_PX },
  { unit: 'months', of: 12, seconds: 365 * DAY, min_px: 0 },
];

const FLOORS = { hours: 'day', days: 'day', weeks: 'week', months: 'year' } as const;
const HOURS_OF_DAY = 24;

/**
 * The begins of hours, days, weeks, months or years of a zone after `from` and up to `to`. A day may have 23 or 25
 * hours.
 */
function beginsBetween({ from, to }: Stretch, { unit, of }: Step, tz: string): number[] {
  const floor = DateTime.fromSeconds(from, { zone: tz }).startOf(FLOORS[unit]);
  const begin = (index: number): number => {
    const hours = unit === 'hours' ? index * of : 0;
    const moment =
      unit === 'hours'
        ? // By the clock: six hours after midnight it is not six everywhere.
          floor.plus({ days: Math.floor(hours / HOURS_OF_DAY) }).set({ hour: hours % HOURS_OF_DAY })
        : floor.plus({ [unit]: index * of }).startOf(FLOORS[unit] === 'year' ? 'month' : FLOORS[unit]);
    return moment.toSeconds();
  };
  const begins: number[] = [];
  for (let index = 0, at = begin(0); at <= to; at = begin(++index))
    if (at > from && at !== begins.at(-1)) begins.push(at);
  return begins;
}

/** Reserves space below the axis: returns a text, or an empty one if it would overlap with an earlier one. */
function roomFor(width_px: number): (at: number, text: string) => string {
  const taken: Stretch[] = [];
  return (at, text) => {
    const from = (at * width_px) / 100;
    const to = from + text.length * CHARACTER_PX;
    if (to > width_px) return '';
    if (taken.some((other) => from < other.to + TEXT_GAP_PX && other.from < to + TEXT_GAP_PX)) return '';
    taken.push({ from, to });
    return text;
  };
}

/**
 * The ticks of the axis in the days of a zone: begins of days; of weeks or months if days are narrow; of hours if days
 * are wide. They are named if there is room. The begin of each part names its day, with the year if it differs from the
 * one before and there is room.
 */
export function ticksOf(scale: Scale, tz: string, width_px: number): Tick[] {
  const second_px = (scale.per_cent_per_second * width_px) / 100;
  const step = STEPS.find(({ seconds, min_px }) => seconds * second_px >= min_px);
  const place = roomFor(width_px);
  const marked = scale.parts
    .flatMap((part) => (step === undefined ? [] : beginsBetween(part, step, tz)))
    .map((at) => ({
      position: positionOf(scale, at),
      iso: isoOf(at, tz),
      isDay: step?.unit !== 'hours' || isoOf(at - 1, tz).slice(0, 10) !== isoOf(at, tz).slice(0, 10),
    }));
  const named = ({ position, iso, isDay }: (typeof marked)[number]): Tick => {
    const text = isDay ? shortDay(iso.slice(0, 10)) : iso.slice(11, 16);
    return { at: round(position), label: place(position, text), is_line: true };
  };
  // An hour belongs to the day named before it, so days come before hours.
  const isFirst = (tick: (typeof marked)[number]): boolean => step?.unit === 'hours' && tick.isDay;
  const days = marked.filter(isFirst).map(named);
  let year = '';
  const begins = scale.parts.map(({ from, start }, index): Tick => {
    const day = isoOf(from, tz).slice(0, 10);
    const room_px = (((scale.parts[index + 1]?.start ?? 100) - start) * width_px) / 100 - TEXT_GAP_PX;
    const isNew = day.slice(0, 4) !== year && longDay(day).length * CHARACTER_PX <= room_px;
    const with_year = isNew ? place(start, longDay(day)) : '';
    if (with_year !== '') year = day.slice(0, 4);
    return { at: round(start), label: with_year || place(start, shortDay(day)), is_line: false };
  });
  return [...begins, ...days, ...marked.filter((tick) => !isFirst(tick)).map(named)];
}
