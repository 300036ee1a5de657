import type {
  AskedConversation,
  Conversation,
  OpenSpans,
  PricedConversation,
  Refusal,
  TimelineCursor,
  TimelineEvent,
} from '@ctwa-ledger/schemas/conversations.ts';
import type { MessageEvent } from '@ctwa-ledger/schemas/event.ts';
import { compareUtf8 } from '@ctwa-ledger/schemas/json.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { readThread, type FoldedThread } from '../ledger/thread.ts';
import type { OutboundMessage } from '../lifecycle/facts.ts';
import { markKey, type EntryMark, type MessageMark } from '../lifecycle/marks.ts';
import { outlookAt } from '../lifecycle/outlook.ts';
import { refusalOf, refusalsOf, stoppedMarketingAt, unreachableAt } from '../lifecycle/opt-outs.ts';
import { participantKey } from './participants.ts';
import { CONVERSATION_SECONDS, CUSTOMER_SERVICE_WINDOW_SECONDS } from '../lifecycle/time.ts';

/** Events of a page; a thread may have thousands. */
const PAGE_EVENTS = 200;
/** Events after the message asked for, when it is looked up in a long thread. */
const EVENTS_AFTER = 50;
/** Among what happens in one second: what ends comes first, what follows from a message comes after it. */
const RANK: Readonly<Record<TimelineEvent['kind'], number>> = {
  free_window_expired: 0,
  service_window_closed: 1,
  inbound: 2,
  service_window_opened: 3,
  outbound: 4,
  free_window_opened: 5,
};

function cursorOf(event: TimelineEvent): TimelineCursor {
  // The rows of a group message have one id and one time.
  const id = event.kind === 'outbound' ? `${event.id}${event.participant_key}` : event.id;
  return { at: event.at, rank: RANK[event.kind], id };
}

function compareCursors(a: TimelineCursor, b: TimelineCursor): number {
  return a.at - b.at || a.rank - b.rank || compareUtf8(a.id, b.id);
}

type Window = NonNullable<EntryMark['window']> & { readonly entry: EntryMark };

function windowsOf({ facts, entries }: FoldedThread): Window[] {
  return facts.inbound
    .map(({ id }) => entries.get(id))
    .flatMap((entry) => (entry?.window == null ? [] : [{ ...entry.window, entry }]))
    .sort((a, b) => a.opened_at - b.opened_at);
}

function inboundEvent(message: MessageEvent, mark: EntryMark | undefined, is_free: boolean): TimelineEvent {
  return {
    kind: 'inbound',
    at: message.timestamp,
    id: message.id,
    is_free,
    type: message.type,
    entry:
      mark === undefined
        ? null
        : {
            source_type: mark.source_type,
            ad_id: mark.ad_id,
            source_url: mark.source_url,
            headline: mark.headline,
            is_re_click: mark.ad_conversation === null,
          },
  };
}

function outboundEvent(
  message: OutboundMessage,
  mark: MessageMark,
  refusal: Refusal | undefined,
  isFree: (at: number) => boolean,
): TimelineEvent {
  return {
    kind: 'outbound',
    participant: message.participant,
    participant_key: participantKey(message.participant),
    at: message.sent_at,
    id: message.id,
    is_free: message.delivered_at === null ? isFree(message.sent_at) : mark.window !== null,
    type: message.type,
    template_name: message.template_name,
    category: message.category,
    is_echo: message.is_echo,
    delivered_at: message.delivered_at,
    billing: mark.billing,
    predicted: mark.predicted,
    reported: mark.report?.mark ?? '',
    is_allowance_difference: mark.is_allowance_difference,
    refusal: refusal ?? null,
  };
}

/** A stretch in which the customer service window is open (W1), by the messages that open it and that keep it open last. */
interface ServiceWindow {
  readonly first: MessageEvent;
  readonly last: MessageEvent;
  readonly closes_at: number;
}

function serviceWindowsOf(thread: FoldedThread): ServiceWindow[] {
  const windows: ServiceWindow[] = [];
  for (const message of openingMessages(thread)) {
    const open = windows.at(-1);
    const goes_on = open !== undefined && message.timestamp <= open.closes_at;
    if (goes_on) windows.pop();
    const closes_at = message.timestamp + CUSTOMER_SERVICE_WINDOW_SECONDS;
    windows.push({ first: goes_on ? open.first : message, last: message, closes_at });
  }
  return windows;
}

/** Openings and closings of the customer service window (W1) up to a time. */
function serviceWindowEvents(
  windows: readonly ServiceWindow[],
  as_of: number,
  isFree: (at: number) => boolean,
): TimelineEvent[] {
  return windows.flatMap(({ first: { id, timestamp }, last, closes_at }) => {
    const opened = { kind: 'service_window_opened', at: timestamp, id, is_free: isFree(timestamp) } as const;
    const closed = { kind: 'service_window_closed', at: closes_at, id: last.id, is_free: isFree(closes_at) } as const;
    return closes_at <= as_of ? [opened, closed] : [opened];
  });
}

interface OpenedConversation extends PricedConversation {
  /** The message that opened the free entry window which ended it; null = none did. */
  readonly closed_by: string | null;
}

/** The conversations of a thread (3.1), in the order in which they were opened. */
function conversationsOf({ facts, messages }: FoldedThread): OpenedConversation[] {
  const ids = new Set<string>(facts.outbound.map(({ id }) => id));
  const ended: OpenedConversation[] = [];
  let open: OpenedConversation[] = [];
  // Marks are in the order of W4, so what is open when a window opens is what came before its opener.
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
    if (rule !== 'W5' || window === null) continue;
    const closed_at = window.opened_at;
    for (const one of open)
      ended.push(closed_at < one.runs_out_at ? { ...one, closed_at, closed_by: message_id } : one);
    open = [];
  }
  return [...ended, ...open];
}

