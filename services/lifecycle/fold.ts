import type { LedgerEvent, MessageEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Customer, PhoneNumberId } from '@ctwa-ledger/schemas/ids.ts';
import { adConversations, secondsToFirstReply } from './ad-conversations.ts';
import { establishFacts, type OutboundMessage, type Thread } from './facts.ts';
import {
  IN_FREE_WINDOW,
  OPENS_FREE_WINDOW,
  type Circumstance,
  type CustomerName,
  type DecidingRule,
  type EntryMark,
  type LostReferral,
  type Mark,
  type MessageMark,
  type PolicyName,
  type ReportedWindowMembership,
  type Retraction,
  type Rows,
} from './marks.ts';
import { PricedConversations } from './policies/conversation-pricing.ts';
import { markOutsideWindow } from './policies/outside-window.ts';
import { ReportedWindows } from './reported-windows.ts';
import type { Rulebook } from './rulebook.ts';
import { serviceWindow } from './service-window.ts';
import { judge, spreadOverConversation } from './verdict.ts';
import {
  FreeEntryWindows,
  inOrderOfDecision,
  type DecidedEntry,
  type Delivered,
  type FreeEntryWindow,
} from './windows.ts';

interface MutableRows {
  readonly messages: MessageMark[];
  readonly entries: EntryMark[];
  readonly retracted_messages: Retraction[];
  readonly retracted_entries: Retraction[];
  readonly lost_referrals: LostReferral[];
  readonly customer_names: CustomerName[];
}

interface Decision {
  readonly predicted: Mark;
  readonly rule: DecidingRule;
  readonly policy: PolicyName | null;
  readonly report: MessageMark['report'];
  readonly without_free_entry: Mark;
  readonly window: FreeEntryWindow | null;
  readonly odd_reports: number;
  readonly circumstance: Circumstance;
  readonly reported_window: ReportedWindowMembership | null;
}

/**
 * Fields are copied one by one, here and in the decision: an object that begins with a spread is several times slower
 * to make.
 */
function messageMark(message: OutboundMessage, decision: Decision): MessageMark {
  const { window } = decision;
  const judged = judge(decision.predicted, decision.report, message.category, decision.policy);
  return {
    phone_number_id: message.phone_number_id,
    message_id: message.id,
    participant: message.participant,
    customer: message.customer,
    recipient: message.recipient,
    dialled_customer: message.dialled_customer,
    tag: message.tag,
    failure: message.failure,
    waba_id: message.waba_id,
    sent_at: message.sent_at,
    delivered_at: message.delivered_at,
    type: message.type,
    template_name: message.template_name,
    category: message.category,
    is_template: message.is_template,
    is_echo: message.is_echo,
    policy: decision.policy,
    predicted: decision.predicted,
    report: decision.report,
    billing: judged.billing,
    is_mismatch: judged.is_mismatch,
    is_allowance_difference: judged.is_allowance_difference,
    without_free_entry: decision.without_free_entry,
    window:
      window === null
        ? null
        : {
            entry_id: window.owner.id,
            entry_at: window.owner.at,
            ad_id: window.owner.message.referral_source_id,
            source_type: window.owner.message.referral_source_type,
            opened_at: window.opened_at,
            expires_at: window.expires_at,
          },
    rule: decision.rule,
    odd_reports: decision.odd_reports,
    circumstance: decision.circumstance,
    reported_window: decision.reported_window,
  };
}

function undelivered(message: OutboundMessage): MessageMark {
  return messageMark(message, {
    predicted: 'UNDELIVERED',
    rule: 'F4',
    policy: null,
    report: message.report,
    without_free_entry: 'UNDELIVERED',
    window: null,
    odd_reports: 0,
    circumstance: 'none',
    reported_window: null,
  });
}

function entryMark(entry: DecidedEntry, start: DecidedEntry, customer: Customer): Omit<EntryMark, 'ad_conversation'> {
  const { message, reply, window } = entry;
  return {
    phone_number_id: message.phone_number_id,
    entry_id: entry.id,
    customer,
    entry_at: entry.at,
    source_type: message.referral_source_type,
    ad_id: message.referral_source_id,
    source_url: message.referral_source_url,
    ctwa_clid: message.referral_ctwa_clid,
    headline: message.referral_headline,
    reply:
      reply === null
        ? null
        : { message_id: reply.message.id, sent_at: reply.message.sent_at, delivered_at: reply.delivered_at },
    window:
      window === null
        ? null
        : {
            opened_at: window.opened_at,
            expires_at: window.expires_at,
            free_messages: window.free_messages,
            is_confirmed: window.is_confirmed,
            is_reported: window.is_reported,
          },
    ad_conversation_id: start.id,
  };
}

/** State of conversation pricing (3.1, V1a): of one thread, or in a group of each participant (F8). */
interface PricedByConversation {
  readonly conversations: PricedConversations;
  readonly withoutFreeEntry: PricedConversations;
  /** Ids of the conversations whose charged message is known. */
  readonly charged: Set<string>;
}

function byParticipant(): (participant: string) => PricedByConversation {
  const known = new Map<string, PricedByConversation>();
  return (participant) => {
    let priced = known.get(participant);
    if (priced === undefined) {
      priced = {
        conversations: new PricedConversations(),
        withoutFreeEntry: new PricedConversations(),
        charged: new Set(),
      };
      known.set(participant, priced);
    }
    return priced;
  };
}

