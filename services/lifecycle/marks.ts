import type { MetaError } from './failures.ts';
import type { Circumstance, DecidingRule, Mark, PolicyName } from '@ctwa-ledger/schemas/marks.ts';
import type { Customer, MessageId, PhoneNumberId, WabaId } from '@ctwa-ledger/schemas/ids.ts';

export type { Circumstance, DecidingRule, Mark, PolicyName } from '@ctwa-ledger/schemas/marks.ts';

/**
 * The deciding rule of a message that opens a free entry window (W5), and of one in a window that is already open (W7).
 */
export const OPENS_FREE_WINDOW = 'W5' as const satisfies DecidingRule;
export const IN_FREE_WINDOW = 'W7' as const satisfies DecidingRule;

/** Whether a message opens a free entry window (W5). */
export function opensFreeWindow(rule: DecidingRule): boolean {
  return rule === OPENS_FREE_WINDOW;
}

/** Whether a message is in a free entry window that another one opened (W7). */
export function isInOpenFreeWindow(rule: DecidingRule): boolean {
  return rule === IN_FREE_WINDOW;
}

/** Meta's report on a message, as V1 reads it, with what rating needs of it. */
export interface Report {
  readonly mark: Mark;
  /** Lower case with `_`; empty when absent. */
  readonly category: string;
  readonly pricing_model: string;
  readonly conversation_id: string;
}

/** One outbound message and its marks: a row of the `messages` report. Times are Unix seconds, UTC. */
export interface MessageMark {
  readonly phone_number_id: PhoneNumberId;
  readonly message_id: MessageId;
  /** F8: of a group message, the participant whose row this is; empty for any other. Part of what identifies a row. */
  readonly participant: string;
  /** F9: the person's name; of a group message the participant. */
  readonly customer: Customer;
  /** F3, M2: the name by which the message's own events call the customer. */
  readonly recipient: Customer;
  /** F3: the sender's name for the customer, if Meta's statuses name another one; else empty. */
  readonly dialled_customer: string;
  /** The tag that the sender attached; empty when there is none. */
  readonly tag: string;
  /** Meta's error; null unless a status says that it failed. */
  readonly failure: MetaError | null;
  /** Empty when no event or account names one. */
  readonly waba_id: WabaId | '';
  readonly sent_at: number;
  readonly delivered_at: number | null;
  /** Empty for a message known from statuses alone. */
  readonly type: string;
  readonly template_name: string;
  readonly category: string;
  readonly is_template: boolean;
  readonly is_echo: boolean;
  /** Null while undelivered. */
  readonly policy: PolicyName | null;
  readonly predicted: Mark;
  readonly report: Report | null;
  readonly billing: Mark;
  /** V2: delivered, reported, not `UNKNOWN`, and different from `predicted`; the allowance case excepted. */
  readonly is_mismatch: boolean;
  /** V2: predicted `BILLABLE`, reported `FREE_SERVICE`, a service message from 2026-10: the monthly allowance. */
  readonly is_allowance_difference: boolean;
  /** The mark that the message would have had with no free entry at all (M4). */
  readonly without_free_entry: Mark;
  /** The entry that owns the free entry window the message is in; null outside one. */
  readonly window: WindowMembership | null;
  readonly rule: DecidingRule;
  /** Window reports (W8) on this message that did not count. */
  readonly odd_reports: number;
  readonly circumstance: Circumstance;
  /** The free entry window that the message is in and that only Meta reports; null when it is in none. */
  readonly reported_window: ReportedWindowMembership | null;
}

/** Identifies a row among those of one business number: a group message has a row for each participant. */
export function markKey(row: { readonly message_id: string; readonly participant: string }): string {
  return `${row.message_id}\n${row.participant}`;
}

/** A free entry window that Meta reports and no known entry explains. */
export interface ReportedWindowMembership {
  /** Meta's conversation id; where there is none, the id of the window's first message. */
  readonly id: string;
  /** Whether this message is the window's first. */
  readonly is_first: boolean;
  /** The end that Meta reports on this message, Unix seconds; null when it reports none. */
  readonly expires_at: number | null;
}

export interface WindowMembership {
  readonly entry_id: MessageId;
  readonly entry_at: number;
  readonly ad_id: string;
  readonly source_type: string;
  readonly opened_at: number;
  /** As known when this message was decided (W7); later reports may have moved it. */
  readonly expires_at: number;
}

/** One entry (W2): a row of the `conversations` report. Times are Unix seconds, UTC. */
export interface EntryMark {
  readonly phone_number_id: PhoneNumberId;
  readonly entry_id: MessageId;
  readonly customer: Customer;
  readonly entry_at: number;
  readonly source_type: string;
  readonly ad_id: string;
  readonly source_url: string;
  readonly ctwa_clid: string;
  readonly headline: string;
  /** The reply that answered it (W4). */
  readonly reply: { readonly message_id: MessageId; readonly sent_at: number; readonly delivered_at: number } | null;
  /** The free entry window that it owns (W5). */
  readonly window: {
    readonly opened_at: number;
    readonly expires_at: number;
    /** Messages in it, the opener included. */
    readonly free_messages: number;
    /** Whether Meta reported a free entry on one of them (rules.md 6, FEP confirmed). */
    readonly is_confirmed: boolean;
    /** Whether `expires_at` is Meta's (W8) rather than the 72 h estimate. */
    readonly is_reported: boolean;
  } | null;
  /** The entry that starts the ad conversation it belongs to; itself unless it is a re-click (rules.md 6). */
  readonly ad_conversation_id: MessageId;
  /** What became of the ad conversation, on the entry that starts it; null on a re-click. */
  readonly ad_conversation: {
    readonly last_entry_at: number;
    readonly is_replied: boolean;
    /** Time to first reply; null when not replied. */
    readonly seconds_to_reply: number | null;
  } | null;
}

/** An inbound message that came without its content, and so perhaps without its ad. */
export interface LostReferral {
  readonly phone_number_id: PhoneNumberId;
  readonly message_id: MessageId;
  readonly customer: Customer;
  /** Unix seconds. */
  readonly written_at: number;
  /** False when the copy that counts has its content. The ledger may still hold a row of another copy. */
  readonly is_lost: boolean;
}

/** A row that an earlier, smaller set of events may have made and that this set does not make. */
export interface Retraction {
  readonly phone_number_id: PhoneNumberId;
  readonly id: MessageId;
  /** F8: of a group message; else empty, as for an entry. */
  readonly participant: string;
  /** The customer of the message's thread. */
  readonly customer: Customer;
}

/** F9: what rows call the customer of events that are landed under a name, where it may be another name. */
export interface CustomerName {
  readonly phone_number_id: PhoneNumberId;
  readonly name: string;
  readonly customer: Customer;
}

/** All rows that a set of events makes. A function of the set: order and duplicates do not matter. */
export interface Rows {
  readonly messages: readonly MessageMark[];
  readonly entries: readonly EntryMark[];
  readonly retracted_messages: readonly Retraction[];
  readonly retracted_entries: readonly Retraction[];
  readonly lost_referrals: readonly LostReferral[];
  readonly customer_names: readonly CustomerName[];
}