/** What is open at some time from `from` to `to`, both meant. */
function spansBetween(thread: FoldedThread, from: number, to: number): OpenSpans {
  return {
    service_windows: serviceWindowsOf(thread)
      .map(({ first, closes_at }) => ({ opened_at: first.timestamp, closes_at }))
      .filter(({ opened_at, closes_at }) => opened_at <= to && from <= closes_at),
    free_windows: windowsOf(thread)
      .filter(({ opened_at, expires_at }) => opened_at <= to && from <= expires_at)
      .map(({ opened_at, expires_at, is_reported }) => ({ opened_at, expires_at, is_reported })),
    conversations: conversationsOf(thread)
      .filter(({ opened_at, runs_out_at }) => opened_at <= to && from <= runs_out_at)
      .map(({ category, opened_at, runs_out_at, closed_at }) => ({ category, opened_at, runs_out_at, closed_at })),
  };
}

/** Everything that happened in a thread, oldest first; what ends by itself, up to `as_of`. */
function timeline(thread: FoldedThread, refusals: ReadonlyMap<string, Refusal>, as_of: number): TimelineEvent[] {
  const { facts, messages, entries } = thread;
  const windows = windowsOf(thread);
  const conversations = conversationsOf(thread);
  const isFree = (at: number): boolean => windows.some((w) => w.opened_at <= at && at < w.expires_at);
  const events = facts.inbound.map((message) =>
    inboundEvent(message, entries.get(message.id), isFree(message.timestamp)),
  );
  const opened = new Map<string, MessageMark>();
  for (const message of facts.outbound) {
    const mark = messages.get(markKey({ message_id: message.id, participant: message.participant }));
    if (mark === undefined) continue;
    if (mark.rule === 'W5' && mark.window !== null) opened.set(mark.window.entry_id, mark);
    events.push(outboundEvent(message, mark, refusalOf(refusals, message), isFree));
  }
  for (const { entry, opened_at, expires_at, is_reported } of windows) {
    const opener = opened.get(entry.entry_id);
    if (opener === undefined) continue;
    events.push({
      kind: 'free_window_opened',
      at: opened_at,
      id: opener.message_id,
      is_free: true,
      entry_id: entry.entry_id,
      entry_at: entry.entry_at,
      expires_at,
      is_reported,
      closed_conversations: conversations
        .filter(({ closed_by }) => closed_by === opener.message_id)
        .map(({ category }) => category),
    });
    if (expires_at <= as_of)
      events.push({ kind: 'free_window_expired', at: expires_at, id: opener.message_id, is_free: false });
  }
  events.push(...serviceWindowEvents(serviceWindowsOf(thread), as_of, isFree));
  return events.sort((a, b) => compareCursors(cursorOf(a), cursorOf(b)));
}

/** The messages that open the customer service window (W1), oldest first. */
function openingMessages({ facts }: FoldedThread): MessageEvent[] {
  return facts.inbound.filter(({ type }) => type !== 'system').sort((a, b) => a.timestamp - b.timestamp);
}

/**
 * The thread of a message as a page shows it; null when the ledger knows no such message. The thread is folded again from
 * its events, and a page of the time line is given out.
 */
export async function conversation(ledger: Ledger, asked: AskedConversation): Promise<Conversation | null> {
  const thread = await readThread(ledger, asked);
  if (thread === null) return null;
  const { facts } = thread;
  const ids = new Set<string>(facts.outbound.map(({ id }) => id));
  const refusals = refusalsOf(thread.events.filter(({ id }) => ids.has(id)));
  const known = new Map([...refusals].filter(([, { at }]) => at <= asked.as_of));
  const all = timeline(thread, refusals, asked.as_of);
  const { before } = asked;
  const end = before === null ? all.length : all.filter((event) => compareCursors(cursorOf(event), before) < 0).length;
  const start = Math.max(0, end - PAGE_EVENTS);
  const first = all[start];
  const final = all[end - 1];
  const position = all.findIndex(
    ({ kind, id }) => (kind === 'inbound' || kind === 'outbound') && id === asked.message_id,
  );
  const after = all[Math.min(position + EVENTS_AFTER, all.length - 1)];
  const last = openingMessages(thread).findLast(({ timestamp }) => timestamp <= asked.as_of);
  return {
    phone_number_id: asked.phone_number_id,
    customer: facts.inbound[0]?.customer ?? facts.outbound[0]?.customer ?? '',
    last_customer_message_at: last?.timestamp ?? null,
    windows: windowsOf(thread)
      .filter(({ opened_at }) => opened_at <= asked.as_of)
      .map(({ opened_at, expires_at }) => ({ opened_at, expires_at })),
    if_delivered_now: outlookAt(facts, thread.rulebook, asked.as_of),
    last_refusal: [...known.values()].sort((a, b) => b.at - a.at)[0] ?? null,
    stopped_marketing_at: stoppedMarketingAt(facts, thread.events, asked.as_of),
    unreachable_at: unreachableAt(facts, known, asked.as_of),
    events: all.slice(start, end),
    spans: spansBetween(
      thread,
      start > 0 ? (first?.at ?? -Infinity) : -Infinity,
      end < all.length ? (final?.at ?? -Infinity) : Infinity,
    ),
    older: start > 0 && first !== undefined ? cursorOf(first) : null,
    around_message:
      position !== -1 && (position < start || position >= end) && after !== undefined ? cursorOf(after) : null,
  };
}
