import type { OpenSpans, TimelineEvent } from '@ctwa-ledger/schemas/conversations.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

/** Silences up to this length are drawn at full length. */
const MIN_SILENCE_SECONDS = 2 * DAY;
/** So are those that take no more than this share of the picture. */
const MIN_SILENCE_SHARE = 1 / 20;
/** The largest share of the width for all breaks and the space beside them. */
const MAX_BREAKS_SHARE = 0.6;
const BREAK_PX = 18;
/** Space at both ends of each part, so that no mark is drawn on a break. */
const PAD_PX = 6;
/** A thread with one message has no length of its own. */
const MIN_RANGE_SECONDS = HOUR;

/** Unix seconds. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** A time span as position and width, in per cent. */
export interface Bar {
  readonly start: number;
  readonly width: number;
}

interface Break extends Bar {
  readonly seconds: number;
}

/** A part of the axis between two breaks: `from` and `to` in Unix seconds, `start` and `end` in per cent. */
interface Part {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
}

export interface Scale {
  readonly parts: readonly Part[];
  readonly breaks: readonly Break[];
  /** The same in all parts, so that equal lengths are equal times. */
  readonly per_cent_per_second: number;
}

/** A page of a timeline, and the windows open in it. */
export interface DrawnThread {
  /** Oldest first. */
  readonly events: readonly TimelineEvent[];
  readonly spans: OpenSpans;
  /** Whether the page has the oldest event, and whether it has the newest. */
  readonly is_first: boolean;
  readonly is_last: boolean;
  /** Unix seconds. */
  readonly as_of: number;
  readonly tz: string;
}

/** Rounds per cents to what a screen can show. */
export const round = (per_cent: number): number => Math.round(per_cent * 100) / 100;

/** Everything that is open, as spans of time. Those that end before they begin have no length. */
function openStretches({ service_windows, free_windows, conversations }: OpenSpans): Stretch[] {
  return [
    ...service_windows.map(({ opened_at, closes_at }) => ({ from: opened_at, to: closes_at })),
    ...free_windows.map(({ opened_at, expires_at }) => ({ from: opened_at, to: expires_at })),
    ...conversations.map(({ opened_at, runs_out_at }) => ({ from: opened_at, to: runs_out_at })),
  ].map(({ from, to }) => ({ from, to: Math.max(from, to) }));
}

/**
 * The drawn time: from the first event of the page to its last one or, if nothing is newer, to the end of everything
 * that is open. At least an hour, with the events in the middle.
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

/** Spans of the range without events and open windows, oldest first. */
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

/** Null when it was not delivered, or is no message of the business. */
export function deliveredAt(event: TimelineEvent): number | null {
  return event.kind === 'outbound' ? event.delivered_at : null;
}

/**
 * The silences that are cut out: the longest ones, as long as they last more than two days and would take more than a
 * twentieth of what is drawn. So an episode keeps its size however long the silence before it was, and messages at even
 * intervals stay at even intervals. There are only as many as have room. Nothing that is open is cut.
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

/**
 * Maps times to positions: all parts have one scale, and each long silence is a break of fixed width ({@link leftOut}).
 */
export function scaleOf(thread: DrawnThread, width_px: number): Scale {
  const range = rangeOf(thread);
  const silences = leftOut(range, silencesIn(range, thread), width_px);
  const seconds = silences.reduce((rest, { from, to }) => rest - (to - from), range.to - range.from);
  const break_width = (100 * BREAK_PX) / width_px;
  const free = 100 - silences.length * break_width;
  // If no part has any length (messages far from one another), the parts share the width.
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

/**
 * The position of a time, in per cent. A time outside of the drawn range is at its edge, one in a silence at its break.
 */
export function positionOf({ parts, per_cent_per_second }: Scale, at: number): number {
  const index = parts.findIndex(({ to }) => at <= to);
  const part = parts[index];
  if (part === undefined) return 100;
  if (at >= part.from) return part.start + per_cent_per_second * (at - part.from);
  const before = parts[index - 1];
  if (before === undefined) return 0;
  return before.end + ((at - before.to) / (part.from - before.to)) * (part.start - before.end);
}
