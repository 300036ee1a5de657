import { canonicalEvent, type LedgerEvent, type MessageEvent, type StatusEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Customer, MessageId, PhoneNumberId, WabaId } from '@ctwa-ledger/schemas/ids.ts';
import { compareUtf8 } from '@ctwa-ledger/schemas/json.ts';
import type { Report, Retraction } from './marks.ts';
import type { Rulebook } from './rulebook.ts';
import { normaliseCategory, readReport } from './verdict.ts';

/** What is known of one outbound message, whatever order its events came in (F3 to F6). */
export interface OutboundMessage {
  readonly id: MessageId;
  readonly phone_number_id: PhoneNumberId;
  readonly customer: Customer;
  readonly waba_id: WabaId | '';
  readonly sent_at: number;
  readonly delivered_at: number | null;
  readonly type: string;
  readonly template_name: string;
  readonly category: string;
  readonly is_template: boolean;
  readonly is_echo: boolean;
  readonly is_reaction: boolean;
  readonly report: Report | null;
  /** W8: the distinct expiry times that its statuses report for a free entry window, Unix seconds. */
  readonly window_reports: readonly number[];
}

/** One thread (F1): what the windows are computed from. */
export interface Thread {
  readonly inbound: MessageEvent[];
  readonly outbound: OutboundMessage[];
}

export interface Facts {
  readonly threads: readonly Thread[];
  readonly retracted_messages: readonly Retraction[];
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

/** F3: the customer of a message that is known from statuses alone. */
function customerFromStatuses(statuses: readonly StatusEvent[]): Customer {
  let named: StatusEvent | undefined;
  for (const status of statuses) {
    if (status.customer === '') continue;
    if (
      named === undefined ||
      status.timestamp < named.timestamp ||
      (status.timestamp === named.timestamp && compareUtf8(status.customer, named.customer) < 0)
    )
      named = status;
  }
  return named === undefined ? ('' as Customer) : named.customer;
}

/** F3: when it was sent, by its event, else its earliest `sent` status, else its earliest status. */
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

/** F5: the message's own category; a template's, else the reported one, else `unknown`. */
function categoryOf(message: MessageEvent | undefined, report: Report | null): string {
  if (message !== undefined && message.type !== 'template') return 'service';
  if (message !== undefined && message.template_category !== '') return normaliseCategory(message.template_category);
  if (report === null || report.category === '' || report.category === 'referral_conversion') return 'unknown';
  return report.category;
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

function outboundMessage(
  phone_number_id: PhoneNumberId,
  id: MessageId,
  message: MessageEvent | undefined,
  statuses: readonly StatusEvent[],
  rulebook: Rulebook,
): OutboundMessage {
  const report = readReport(statuses);
  const category = categoryOf(message, report);
  const sent_at = sentAt(message, statuses);
  const is_echo = message?.origin === 'app';
  return {
    id,
    phone_number_id,
    customer: message === undefined ? customerFromStatuses(statuses) : message.customer,
    waba_id: accountOf(message, statuses, phone_number_id, rulebook),
    sent_at,
    // F6: an echo counts as delivered when sent, whatever statuses say.
    delivered_at: is_echo ? sent_at : deliveredAt(statuses),
    type: message?.type ?? '',
    template_name: message?.template_name ?? '',
    category,
    is_template: (message === undefined || message.type === 'template') && category !== 'service',
    is_echo,
    is_reaction: message?.type === 'reaction',
    report,
    window_reports: windowReports(statuses),
  };
}

/**
 * Sorts the events of one business number into messages (F2, F3) and those into threads (F1).
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
  const byCustomer = new Map<Customer, Thread>();
  const nameless: Thread[] = [];
  const threadOf = (customer: Customer): Thread => {
    let thread = byCustomer.get(customer);
    if (thread === undefined) byCustomer.set(customer, (thread = { inbound: [], outbound: [] }));
    return thread;
  };
  const retracted_messages: Retraction[] = [];
  for (const [id, { copies, statuses }] of byId) {
    const message = copyThatCounts(copies);
    if (message?.direction === 'inbound') {
      threadOf(message.customer).inbound.push(message);
      // Without this copy the id may have been an outbound message, and a row of it may stand in the ledger.
      if (statuses.length > 0 || copies.some((copy) => copy.direction === 'outbound'))
        retracted_messages.push({ phone_number_id, id, customer: message.customer });
      continue;
    }
    const outbound = outboundMessage(phone_number_id, id, message, statuses, rulebook);
    // F3: a message that nothing names a customer of is a thread of its own.
    if (outbound.customer === '') nameless.push({ inbound: [], outbound: [outbound] });
    else threadOf(outbound.customer).outbound.push(outbound);
  }
  return { threads: [...byCustomer.values(), ...nameless], retracted_messages };
}