const NOTHING_REPORTED = { circumstance: 'none', reported_window: null } as const;

/** The rows of one thread (F1): its messages and entries. */
export function foldThread(
  { group_id, customer, inbound, outbound }: Thread,
  rulebook: Rulebook,
): Pick<MutableRows, 'messages' | 'entries'> {
  const rows: Pick<MutableRows, 'messages' | 'entries'> = { messages: [], entries: [] };
  // F8: a group has no entries.
  const windows = new FreeEntryWindows(group_id === '' ? inbound : [], rulebook);
  const isServiceWindowOpen = serviceWindow(inbound);
  const pricedFor = byParticipant();
  const reportedWindows = new ReportedWindows(windows.entries, rulebook);

  const delivered: Delivered[] = [];
  for (const message of outbound)
    if (message.delivered_at === null) rows.messages.push(undelivered(message));
    else delivered.push({ message, delivered_at: message.delivered_at });

  for (const each of inOrderOfDecision(delivered, rulebook.settings.clock)) {
    const { message, delivered_at } = each;
    const policy = rulebook.policyAt(message.waba_id, delivered_at);
    const { window, opens, odd_reports } = windows.decide(each);
    const { conversations, withoutFreeEntry, charged } = pricedFor(message.participant);
    if (opens) conversations.closeAll();
    const outside =
      window === null
        ? markOutsideWindow(message, delivered_at, policy, conversations, isServiceWindowOpen)
        : { mark: 'FREE_ENTRY' as const, rule: opens ? OPENS_FREE_WINDOW : IN_FREE_WINDOW };
    const without = markOutsideWindow(message, delivered_at, policy, withoutFreeEntry, isServiceWindowOpen);
    const unexplained = window === null && group_id === '' ? reportedWindows.explain(each) : NOTHING_REPORTED;
    rows.messages.push(
      messageMark(message, {
        predicted: outside.mark,
        rule: outside.rule,
        policy,
        report: spreadOverConversation(message.report, outside.mark, charged),
        without_free_entry: without.mark,
        window,
        odd_reports,
        circumstance: unexplained.circumstance,
        reported_window: unexplained.reported_window,
      }),
    );
  }

  for (const conversation of adConversations(windows.entries, windows.opened)) {
    const seconds_to_reply = secondsToFirstReply(conversation);
    for (const entry of conversation.entries)
      rows.entries.push({
        ...entryMark(entry, conversation.start, customer),
        ad_conversation:
          entry === conversation.start
            ? {
                last_entry_at: conversation.entries.at(-1)?.at ?? entry.at,
                is_replied: seconds_to_reply !== null,
                seconds_to_reply,
              }
            : null,
      });
  }
  return rows;
}

/** Entries that a smaller set of events, or another policy, may have made of these messages and that no longer hold. */
function retractEntries(
  phone_number_id: PhoneNumberId,
  events: readonly LedgerEvent[],
  entries: readonly EntryMark[],
  retracted: Retraction[],
): void {
  const withReferral = events.filter(
    (event): event is MessageEvent =>
      event.event === 'message' && event.direction === 'inbound' && event.referral_source_type !== '',
  );
  if (withReferral.length === entries.length) return;
  const standing = new Set(entries.map((entry) => entry.entry_id));
  for (const { id, customer } of new Map(withReferral.map((event) => [event.id, event])).values())
    if (!standing.has(id)) retracted.push({ phone_number_id, id, participant: '', customer });
}

function byNumber(events: readonly LedgerEvent[]): ReadonlyMap<PhoneNumberId, readonly LedgerEvent[]> {
  const [first] = events;
  if (first === undefined) return new Map();
  // Nearly always all events belong to one thread and name one number.
  if (events.every((event) => event.phone_number_id === first.phone_number_id))
    return new Map([[first.phone_number_id, events]]);
  const known = new Map<PhoneNumberId, LedgerEvent[]>();
  for (const event of events) {
    const ofNumber = known.get(event.phone_number_id);
    if (ofNumber === undefined) known.set(event.phone_number_id, [event]);
    else ofNumber.push(event);
  }
  return known;
}

/**
 * The billing rules (rules.md 1 to 4 and 6): all rows that a set of events makes. Pure: order and duplicates change
 * nothing. The set must hold every event that could matter to a message: the events under all names of its customer
 * (F9), and those of each thread that another copy or status of one of its messages names.
 */
export function foldEvents(events: readonly LedgerEvent[], rulebook: Rulebook): Rows {
  const rows: MutableRows = {
    messages: [],
    entries: [],
    retracted_messages: [],
    retracted_entries: [],
    lost_referrals: [],
    customer_names: [],
  };
  for (const [phone_number_id, ofNumber] of byNumber(events)) {
    const facts = establishFacts(phone_number_id, ofNumber, rulebook);
    const before = rows.entries.length;
    for (const thread of facts.threads) {
      const { messages, entries } = foldThread(thread, rulebook);
      for (const mark of messages) rows.messages.push(mark);
      for (const mark of entries) rows.entries.push(mark);
    }
    rows.retracted_messages.push(...facts.retracted_messages);
    rows.lost_referrals.push(...facts.lost_referrals);
    for (const renamed of facts.identities.renamed()) rows.customer_names.push({ phone_number_id, ...renamed });
    retractEntries(phone_number_id, ofNumber, rows.entries.slice(before), rows.retracted_entries);
  }
  return rows;
}
