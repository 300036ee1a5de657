import {
  canonicalEvent,
  AUTOMATIC_EVENT_TYPE,
  PREFERENCE_TYPE,
  type LedgerEvent,
  type MessageEvent,
  type StatusEvent,
} from '@ctwa-ledger/schemas/event.ts';
import type { Customer, MessageId, PhoneNumberId, WabaId } from '@ctwa-ledger/schemas/ids.ts';
import { compareUtf8 } from '@ctwa-ledger/schemas/json.ts';
import { errorsOf, failureOf, type MetaError } from './failures.ts';
import { Identities } from './identities.ts';
import type { LostReferral, Report, Retraction } from './marks.ts';
import type { Rulebook } from './rulebook.ts';
import { ratedCategory, normaliseCategory, readReport } from './verdict.ts';

/**
 * What is known of one outbound message (of a group message: for one participant), in whatever order its events came
 * (F3 to F8).
 */
export interface OutboundMessage {
  readonly id: MessageId;
  readonly phone_number_id: PhoneNumberId;
  /** F9: the person's name; of a group message the participant. */
  readonly customer: Customer;
  /** F3: the name by which its own events call the customer. */
  readonly recipient: Customer;
  /** F8: of a group message, the participant that this row is of; empty for any other. */
  readonly participant: string;
  /** F3: the customer that its own event names, if Meta's statuses name another one; else empty. */
  readonly dialled_customer: string;
  readonly waba_id: WabaId | '';
  readonly tag: string;
  /** Null when no status says that it failed. */
  readonly failure: MetaError | null;
  readonly sent_at: number;
  readonly delivered_at: number | null;
  readonly type: string;
  readonly template_name: string;
  readonly category: string;
  readonly is_template: boolean;
  readonly is_echo: boolean;
  /** F6: an echo that is outside the API's bill, by the policy's setting. */
  readonly stands_apart: boolean;
  readonly is_reaction: boolean;
  readonly report: Report | null;
  /** W8: the distinct expiry times that its statuses report for a free entry window, Unix seconds. */
  readonly window_reports: readonly number[];
  /** Meta's id of the conversation of that window: the smallest that its statuses name; empty when none does. */
  readonly window_conversation_id: string;
}

/** One thread (F1, F8). The windows are computed from it. */
export interface Thread {
  /** F8: the group's id; empty for the thread of a customer. */
  readonly group_id: string;
  /** F9: the customer's name; empty for a group, and where no event names a customer. */
  readonly customer: Customer;
  readonly inbound: MessageEvent[];
  readonly outbound: OutboundMessage[];
}

export interface Facts {
  readonly threads: readonly Thread[];
  readonly identities: Identities;
  readonly retracted_messages: readonly Retraction[];
  readonly lost_referrals: readonly LostReferral[];
}

interface MessageEvents {
  readonly copies: MessageEvent[];
  readonly statuses: StatusEvent[];
}

/** F2: of copies that differ, the one with the smaller (timestamp, canonical JSON) counts, in all its fields. */
function copyThatCounts(copies: readonly MessageEvent[]): MessageEvent | undefined {
  let counts = copies[0];
  for (let i = 1; i < copies.length; i++) {
    const copy = copies[i];
    if (copy === undefined || counts === undefined) continue;
    const earlier =
      copy.timestamp !== counts.timestamp
        ? copy.timestamp < counts.timestamp
        : compareUtf8(canonicalEvent(copy), canonicalEvent(counts)) < 0;
    if (earlier) counts = copy;
  }
  return counts;
}

/**
 * F3, F8: the name in the earliest status that has one; of several at that time the smallest; empty when no status has
 * one.
 */
function firstNamed(statuses: readonly StatusEvent[], nameOf: (status: StatusEvent) => string): string {
  let name = '';
  let named_at = Infinity;
  for (const status of statuses) {
    const other = nameOf(status);
    if (other === '' || status.timestamp > named_at) continue;
    if (status.timestamp < named_at || compareUtf8(other, name) < 0) name = other;
    named_at = status.timestamp;
  }
  return name;
}

