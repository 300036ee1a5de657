import type { TimelineEvent } from '@ctwa-ledger/schemas/conversations.ts';

/**
 * Kinds of messages of a customer: an ad click that starts a conversation, one that belongs to an earlier conversation,
 * and all others.
 */
export const CUSTOMER_MARKS = ['entry', 're_click', 'inbound'] as const;
/** Kinds of messages of the business, by their mark. */
const BUSINESS_MARKS = ['free_entry', 'free_service', 'covered', 'billable', 'unknown', 'undelivered'] as const;

type CustomerMark = (typeof CUSTOMER_MARKS)[number];
type BusinessMark = (typeof BUSINESS_MARKS)[number];
/** Key of an event in a thread. A group message has one event for each participant. */
export function eventKey(event: TimelineEvent): string {
  return `${event.kind} ${event.id} ${event.kind === 'outbound' ? event.participant_key : ''}`;
}

/** How a message is drawn in the picture of a conversation. */
export type StripMark = CustomerMark | BusinessMark;

/** Null for an event that is no message. */
export function markOf(event: TimelineEvent): StripMark | null {
  switch (event.kind) {
    case 'inbound':
      if (event.entry === null) return 'inbound';
      return event.entry.is_re_click ? 're_click' : 'entry';
    case 'outbound':
      return BUSINESS_MARKS.find((mark) => mark === event.billing.toLowerCase()) ?? 'unknown';
    default:
      return null;
  }
}

export interface MarkCount {
  readonly kind: StripMark;
  readonly messages: number;
}

/** How many messages have each mark, in the order above, without marks that none has. */
export function marksOf(events: readonly TimelineEvent[]): MarkCount[] {
  const marks = events.map(markOf);
  return [...CUSTOMER_MARKS, ...BUSINESS_MARKS]
    .map((kind) => ({ kind, messages: marks.filter((mark) => mark === kind).length }))
    .filter(({ messages }) => messages > 0);
}
