import { CONVERSATION_SECONDS } from '@ctwa-ledger/schemas/durations.ts';
import { compareUtf8 } from '@ctwa-ledger/schemas/json.ts';
import type { Thread } from './facts.ts';
import { opensFreeWindow, type EntryMark, type MessageMark } from './marks.ts';

/**
 * Which windows and conversations were open when in a thread, read from its events and marks. Times are Unix seconds.
 */

/** A thread with its rows, as `foldEvents` gives them: marks of messages in the order in which they were decided (W4). */
export interface MarkedThread {
  readonly facts: Thread;
  /** By `markKey`. */
  readonly messages: ReadonlyMap<string, MessageMark>;
  /** By id. */
  readonly entries: ReadonlyMap<string, EntryMark>;
}

/**
 * Kinds of what happens in a thread, in the order within one second: ends come first, because the end of a window is
 * not part of it (W1, W7); effects of a message come after it.
 */
const KINDS_IN_A_SECOND = [
  'free_window_expired',
  'service_window_closed',
  'inbound',
  'service_window_opened',
  'outbound',
  'free_window_opened',
] as const;
export type TimelineKind = (typeof KINDS_IN_A_SECOND)[number];

/** A position in the order of the timeline. */
export interface TimelinePosition {
  readonly at: number;
  /** As {@link rankInSecond} gives it. */
  readonly rank: number;
  readonly id: string;
}

export function rankInSecond(kind: TimelineKind): number {
  return KINDS_IN_A_SECOND.indexOf(kind);
}

export function comparePositions(a: TimelinePosition, b: TimelinePosition): number {
  return a.at - b.at || a.rank - b.rank || compareUtf8(a.id, b.id);
}

/** A free entry window, by the entry that owns it. */
export type OwnedFreeWindow = NonNullable<EntryMark['window']> & { readonly entry: EntryMark };

/** The free entry windows of a thread (W5), in the order in which they were opened. */
export function freeWindows({ facts, entries }: MarkedThread): OwnedFreeWindow[] {
  return facts.inbound
    .map(({ id }) => entries.get(id))
    .flatMap((entry) => (entry?.window == null ? [] : [{ ...entry.window, entry }]))
    .sort((a, b) => a.opened_at - b.opened_at);
}

/** W7: whether a free entry window is open at a time. */
export function isInFreeWindow(windows: readonly OwnedFreeWindow[], at: number): boolean {
  return windows.some(({ opened_at, expires_at }) => opened_at <= at && at < expires_at);
}

/** A conversation under conversation pricing (3.1). */
export interface PricedConversation {
  readonly category: string;
  readonly opened_at: number;
  /** The time at which it ends if nothing closes it earlier. */
  readonly runs_out_at: number;
  /** When a free entry window that opened ended it earlier; null = none did. */
  readonly closed_at: number | null;
  /** The message that opened that window; null = none did. */
  readonly closed_by: string | null;
}

/** The conversations of a thread (3.1), in the order in which they were opened. */
export function pricedConversations({ facts, messages }: MarkedThread): PricedConversation[] {
  const ids = new Set<string>(facts.outbound.map(({ id }) => id));
  const ended: PricedConversation[] = [];
  let open: PricedConversation[] = [];
  // Marks are in the order of decision, so the conversations open when a window opens are those of the messages before
  // its opener.
  for (const { message_id, rule, delivered_at, is_template, category, window } of messages.values()) {
    if (!ids.has(message_id) || delivered_at === null) continue;
    if (rule === '3.1_opens')
      open.push({
        category: is_template ? category : 'service',
        opened_at: delivered_at,
        runs_out_at: delivered_at + CONVERSATION_SECONDS,
        closed_at: null,
        closed_by: null,
      });
    if (!opensFreeWindow(rule) || window === null) continue;
    const closed_at = window.opened_at;
    for (const one of open)
      ended.push(closed_at < one.runs_out_at ? { ...one, closed_at, closed_by: message_id } : one);
    open = [];
  }
  return [...ended, ...open];
}

/** The messages that opened the free entry windows of a thread, by the entry that owns the window. */
export function openersOfWindows({ facts, messages }: MarkedThread): ReadonlyMap<string, MessageMark> {
  const ids = new Set<string>(facts.outbound.map(({ id }) => id));
  const openers = new Map<string, MessageMark>();
  for (const mark of messages.values())
    if (ids.has(mark.message_id) && opensFreeWindow(mark.rule) && mark.window !== null)
      openers.set(mark.window.entry_id, mark);
  return openers;
}