/** F3: the time of sending, from its event, else from its earliest `sent` status, else from its earliest status. */
function sentAt(message: MessageEvent | undefined, statuses: readonly StatusEvent[]): number {
  if (message !== undefined) return message.timestamp;
  let sent = Infinity;
  let any = Infinity;
  for (const status of statuses) {
    if (status.timestamp < any) any = status.timestamp;
    if (status.status === 'sent' && status.timestamp < sent) sent = status.timestamp;
  }
  return sent === Infinity ? any : sent;
}

/** F4: the earliest status that implies delivery; `failed` never undoes it. */
function deliveredAt(statuses: readonly StatusEvent[]): number | null {
  let delivered: number | null = null;
  for (const { status, timestamp } of statuses)
    if (status === 'delivered' || status === 'read' || status === 'played')
      if (delivered === null || timestamp < delivered) delivered = timestamp;
  return delivered;
}

/** F5: the category of the message itself: its template's category, else the reported one, else `unknown`. */
function categoryOf(message: MessageEvent | undefined, report: Report | null): string {
  if (message !== undefined && message.type !== 'template') return 'service';
  if (message !== undefined && message.template_category !== '') return normaliseCategory(message.template_category);
  if (report === null || report.category === '' || report.category === 'referral_conversion') return 'unknown';
  return report.category;
}

/** The tag that the sender attached to the message, else the one in its latest status that has a tag. */
function tagOf(message: MessageEvent | undefined, statuses: readonly StatusEvent[]): string {
  if (message !== undefined && message.tag !== '') return message.tag;
  let latest: StatusEvent | undefined;
  for (const status of statuses) {
    if (status.tag === '') continue;
    if (
      latest === undefined ||
      status.timestamp > latest.timestamp ||
      (status.timestamp === latest.timestamp && compareUtf8(canonicalEvent(status), canonicalEvent(latest)) > 0)
    )
      latest = status;
  }
  return latest?.tag ?? '';
}

/** contract.md 5: the account an outbound message belongs to. */
function accountOf(
  message: MessageEvent | undefined,
  statuses: readonly StatusEvent[],
  phone_number_id: PhoneNumberId,
  rulebook: Rulebook,
): WabaId | '' {
  if (message !== undefined && message.waba_id !== '') return message.waba_id as WabaId;
  let smallest = '';
  for (const { waba_id } of statuses)
    if (waba_id !== '' && (smallest === '' || compareUtf8(waba_id, smallest) < 0)) smallest = waba_id;
  return smallest === '' ? rulebook.accountOfNumber(phone_number_id) : (smallest as WabaId);
}

function windowReports(statuses: readonly StatusEvent[]): readonly number[] {
  const expiries: number[] = [];
  for (const { conversation_expiration, conversation_origin } of statuses)
    if (conversation_origin === 'referral_conversion' && conversation_expiration !== -1)
      if (!expiries.includes(conversation_expiration)) expiries.push(conversation_expiration);
  return expiries;
}

/** F7: events of these types change or revoke another message, set a customer's preference, or tell an outcome. They are no messages. */
const NO_MESSAGES = new Set(['edit', 'revoke', PREFERENCE_TYPE, AUTOMATIC_EVENT_TYPE]);

/**
 * Meta's error code on a message whose content it cannot hand over. The first message from an ad may come like this.
 */
const UNAVAILABLE = '131060';

/** Whether an inbound message may be the first one from an ad, without its referral. */
function hasLostReferral(message: MessageEvent): boolean {
  return (
    message.direction === 'inbound' &&
    message.type === 'unsupported' &&
    message.referral_source_type === '' &&
    errorsOf(message.errors).some(({ code }) => code === UNAVAILABLE)
  );
}

/** All events about one outbound message. */
interface Said {
  readonly phone_number_id: PhoneNumberId;
  readonly id: MessageId;
  /** The copy that counts; undefined when the message is known from statuses alone. */
  readonly message: MessageEvent | undefined;
  readonly statuses: readonly StatusEvent[];
}

function windowConversation(statuses: readonly StatusEvent[]): string {
  let smallest = '';
  for (const { conversation_id, conversation_origin } of statuses)
    if (conversation_origin === 'referral_conversion' && conversation_id !== '')
      if (smallest === '' || compareUtf8(conversation_id, smallest) < 0) smallest = conversation_id;
  return smallest;
}

