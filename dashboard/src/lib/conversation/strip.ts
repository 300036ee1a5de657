import type { OpenSpans, TimelineEvent } from '@ctwa-ledger/schemas/conversations.ts';
import { DateTime } from 'luxon';

import { longDay, shortDay, timeLabel } from '../format/dates.ts';
import { categoryName } from '../format/words.ts';
import { markOf, type StripMark } from './marks.ts';
import { isoOf } from './times.ts';

/*
 * Where everything stands in the picture of a conversation. Positions are per cent of its width, so that it fits whatever
 * it is shown in; what may touch nothing else is laid out for the least width in pixels that it is shown with.
 */

const HOUR = 3600;
const DAY = 24 * HOUR;

/** Least width of what is drawn for a wide page, and for a phone. */
export const LAYOUT_PX = { wide: 560, narrow: 210 } as const;

/** Silences up to this are drawn as long as they are. */
const MIN_SILENCE_SECONDS = 2 * DAY;
/** So are those that take no more of the picture than this. */
const MIN_SILENCE_SHARE = 1 / 20;
/** Of the width, for all breaks and the room beside them. */
const MAX_BREAKS_SHARE = 0.6;
const BREAK_PX = 18;
/** Room at both ends of each part, so that no mark stands on a break. */
const PAD_PX = 6;
/** A thread of one message has no length. */
const MIN_RANGE_SECONDS = HOUR;
/** What a mark takes, with a pixel beside it. */
const MARK_PX = 12;
/** Marks above one another; what finds no room is counted. */
const MAX_LEVELS = 5;
/** Room for `+196`. */
const MORE_PX = 30;
const MIN_BAR_PX = 2;
const CHARACTER_PX = 6.5;
const LABEL_GAP_PX = 8;
const MIN_TICK_PX = 6;
const MIN_HOUR_TICK_PX = 56;

/** Never counted only, as long as there is room. */
const PROMINENT: ReadonlySet<StripMark> = new Set<StripMark>(['entry', 're_click', 'billable', 'unknown']);

export interface PlacedMark {
  readonly kind: StripMark;
  readonly event: TimelineEvent;
  /** Per cent. */
  readonly at: number;
  /** 0 is the lowest. */
  readonly level: number;
  /** Where it was delivered, if that is visibly later than it was sent. */
  readonly delivered: number | null;
}

export interface Lane {
  readonly marks: readonly PlacedMark[];
  /** Marks that found no room, by where the first of them would be. */
  readonly more: readonly { readonly at: number; readonly marks: number }[];
  readonly levels: number;
}

/** A stretch of time, in per cent. */
export interface Bar {
  readonly start: number;
  readonly width: number;
}

export interface WindowBar extends Bar {
  /** Unix seconds. */
  readonly opened_at: number;
  readonly ends_at: number;
  /** What there is room for; empty = for nothing. */
  readonly label: string;
}

export interface FreeWindowBar extends WindowBar {
  readonly is_reported: boolean;
}

export interface ConversationBar extends WindowBar {
  readonly category: string;
  /** What was left of it when the opening of a free entry window ended it; null = none did. */
  readonly rest: Bar | null;
  /** 0 is the highest. */
  readonly row: number;
}

export interface Tick {
  readonly at: number;
  /** Empty where there is no room. */
  readonly label: string;
  /** The begin of a part names its day, but no day begins there. */
  readonly is_line: boolean;
}

export interface Break extends Bar {
  readonly seconds: number;
}

/** A part of the axis between two breaks: `from` and `to` in Unix seconds, `start` and `end` in per cent. */
export interface Part {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
}

export interface Scale {
  readonly parts: readonly Part[];
  readonly breaks: readonly Break[];
  /** Of all parts, so that equal bars are equal times. */
  readonly per_cent_per_second: number;
}

/** A page of a time line, and what is open in it. */
export interface DrawnThread {
  /** Oldest first. */
  readonly events: readonly TimelineEvent[];
  readonly spans: OpenSpans;
  /** Whether nothing is older, and whether nothing is newer, than the page. */
  readonly is_first: boolean;
  readonly is_last: boolean;
  /** Unix seconds. */
  readonly as_of: number;
  readonly tz: string;
}

