import type { DecidingRule } from './marks.ts';
import type { AskedPage, PageOf, ReportFilters } from './asked.ts';

/** States of an ad conversation at the requested time; `open` = one of its free entry windows is open. */
export const CONVERSATION_STATES = ['replied', 'pending', 'not_replied', 'open'] as const;
export type ConversationState = (typeof CONVERSATION_STATES)[number];

/** Columns that the list of ad conversations can be sorted by. */
export const CONVERSATION_COLUMNS = ['entry_at', 'seconds_to_reply', 'ad', 'phone_number_id'] as const;
export type ConversationColumn = (typeof CONVERSATION_COLUMNS)[number];

export interface AskedAdConversations {
  /**
   * Narrowed by `q` (a customer's number or part of it, a message id or a business-scoped user id), `ad` (the id of an
   * ad or post, or its exact address) and `state`, one of {@link CONVERSATION_STATES}.
   */
  readonly filters: ReportFilters;
  readonly page: AskedPage<ConversationColumn>;
}

/** One ad conversation (rules.md 6), identified by the entry that starts it. Times are Unix seconds, UTC. */
export interface AdConversationRow {
  readonly phone_number_id: string;
  readonly entry_id: string;
  readonly customer: string;
  readonly entry_at: number;
  readonly source_type: string;
  readonly ad_id: string;
  readonly source_url: string;
  readonly headline: string;
  readonly last_entry_at: number;
  readonly is_replied: boolean;
  /** Null when not replied. */
  readonly seconds_to_reply: number | null;
  /** Its last free entry window; null = none. */
  readonly window: { readonly opened_at: number; readonly expires_at: number; readonly is_reported: boolean } | null;
  readonly free_messages: number;
}

/** A page of the list. */
export interface AdConversationList extends PageOf<AdConversationRow> {
  /** The messages with the id `q`, if there are any: then the days filter nothing. */
  readonly messages: readonly { readonly phone_number_id: string; readonly message_id: string }[];
}

/** A position in a timeline: everything before it is older. */
export interface TimelineCursor {
  /** Unix seconds. */
  readonly at: number;
  /** Decides the order within one second. */
  readonly rank: number;
  readonly id: string;
}

export interface AskedThread {
  readonly phone_number_id: string;
  /** Any message of the thread, from the customer or the business. */
  readonly message_id: string;
  /** Unix seconds: the time at which windows are open or closed. */
  readonly as_of: number;
  readonly before: TimelineCursor | null;
}

/** Meta's reason for not delivering a message, from the errors of its status. */
export interface Refusal {
  /** Unix seconds. */
  readonly at: number;
  readonly code: string;
  /** Meta's text; may be empty. */
  readonly title: string;
}

/** An ad click that a message of the customer carries (rules.md W2). */
interface TimelineEntry {
  readonly source_type: string;
  readonly ad_id: string;
  readonly source_url: string;
  readonly headline: string;
  /** Whether it belongs to the ad conversation of an earlier entry (rules.md 6). */
  readonly is_re_click: boolean;
}

interface Happening {
  /** Unix seconds, UTC. */
  readonly at: number;
  /** The message itself, or the one that caused the event. */
  readonly id: string;
  /** Whether a free entry window is open; for a delivered message: whether the message is in one (rules.md W7). */
  readonly is_free: boolean;
}

/** An event in a thread. */
export type TimelineEvent = Happening &
  (
    | { readonly kind: 'inbound'; readonly type: string; readonly entry: TimelineEntry | null }
    | {
        readonly kind: 'outbound';
        /** For a group message, the participant; else empty. */
        readonly participant: string;
        /** Identifies a participant of a group message in addresses; empty for other messages. */
        readonly participant_key: string;
        /** Empty for a message known from statuses alone. */
        readonly type: string;
        readonly template_name: string;
        readonly category: string;
        /** Whether a person sent it from the WhatsApp Business app (rules.md F6). */
        readonly is_echo: boolean;
        readonly delivered_at: number | null;
        readonly billing: string;
        readonly predicted: string;
        /** Empty when Meta reported nothing. */
        readonly reported: string;
        /** Whether Meta's report is known and differs from the prediction (rules.md V2). */
        readonly differs: boolean;
        /** Whether the difference comes from the monthly service allowance, and so is no mismatch (rules.md V2). */
        readonly is_allowance_difference: boolean;
        readonly refusal: Refusal | null;
      }
    | {
        readonly kind: 'free_window_opened';
        readonly entry_id: string;
        readonly entry_at: number;
        readonly expires_at: number;
        /** Whether `expires_at` is Meta's (rules.md W8) and not the estimate of 72 hours. */
        readonly is_reported: boolean;
        /** Categories of the conversations under conversation pricing that this window ends (rules.md 3.1). */
        readonly closed_conversations: readonly string[];
      }
    | { readonly kind: 'free_window_expired' | 'service_window_opened' | 'service_window_closed' }
  );

