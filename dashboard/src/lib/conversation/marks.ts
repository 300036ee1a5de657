import type { TimelineEvent } from '@ctwa-ledger/schemas/conversations.ts';

/** Messages of a customer: an ad click that starts a conversation, one that belongs to that of another, and all others. */
export const CUSTOMER_MARKS = ['entry', 're_click', 'inbound'] as const;
/** What a message of the business is for the bill. */
const BUSINESS_MARKS = ['free_entry', 'free_service', 'covered', 'billable', 'unknown', 'undelivered'] as const;

type CustomerMark = (typeof CUSTOMER_MARKS)[number];
type BusinessMark = (typeof BUSINESS_MARKS)[number];
/** Tells the events of a thread apart: a group message is one for each participant. */
export function eventKey(event: TimelineEvent): string {
  return `${event.kind} ${event.id} ${event.kind === 'outbound' ? event.participant_key : ''}`;
}

/** How a message is drawn in the picture of a conversation. */
export type StripMark = CustomerMark | BusinessMark;

/** Null for what is no message. */
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

/** How many messages have each mark, in the order above; marks that none has are left out. */
export function marksOf(events: readonly TimelineEvent[]): MarkCount[] {
  const marks = events.map(markOf);
  return [...CUSTOMER_MARKS, ...BUSINESS_MARKS]
    .map((kind) => ({ kind, messages: marks.filter((mark) => mark === kind).length }))
    .filter(({ messages }) => messages > 0);
}