export interface Strip extends Pick<Scale, 'parts' | 'breaks'> {
  readonly ticks: readonly Tick[];
  readonly customer: Lane;
  readonly business: Lane;
  readonly service_windows: readonly WindowBar[];
  readonly free_windows: readonly FreeWindowBar[];
  readonly conversations: readonly ConversationBar[];
  /** Null: not among what is drawn. */
  readonly now: number | null;
}

interface Stretch {
  readonly from: number;
  readonly to: number;
}

const round = (per_cent: number): number => Math.round(per_cent * 100) / 100;

/** Everything that is open, as stretches; what ends before it begins takes no time. */
function openStretches({ service_windows, free_windows, conversations }: OpenSpans): Stretch[] {
  return [
    ...service_windows.map(({ opened_at, closes_at }) => ({ from: opened_at, to: closes_at })),
    ...free_windows.map(({ opened_at, expires_at }) => ({ from: opened_at, to: expires_at })),
    ...conversations.map(({ opened_at, runs_out_at }) => ({ from: opened_at, to: runs_out_at })),
  ].map(({ from, to }) => ({ from, to: Math.max(from, to) }));
}

/**
 * What is drawn: from the first event of the page to its last one, and, where nothing is newer, to the end of all that is
 * open. At least an hour, with what there is in its middle.
 */
export function rangeOf({ events, spans, is_first, is_last }: DrawnThread): Stretch {
  const open = openStretches(spans);
  const times = events.flatMap((event) =>
    event.kind === 'outbound' && event.delivered_at !== null ? [event.at, event.delivered_at] : [event.at],
  );
  const first = events[0]?.at ?? 0;
  const last = events.at(-1)?.at ?? first;
  const from = is_first ? Math.min(first, ...times, ...open.map((stretch) => stretch.from)) : first;
  const to = is_last ? Math.max(last, ...times, ...open.map((stretch) => stretch.to)) : last;
  const missing = Math.max(0, MIN_RANGE_SECONDS - (to - from));
  return { from: from - missing / 2, to: to + missing / 2 };
}

/** Stretches of the range in which nothing happens and nothing is open, the oldest first. */
function silencesIn(range: Stretch, { events, spans, as_of }: DrawnThread): Stretch[] {
  const times = [...events.flatMap((event) => [event.at, deliveredAt(event) ?? event.at]), as_of, range.to];
  const busy = [...openStretches(spans), ...times.map((at) => ({ from: at, to: at }))]
    .filter(({ from, to }) => range.from <= to && from <= range.to)
    .sort((a, b) => a.from - b.from);
  const silences: Stretch[] = [];
  let until = range.from;
  for (const { from, to } of busy) {
    if (from > until) silences.push({ from: until, to: from });
    until = Math.max(until, to);
  }
  return silences;
}

function deliveredAt(event: TimelineEvent): number | null {
  return event.kind === 'outbound' ? event.delivered_at : null;
}

/**
 * The silences that are left out: the longest ones, as long as they last more than two days and would take more than a
 * twentieth of what is still drawn. So an episode keeps its size however long nobody spoke before it, and messages at even
 * intervals stay at even intervals. No more of them than there is room for; what is open is never cut.
 */
function leftOut(range: Stretch, silences: readonly Stretch[], width_px: number): Stretch[] {
  const most = Math.floor((MAX_BREAKS_SHARE * width_px) / (BREAK_PX + 2 * PAD_PX));
  const left_out: Stretch[] = [];
  let drawn = range.to - range.from;
  for (const silence of silences.toSorted((a, b) => b.to - b.from - (a.to - a.from) || a.from - b.from)) {
    const seconds = silence.to - silence.from;
    if (seconds <= MIN_SILENCE_SECONDS || seconds <= MIN_SILENCE_SHARE * drawn || left_out.length === most) break;
    left_out.push(silence);
    drawn -= seconds;
  }
  return left_out.sort((a, b) => a.from - b.from);
}

