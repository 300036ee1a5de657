import type {
  AskedThread,
  ThreadView,
  OpenSpans,
  Refusal,
  TimelineCursor,
  TimelineEvent,
} from '@ctwa-ledger/schemas/conversations.ts';
import type { MessageEvent } from '@ctwa-ledger/schemas/event.ts';
import { KEEPS_NAMES } from '../ledger/events/removed-events.ts';
import {
  readThread,
  removedOfMessage,
  type FoldedThread,
  type LedgerToRead,
  type RemovedPart,
} from '../ledger/thread.ts';
import type { OutboundMessage } from '../lifecycle/facts.ts';
import { markKey, type EntryMark, type MessageMark } from '../lifecycle/marks.ts';
import { outlookAt } from '../lifecycle/outlook.ts';
import { lastOpeningMessageAt, serviceWindows, type ServiceWindow } from '../lifecycle/service-window.ts';
import {
  pricedConversations,
  comparePositions,
  freeWindows,
  isInFreeWindow,
  openersOfWindows,
  rankInSecond,
} from '../lifecycle/timeline.ts';
import { differsFromReport } from '../lifecycle/verdict.ts';
import { refusalOf, refusalsOf, stoppedMarketingAt, unreachableAt } from '../lifecycle/opt-outs.ts';
import { participantKey } from './participants.ts';

/** Events on a page; a thread may have thousands. */
const PAGE_EVENTS = 200;
/** Events shown after a message that was searched in a long thread. */
const EVENTS_AFTER = 50;
function cursorOf(event: TimelineEvent): TimelineCursor {
  // The rows of a group message share one id and one time.
  const id = event.kind === 'outbound' ? `${event.id}${event.participant_key}` : event.id;
  return { at: event.at, rank: rankInSecond(event.kind), id };
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
    differs: differsFromReport(mark.predicted, mark.report),
    is_allowance_difference: mark.is_allowance_difference,
    refusal: refusal ?? null,
  };
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

/** The windows that are open at some time from `from` to `to`, both inclusive. */
function spansBetween(thread: FoldedThread, from: number, to: number): OpenSpans {
  return {
    service_windows: serviceWindows(thread.facts.inbound)
      .map(({ first, closes_at }) => ({ opened_at: first.timestamp, closes_at }))
      .filter(({ opened_at, closes_at }) => opened_at <= to && from <= closes_at),
    free_windows: freeWindows(thread)
      .filter(({ opened_at, expires_at }) => opened_at <= to && from <= expires_at)
      .map(({ opened_at, expires_at, is_reported }) => ({ opened_at, expires_at, is_reported })),
    conversations: pricedConversations(thread)
      .filter(({ opened_at, runs_out_at }) => opened_at <= to && from <= runs_out_at)
      .map(({ category, opened_at, runs_out_at, closed_at }) => ({ category, opened_at, runs_out_at, closed_at })),
  };
}

/** Everything that happened in a thread, oldest first. Ends of windows are included up to `as_of`. */
function timeline(thread: FoldedThread, refusals: ReadonlyMap<string, Refusal>, as_of: number): TimelineEvent[] {
  const { facts, messages, entries } = thread;
  const windows = freeWindows(thread);
  const conversations = pricedConversations(thread);
  const isFree = (at: number): boolean => isInFreeWindow(windows, at);
  const events = facts.inbound
    .filter(({ id }) => !id.startsWith(KEEPS_NAMES))
    .map((message) => inboundEvent(message, entries.get(message.id), isFree(message.timestamp)));
  const openers = openersOfWindows(thread);
  for (const message of facts.outbound) {
    const mark = messages.get(markKey({ message_id: message.id, participant: message.participant }));
    if (mark === undefined) continue;
    events.push(outboundEvent(message, mark, refusalOf(refusals, message), isFree));
  }
  for (const { entry, opened_at, expires_at, is_reported } of windows) {
    const opener = openers.get(entry.entry_id);
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
  events.push(...serviceWindowEvents(serviceWindows(thread.facts.inbound), as_of, isFree));
  return events.sort((a, b) => comparePositions(cursorOf(a), cursorOf(b)));
}

/**
 * The thread of a message as a page shows it; null when the ledger has no such message. The thread is folded again from
 * its events, and one page of its timeline is returned.
 */
export async function threadView(ledger: LedgerToRead, asked: AskedThread): Promise<ThreadView | null> {
  const thread = await readThread(ledger, asked);
  if (thread === null) return withoutEvents(await removedOfMessage(ledger, asked), asked);
  const { facts } = thread;
  const ids = new Set<string>(facts.outbound.map(({ id }) => id));
  const refusals = refusalsOf(thread.events.filter(({ id }) => ids.has(id)));
  const known = new Map([...refusals].filter(([, { at }]) => at <= asked.as_of));
  const all = timeline(thread, refusals, asked.as_of);
  const { before } = asked;
  const end =
    before === null ? all.length : all.filter((event) => comparePositions(cursorOf(event), before) < 0).length;
  const start = Math.max(0, end - PAGE_EVENTS);
  const first = all[start];
  const final = all[end - 1];
  const position = all.findIndex(
    ({ kind, id }) => (kind === 'inbound' || kind === 'outbound') && id === asked.message_id,
  );
  const after = all[Math.min(position + EVENTS_AFTER, all.length - 1)];
  return {
    phone_number_id: asked.phone_number_id,
    customer:
      facts.group_id === '' ? facts.customer : (facts.inbound[0]?.customer ?? facts.outbound[0]?.customer ?? ''),
    other_names: thread.names.filter((name) => name !== facts.customer),
    last_customer_message_at: lastOpeningMessageAt(facts.inbound, asked.as_of),
    windows: freeWindows(thread)
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
    removed: thread.removed,
  };
}

/** A thread of which all events that could be shown were removed; null when nothing was. */
function withoutEvents(removed: RemovedPart | null, { phone_number_id }: AskedThread): ThreadView | null {
  if (removed === null) return null;
  return {
    phone_number_id,
    customer: removed.customer,
    ...{ other_names: [], last_customer_message_at: null, windows: [], if_delivered_now: [], last_refusal: null },
    ...{ stopped_marketing_at: null, unreachable_at: null, events: [], older: null, around_message: null },
    spans: { service_windows: [], free_windows: [], conversations: [] },
    removed,
  };
}
