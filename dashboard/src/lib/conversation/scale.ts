import type { OpenSpans, TimelineEvent } from '@ctwa-ledger/schemas/conversations.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

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

/** Unix seconds. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** A stretch of time, in per cent. */
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

/** Per cent, as precise as a screen shows them. */
export const round = (per_cent: number): number => Math.round(per_cent * 100) / 100;

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

/** Null: not delivered, or no message of the business. */
export function deliveredAt(event: TimelineEvent): number | null {
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