/** Times to positions: all parts on one scale, a break of one width for each long silence ({@link leftOut}). */
export function scaleOf(thread: DrawnThread, width_px: number): Scale {
  const range = rangeOf(thread);
  const silences = leftOut(range, silencesIn(range, thread), width_px);
  const seconds = silences.reduce((rest, { from, to }) => rest - (to - from), range.to - range.from);
  const break_width = (100 * BREAK_PX) / width_px;
  const free = 100 - silences.length * break_width;
  // Without a second in any part (messages far from one another) they share the width.
  const pad = seconds > 0 ? (100 * PAD_PX) / width_px : free / (2 * (silences.length + 1));
  const per_cent_per_second = seconds > 0 ? (free - 2 * pad * (silences.length + 1)) / seconds : 0;
  const parts: Part[] = [];
  const breaks: Break[] = [];
  let from = range.from;
  let start = 0;
  for (const silence of [...silences, { from: range.to, to: range.to }]) {
    const end = start + 2 * pad + per_cent_per_second * (silence.from - from);
    parts.push({ from, to: silence.from, start: start + pad, end: end - pad });
    if (silence.from < silence.to)
      breaks.push({ start: round(end), width: round(break_width), seconds: silence.to - silence.from });
    from = silence.to;
    start = end + break_width;
  }
  return { parts, breaks, per_cent_per_second };
}

/** Where a time is, in per cent; what is outside of what is drawn is at its edge, and what is left out in its break. */
export function positionOf({ parts, per_cent_per_second }: Scale, at: number): number {
  const index = parts.findIndex(({ to }) => at <= to);
  const part = parts[index];
  if (part === undefined) return 100;
  if (at >= part.from) return part.start + per_cent_per_second * (at - part.from);
  const before = parts[index - 1];
  if (before === undefined) return 0;
  return before.end + ((at - before.to) / (part.from - before.to)) * (part.start - before.end);
}

function barOf(scale: Scale, width_px: number, from: number, to: number): Bar {
  const min_width = (100 * MIN_BAR_PX) / width_px;
  const start = Math.min(positionOf(scale, from), 100 - min_width);
  const width = Math.max(min_width, positionOf(scale, Math.max(from, to)) - start);
  return { start: round(start), width: round(width) };
}

/** The longest of some texts, given from long to short, that a bar has room for. */
function fitting({ width }: Bar, width_px: number, texts: readonly string[]): string {
  const room_px = (width * width_px) / 100 - LABEL_GAP_PX;
  return texts.find((text) => text.length * CHARACTER_PX <= room_px) ?? '';
}

/** Marks where they are, above one another where they would cover one another. */
function laneOf(events: readonly TimelineEvent[], kind: 'inbound' | 'outbound', scale: Scale, width_px: number): Lane {
  const mark_width = (100 * MARK_PX) / width_px;
  const more_width = (100 * MORE_PX) / width_px;
  const all = events
    .filter((event) => event.kind === kind)
    .map((event) => ({ event, kind: markOf(event) ?? 'unknown', at: positionOf(scale, event.at) }));
  const marks: PlacedMark[] = [];
  const more: { at: number; marks: number }[] = [];
  const taken: number[][] = [];
  for (const mark of [
    ...all.filter((one) => PROMINENT.has(one.kind)),
    ...all.filter((one) => !PROMINENT.has(one.kind)),
  ]) {
    let level = 0;
    while (taken[level]?.some((at) => Math.abs(at - mark.at) < mark_width)) level += 1;
    if (level < MAX_LEVELS) {
      (taken[level] ??= []).push(mark.at);
      const delivered_at = deliveredAt(mark.event);
      const delivered = delivered_at === null ? mark.at : positionOf(scale, delivered_at);
      marks.push({
        ...mark,
        at: round(mark.at),
        level,
        delivered: delivered - mark.at >= mark_width ? round(delivered) : null,
      });
      continue;
    }
    const near = more.find(({ at }) => Math.abs(at - mark.at) < more_width);
    if (near === undefined) more.push({ at: mark.at, marks: 1 });
    else near.marks += 1;
  }
  return {
    marks,
    more: more.map(({ at, marks: count }) => ({ at: round(at), marks: count })),
    levels: taken.length,
  };
}

function freeWindowBars({ spans, tz }: DrawnThread, scale: Scale, width_px: number): FreeWindowBar[] {
  return spans.free_windows.map(({ opened_at, expires_at, is_reported }) => {
    const bar = barOf(scale, width_px, opened_at, expires_at);
    const until = timeLabel(isoOf(expires_at, tz));
    const source = is_reported ? 'reported' : 'estimated';
    const label = fitting(bar, width_px, [`until ${until}, ${source}`, source]);
    return { ...bar, opened_at, ends_at: expires_at, is_reported, label };
  });
}

