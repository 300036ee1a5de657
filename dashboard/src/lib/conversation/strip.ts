import type { TimelineEvent } from '@ctwa-ledger/schemas/conversations.ts';

import { timeLabel } from '../format/dates.ts';
import { categoryName } from '../format/words.ts';
import { markOf, type StripMark } from './marks.ts';
import { deliveredAt, positionOf, rangeOf, round, scaleOf, type Bar, type DrawnThread, type Scale } from './scale.ts';
import { CHARACTER_PX, TEXT_GAP_PX, ticksOf, type Tick } from './ticks.ts';
import { isoOf } from './times.ts';

/*
 * The layout of the picture of a conversation. Positions are per cent of its width, so that it fits any width. Things
 * that must not touch are laid out for the smallest width in pixels at which the picture is shown.
 */

/** Smallest width of the picture on a wide page, and on a phone. */
export const LAYOUT_PX = { wide: 560, narrow: 210 } as const;

/** Width of a mark, with a pixel of space. */
const MARK_PX = 12;
/** Marks above each other at most. Further ones are counted. */
const MAX_LEVELS = 5;
/** Width of a text like `+196`. */
const MORE_PX = 30;
const MIN_BAR_PX = 2;

/** These marks are drawn before others when space is short. */
const PROMINENT: ReadonlySet<StripMark> = new Set<StripMark>(['entry', 're_click', 'billable', 'unknown']);

interface PlacedMark {
  readonly kind: StripMark;
  readonly event: TimelineEvent;
  /** Per cent. */
  readonly at: number;
  /** 0 = the lowest. */
  readonly level: number;
  /** Position of the delivery, if it is visibly later than the sending. */
  readonly delivered: number | null;
}

export interface Lane {
  readonly marks: readonly PlacedMark[];
  /** Marks without room, counted at the position of the first of them. */
  readonly more: readonly { readonly at: number; readonly marks: number }[];
  readonly levels: number;
}

export interface LabelledBar extends Bar {
  /** The text that has room; empty = none has. */
  readonly label: string;
}

export interface WindowBar extends LabelledBar {
  /** Unix seconds. */
  readonly opened_at: number;
  readonly ends_at: number;
}

interface FreeWindowBar extends WindowBar {
  readonly is_reported: boolean;
}

interface ConversationBar extends WindowBar {
  readonly category: string;
  /** When it would end if nothing closed it, in Unix seconds. */
  readonly runs_out_at: number;
  /** The time that it lost when a free entry window opened; null = none. */
  readonly rest: LabelledBar | null;
  /** 0 = the highest. */
  readonly row: number;
}

export interface Strip extends Pick<Scale, 'parts' | 'breaks'> {
  readonly ticks: readonly Tick[];
  readonly customer: Lane;
  readonly business: Lane;
  readonly service_windows: readonly WindowBar[];
  readonly free_windows: readonly FreeWindowBar[];
  readonly conversations: readonly ConversationBar[];
  /** Null when the time is not drawn. */
  readonly now: number | null;
}

function barOf(scale: Scale, width_px: number, from: number, to: number): Bar {
  const min_width = (100 * MIN_BAR_PX) / width_px;
  const start = Math.min(positionOf(scale, from), 100 - min_width);
  const width = Math.max(min_width, positionOf(scale, Math.max(from, to)) - start);
  return { start: round(start), width: round(width) };
}

/** The longest of some texts, given from long to short, that fits into a bar. */
function fitting({ width }: Bar, width_px: number, texts: readonly string[]): string {
  const room_px = (width * width_px) / 100 - TEXT_GAP_PX;
  return texts.find((text) => text.length * CHARACTER_PX <= room_px) ?? '';
}

/** Marks at their positions, above each other if they would overlap. */
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

/** Below each other if they are open at the same time. */
function conversationBars({ spans }: DrawnThread, scale: Scale, width_px: number): ConversationBar[] {
  const ends: number[] = [];
  return spans.conversations.map(({ category, opened_at, runs_out_at, closed_at }) => {
    const whole = barOf(scale, width_px, opened_at, runs_out_at);
    const bar = barOf(scale, width_px, opened_at, closed_at ?? runs_out_at);
    const rest_width = whole.start + whole.width - bar.start - bar.width;
    const free = ends.findIndex((end) => end <= whole.start);
    const row = free === -1 ? ends.length : free;
    ends[row] = whole.start + whole.width;
    const rest =
      closed_at === null || rest_width <= 0 ? null : { start: round(bar.start + bar.width), width: round(rest_width) };
    const names = [categoryName(category)];
    return {
      ...bar,
      opened_at,
      ends_at: closed_at ?? runs_out_at,
      category,
      runs_out_at,
      label: fitting(bar, width_px, names),
      rest: rest && { ...rest, label: fitting(rest, width_px, names) },
      row,
    };
  });
}

/**
 * The picture of a page of a timeline, laid out so that nothing overlaps at `width_px` or more. All times are Unix
 * seconds. Spans that begin before the page or end after it are cut at its edge.
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