/** A conversation under conversation pricing (rules.md 3.1): the unit that was charged. Times are Unix seconds, UTC. */
interface PricedConversation {
  readonly category: string;
  readonly opened_at: number;
  /** The time at which it ends if nothing closes it earlier. */
  readonly runs_out_at: number;
  /** When a free entry window that opened ended it earlier; null = none did. */
  readonly closed_at: number | null;
}

/** What is open during a part of a timeline, even if it began before or ends after it; oldest first. */
export interface OpenSpans {
  /** Customer service windows (rules.md W1). */
  readonly service_windows: readonly { readonly opened_at: number; readonly closes_at: number }[];
  readonly free_windows: readonly {
    readonly opened_at: number;
    readonly expires_at: number;
    /** Whether `expires_at` is Meta's (rules.md W8) and not the estimate of 72 hours. */
    readonly is_reported: boolean;
  }[];
  readonly conversations: readonly PricedConversation[];
}

/** What a message would be if it were delivered at the requested time, under the policy in force then (rules.md 3). */
export interface IfDelivered {
  /** `service` is a free-form message, the others are templates of that category. */
  readonly kind: string;
  readonly mark: string;
  /** The deciding rule. */
  readonly rule: DecidingRule;
  readonly policy: string;
  /** False when Meta would answer NON_TEMPLATE_NOT_ALLOWED. */
  readonly is_allowed: boolean;
  /**
   * The kind of free places of the month that the message would use up, while there are any (rules.md M3); null = none.
   */
  readonly free_places: 'allowance' | 'conversations' | null;
  /** The sentence that a composer shows before it is sent, as in the send check. */
  readonly words: string;
}

/** A thread (rules.md F1) as a page shows it. Times are Unix seconds, UTC. */
export interface ThreadView {
  readonly phone_number_id: string;
  /** Empty when no event names one. */
  readonly customer: string;
  /** The other names of the customer (rules.md F9), in the order of their bytes. */
  readonly other_names: readonly string[];
  /** The last message that opened the customer service window (rules.md W1), up to `as_of`; null = none. */
  readonly last_customer_message_at: number | null;
  /** Free entry windows that opened up to `as_of`, in order. */
  readonly windows: readonly { readonly opened_at: number; readonly expires_at: number }[];
  readonly if_delivered_now: readonly IfDelivered[];
  /** The last message that Meta refused to deliver, up to `as_of`; this limit also holds for the two fields below. */
  readonly last_refusal: Refusal | null;
  /** Since when the customer wants no marketing messages, if nothing says that this changed. */
  readonly stopped_marketing_at: number | null;
  /** When Meta last said that the customer cannot be reached, if no message went through since. */
  readonly unreachable_at: number | null;
  /** A part of the timeline, oldest first: its end, or the events before the requested cursor. */
  readonly events: readonly TimelineEvent[];
  readonly spans: OpenSpans;
  /** The cursor for older events; null = there are none. */
  readonly older: TimelineCursor | null;
  /** The cursor with which the requested message is among the events, if it is not. */
  readonly around_message: TimelineCursor | null;
  /** Events of the thread that were removed because they were old; null = none were. */
  readonly removed: RemovedEventsView | null;
}

/** What was removed of a thread, when, and the times between which that was, Unix seconds. */
interface RemovedEventsView {
  /** `YYYY-MM-DD`, UTC. */
  readonly on: string;
  readonly events: number;
  readonly first_at: number;
  readonly last_at: number;
}