function serviceWindowBars({ spans, tz }: DrawnThread, scale: Scale, width_px: number): WindowBar[] {
  return spans.service_windows.map(({ opened_at, closes_at }) => {
    const bar = barOf(scale, width_px, opened_at, closes_at);
    const label = fitting(bar, width_px, [`until ${timeLabel(isoOf(closes_at, tz))}`]);
    return { ...bar, opened_at, ends_at: closes_at, label };
  });
}

/** Below one another where they are open at a time. */
function conversationBars({ spans }: DrawnThread, scale: Scale, width_px: number): ConversationBar[] {
  const ends: number[] = [];
  return spans.conversations.map(({ category, opened_at, runs_out_at, closed_at }) => {
    const whole = barOf(scale, width_px, opened_at, runs_out_at);
    const bar = barOf(scale, width_px, opened_at, closed_at ?? runs_out_at);
    const rest_width = whole.start + whole.width - bar.start - bar.width;
    const free = ends.findIndex((end) => end <= whole.start);
    const row = free === -1 ? ends.length : free;
    ends[row] = whole.start + whole.width;
    return {
      ...bar,
      opened_at,
      ends_at: closed_at ?? runs_out_at,
      category,
      label: fitting(whole, width_px, [categoryName(category)]),
      rest:
        closed_at === null || rest_width <= 0
          ? null
          : { start: round(bar.start + bar.width), width: round(rest_width) },
      row,
    };
  });
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

/** Begins of hours, days, weeks, months or years of a zone after `from` and up to `to`; a day has the hours that it has. */
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

/**
 * The ticks of the axis in the days of the zone. The begin of each part names its day, with the year where that is another
 * one than before; then the begins of days (weeks, months; hours where a day is wide) are named as far as there is room.
 */
function ticksOf(scale: Scale, tz: string, width_px: number): Tick[] {
  const second_px = (scale.per_cent_per_second * width_px) / 100;
  const step = STEPS.find(({ seconds, min_px }) => seconds * second_px >= min_px);
  const named: Stretch[] = [];
  const place = (at: number, text: string): string => {
    const from = (at * width_px) / 100;
    const to = from + text.length * CHARACTER_PX;
    if (to > width_px) return '';
    if (named.some((label) => from < label.to + LABEL_GAP_PX && label.from < to + LABEL_GAP_PX)) return '';
    named.push({ from, to });
    return text;
  };
  let year = '';
  const begins = scale.parts.map(({ from, start }): Tick => {
    const day = isoOf(from, tz).slice(0, 10);
    const isKnownYear = day.slice(0, 4) === year;
    year = day.slice(0, 4);
    const label = (isKnownYear ? '' : place(start, longDay(day))) || place(start, shortDay(day));
    return { at: round(start), label, is_line: false };
  });
  const ticks = scale.parts.flatMap((part) =>
    step === undefined ? [] : beginsBetween(part, step, tz).map((at) => ({ at, position: positionOf(scale, at) })),
  );
  return [
    ...begins,
    ...ticks.map(({ at, position }): Tick => {
      const iso = isoOf(at, tz);
      const isDay = step?.unit !== 'hours' || iso.slice(11, 16) === '00:00';
      const text = isDay ? shortDay(iso.slice(0, 10)) : iso.slice(11, 16);
      return { at: round(position), label: place(position, text), is_line: true };
    }),
  ];
}

/**
 * The picture of a page of a time line, laid out so that nothing collides at `width_px` or more. All times are Unix
 * seconds. What begins before the page or ends after it is cut at its edge.
 */
export function stripOf(thread: DrawnThread, width_px: number): Strip {
  const scale = scaleOf(thread, width_px);
  const { from, to } = rangeOf(thread);
  const { events, as_of, tz } = thread;
  return {
    parts: scale.parts,
    breaks: scale.breaks,
    ticks: ticksOf(scale, tz, width_px),
    customer: laneOf(events, 'inbound', scale, width_px),
    business: laneOf(events, 'outbound', scale, width_px),
    service_windows: serviceWindowBars(thread, scale, width_px),
    free_windows: freeWindowBars(thread, scale, width_px),
    conversations: conversationBars(thread, scale, width_px),
    now: from <= as_of && as_of <= to ? round(positionOf(scale, as_of)) : null,
  };
}