/** Puts a row together from what all rows of the message share and what the row's own statuses say. */
function outboundMessage(
  said: Said,
  rulebook: Rulebook,
  of: {
    readonly customer: Customer;
    readonly recipient: Customer;
    readonly participant: string;
    readonly dialled_customer: string;
    /** The statuses of this row. */
    readonly own: readonly StatusEvent[];
    /** These statuses, and those about all rows of the message. */
    readonly about: readonly StatusEvent[];
  },
): OutboundMessage {
  const { phone_number_id, id, message, statuses } = said;
  const report = readReport(of.own) ?? readReport(of.about);
  const category = categoryOf(message, report);
  const sent_at = sentAt(message, statuses);
  const is_echo = message?.origin === 'app';
  return {
    id,
    phone_number_id,
    customer: of.customer,
    recipient: of.recipient,
    participant: of.participant,
    dialled_customer: of.dialled_customer,
    waba_id: accountOf(message, statuses, phone_number_id, rulebook),
    tag: tagOf(message, of.about),
    failure: failureOf(of.about),
    sent_at,
    // F6: an echo counts as delivered when sent, whatever statuses say.
    delivered_at: is_echo ? sent_at : deliveredAt(of.own),
    type: message?.type ?? '',
    template_name: message?.template_name ?? '',
    category,
    is_template: (message === undefined || message.type === 'template') && ratedCategory(category) !== 'service',
    is_echo,
    stands_apart: is_echo && rulebook.settings.echoes === 'apart',
    is_reaction: message?.type === 'reaction',
    report,
    window_reports: windowReports(of.about),
    window_conversation_id: windowConversation(of.about),
  };
}

/** Whether a message calls one person by number and its statuses by id, or the other way round: both are right (F9). */
function isOtherKind({ message, statuses }: Said, named: string, identities: Identities): boolean {
  const own = message?.customer ?? '';
  if (own === '' || identities.customerOf(own) !== identities.customerOf(named)) return false;
  const isNumber = statuses.some(({ wa_id }) => wa_id === named);
  return isNumber !== (own === message?.wa_id);
}

/** The one row of a message to a customer, not to a group (F3). */
function directMessage(said: Said, rulebook: Rulebook, identities: Identities): OutboundMessage {
  const { message, statuses } = said;
  const own = message?.customer ?? '';
  const named = message?.origin === 'app' ? '' : firstNamed(statuses, (status) => status.customer);
  const recipient = (named === '' ? own : named) as Customer;
  return outboundMessage(said, rulebook, {
    customer: identities.customerOf(recipient),
    recipient,
    participant: '',
    dialled_customer: named !== '' && own !== named && !isOtherKind(said, recipient, identities) ? own : '',
    own: statuses,
    about: statuses,
  });
}

/**
 * F8: one row for each participant that a status names. A status without a participant is about all of them, unless it
 * reports a delivery.
 */
function groupMessages(said: Said, rulebook: Rulebook): OutboundMessage[] {
  const byParticipant = new Map<string, StatusEvent[]>([['', []]]);
  for (const status of said.statuses) {
    const known = byParticipant.get(status.participant);
    if (known === undefined) byParticipant.set(status.participant, [status]);
    else known.push(status);
  }
  const ofAll = byParticipant.get('') ?? [];
  byParticipant.delete('');
  return [...byParticipant].map(([participant, own]) => {
    return outboundMessage(said, rulebook, {
      customer: participant as Customer,
      recipient: participant as Customer,
      participant,
      dialled_customer: '',
      own,
      about: [...own, ...ofAll],
    });
  });
}

/** F8: the group of an outbound message, from its statuses, else from its own event; empty when there is no group. */
function groupOf({ message, statuses }: Said): string {
  // F3: an echo is in the thread that its own event names.
  if (message?.origin === 'app') return message.group_id;
  const named = firstNamed(statuses, (status) => status.group_id);
  return named === '' ? (message?.group_id ?? '') : named;
}

