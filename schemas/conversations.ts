import type { DecidingRule } from './marks.ts';
import type { AskedPage, PageOf, ReportFilters } from './asked.ts';

/** What has become of an ad conversation by the clock that is asked for: `open` = a free entry window of it is. */
export const CONVERSATION_STATES = ['replied', 'pending', 'not_replied', 'open'] as const;
export type ConversationState = (typeof CONVERSATION_STATES)[number];

/** What the list of ad conversations can be sorted by. */
export const CONVERSATION_COLUMNS = ['entry_at', 'seconds_to_reply', 'ad', 'phone_number_id'] as const;
export type ConversationColumn = (typeof CONVERSATION_COLUMNS)[number];

export interface AskedAdConversations {
  /**
   * Narrowed by `q` (a customer's number or part of it, a message id or a business-scoped user id), `ad` (the id of an ad or
   * post, or its address, exactly) and `state`, one of {@link CONVERSATION_STATES}.
   */
  readonly filters: ReportFilters;
  readonly page: AskedPage<ConversationColumn>;
}

/** One ad conversation (rules.md 6), named by the entry that starts it. Times are Unix seconds, UTC. */
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
  /** Null: not replied. */
  readonly seconds_to_reply: number | null;
  /** The free entry window that it opened last; null = none. */
  readonly window: { readonly opened_at: number; readonly expires_at: number; readonly is_reported: boolean } | null;
  readonly free_messages: number;
}

/** A page of the list. */
export interface AdConversationList extends PageOf<AdConversationRow> {
  /** The messages that `q` names by their id, if it does: then the range filters nothing. */
  readonly messages: readonly { readonly phone_number_id: string; readonly message_id: string }[];
}

/** A place in a time line: everything before it is older. */
export interface TimelineCursor {
  /** Unix seconds. */
  readonly at: number;
  /** Decides among what happens in one second. */
  readonly rank: number;
  readonly id: string;
}

export interface AskedThread {
  readonly phone_number_id: string;
  /** Any message of the thread, of the customer or of the business. */
  readonly message_id: string;
  /** Unix seconds: what is open and what is closed now. */
  readonly as_of: number;
  readonly before: TimelineCursor | null;
}

/** Meta's reason for not delivering a message, from the errors of its status. */
export interface Refusal {
  /** Unix seconds. */
  readonly at: number;
  readonly code: string;
  /** In Meta's words; may be empty. */
  readonly title: string;
}

/** An ad click that a message of the customer carries (rules.md W2). */
interface TimelineEntry {
  readonly source_type: string;
  readonly ad_id: string;
  readonly source_url: string;
  readonly headline: string;
  /** Belongs to the ad conversation of an earlier entry (rules.md 6). */
  readonly is_re_click: boolean;
}

interface Happening {
  /** Unix seconds, UTC. */
  readonly at: number;
  /** The message that it is, or that brought it about. */
  readonly id: string;
  /** Whether a free entry window is open: for a delivered message, whether it is in one (rules.md W7). */
  readonly is_free: boolean;
}

/** What happened in a thread. */
export type TimelineEvent = Happening &
  (
    | { readonly kind: 'inbound'; readonly type: string; readonly entry: TimelineEntry | null }
    | {
        readonly kind: 'outbound';
        /** Of a group message; else empty. */
        readonly participant: string;
        /** Tells the participants of a group message apart in addresses; empty for any other message. */
        readonly participant_key: string;
        /** Empty for a message known from statuses alone. */
        readonly type: string;
        readonly template_name: string;
        readonly category: string;
        /** Sent by a person from the WhatsApp Business app (rules.md F6). */
        readonly is_echo: boolean;
        readonly delivered_at: number | null;
        readonly billing: string;
        readonly predicted: string;
        /** Empty: Meta reported nothing. */
        readonly reported: string;
        /** Whether Meta's report says something known, and something else than was predicted (rules.md V2). */
        readonly differs: boolean;
        /** Reported free by the monthly service allowance: no mismatch (rules.md V2). */
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
        /** Categories of the conversations that were open under conversation pricing and end with it (rules.md 3.1). */
        readonly closed_conversations: readonly string[];
      }
    | { readonly kind: 'free_window_expired' | 'service_window_opened' | 'service_window_closed' }
  );

/** A conversation under conversation pricing (rules.md 3.1), which is what was charged then. Times are Unix seconds, UTC. */
interface PricedConversation {
  readonly category: string;
  readonly opened_at: number;
  /** When it ends by itself. */
  readonly runs_out_at: number;
  /** When the opening of a free entry window ended it before that; null = none did. */
  readonly closed_at: number | null;
}

/** What is open at some time of a part of a time line, also where that began before it or ends after it; oldest first. */
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

/** What a message would be if it were delivered at the clock asked for, by the policy in force then (rules.md 3). */
export interface IfDelivered {
  /** `service` is a free-form message, the others are templates of that category. */
  readonly kind: string;
  readonly mark: string;
  /** The rule that decides it. */
  readonly rule: DecidingRule;
  readonly policy: string;
  /** False: Meta answers NON_TEMPLATE_NOT_ALLOWED. */
  readonly is_allowed: boolean;
  /** What has free places of the month, of which the message takes one while there are any (rules.md M3); null = nothing. */
  readonly free_places: 'allowance' | 'conversations' | null;
  /** What a composer would say before it is sent: the words of the send check. */
  readonly words: string;
}

/** A thread (rules.md F1) as a page shows it. Times are Unix seconds, UTC. */
export interface ThreadView {
  readonly phone_number_id: string;
  /** Empty: no event names one. */
  readonly customer: string;
  /** Of the messages that open the customer service window (rules.md W1), up to `as_of`; null = none. */
  readonly last_customer_message_at: number | null;
  /** Free entry windows that opened up to `as_of`, in their order. */
  readonly windows: readonly { readonly opened_at: number; readonly expires_at: number }[];
  readonly if_delivered_now: readonly IfDelivered[];
  /** The last message that Meta refused to deliver, up to `as_of`; so are the two below. */
  readonly last_refusal: Refusal | null;
  /** Since when the customer wants no marketing, where nothing says that this changed. */
  readonly stopped_marketing_at: number | null;
  /** When Meta said last that nothing can be delivered to the customer, where no message went through since. */
  readonly unreachable_at: number | null;
  /** A part of the time line, oldest first: its end, or what comes before the cursor that was asked for. */
  readonly events: readonly TimelineEvent[];
  readonly spans: OpenSpans;
  /** Where older events end; null = there are none. */
  readonly older: TimelineCursor | null;
  /** Where to read so that the message asked for is among the events, if it is not. */
  readonly around_message: TimelineCursor | null;
}