/** The threads of one business number, by group or customer. */
class Threads {
  readonly #ofGroups = new Map<string, Thread>();
  readonly #ofCustomers = new Map<string, Thread>();
  readonly #nameless: Thread[] = [];

  /**
   * @param group empty: the thread of a customer
   * @param customer as rows name the person
   */
  of(group: string, customer: Customer): Thread {
    // F3: a message without a customer is a thread of its own.
    if (group === '' && customer === '') {
      const thread: Thread = { group_id: '', customer, inbound: [], outbound: [] };
      this.#nameless.push(thread);
      return thread;
    }
    const [known, name] = group === '' ? [this.#ofCustomers, customer] : [this.#ofGroups, group];
    let thread = known.get(name);
    if (thread === undefined) {
      thread = { group_id: group, customer: group === '' ? customer : ('' as Customer), inbound: [], outbound: [] };
      known.set(name, thread);
    }
    return thread;
  }

  get all(): readonly Thread[] {
    return [...this.#ofCustomers.values(), ...this.#ofGroups.values(), ...this.#nameless];
  }
}

/**
 * The rows of a message that a smaller set of these events may have made and that no longer hold: one for each
 * participant that is named, and one without a participant.
 */
function retractions(
  { phone_number_id, id, message, statuses }: Said,
  standing: readonly OutboundMessage[],
): Retraction[] {
  const participants = new Set(statuses.map((status) => status.participant)).add('');
  for (const { participant } of standing) participants.delete(participant);
  const thread = message?.customer ?? firstNamed(statuses, (status) => status.customer);
  return [...participants].map((participant) => ({
    phone_number_id,
    id,
    participant,
    customer: (participant === '' ? thread : participant) as Customer,
  }));
}

/**
 * Sorts the events of one business number into messages (F2, F3) and those into threads (F1, F8).
 * @param events all of one `phone_number_id`; order and duplicates do not matter
 */
export function establishFacts(
  phone_number_id: PhoneNumberId,
  events: readonly LedgerEvent[],
  rulebook: Rulebook,
): Facts {
  const byId = new Map<MessageId, MessageEvents>();
  for (const event of events) {
    let known = byId.get(event.id);
    if (known === undefined) byId.set(event.id, (known = { copies: [], statuses: [] }));
    if (event.event === 'message') known.copies.push(event);
    else known.statuses.push(event);
  }
  const identities = new Identities(events, rulebook);
  const threads = new Threads();
  const retracted_messages: Retraction[] = [];
  const lost_referrals: LostReferral[] = [];
  for (const [id, { copies, statuses }] of byId) {
    const message = copyThatCounts(copies);
    const said: Said = { phone_number_id, id, message, statuses };
    // An earlier fold may have lacked the copy that counts, or used earlier rules: the ledger may hold a row of an
    // outbound message.
    const mayHaveStood = statuses.length > 0 || copies.some((copy) => copy.direction === 'outbound');
    if (message !== undefined && copies.some(hasLostReferral))
      lost_referrals.push({
        phone_number_id,
        message_id: id,
        customer: message.group_id === '' ? identities.customerOf(message.customer) : message.customer,
        written_at: message.timestamp,
        is_lost: hasLostReferral(message),
      });
    if (message !== undefined && NO_MESSAGES.has(message.type)) {
      if (mayHaveStood) retracted_messages.push(...retractions(said, []));
      continue;
    }
    if (message?.direction === 'inbound') {
      threads.of(message.group_id, identities.customerOf(message.customer)).inbound.push(message);
      if (mayHaveStood) retracted_messages.push(...retractions(said, []));
      continue;
    }
    const group = groupOf(said);
    const rows = group === '' ? [directMessage(said, rulebook, identities)] : groupMessages(said, rulebook);
    for (const row of rows) threads.of(group, row.customer).outbound.push(row);
    // With only some of the events, this may have been a message to a group, or to none.
    const isOther = (event: LedgerEvent): boolean => (event.group_id === '') !== (group === '');
    if (statuses.some(isOther) || copies.some(isOther)) retracted_messages.push(...retractions(said, rows));
  }
  return { threads: threads.all, identities, retracted_messages, lost_referrals };
}
