import type { Customer, MessageId, PhoneNumberId, WabaId } from '@ctwa-ledger/schemas/ids.ts';
import { compareUtf8 } from '@ctwa-ledger/schemas/json.ts';
import type { Facts, OutboundMessage, Thread } from './facts.ts';
import { foldThread } from './fold.ts';
import {
  opensFreeWindow,
  type DecidingRule,
  type EntryMark,
  type Mark,
  type MessageMark,
  type PolicyName,
  type WindowMembership,
} from './marks.ts';
import type { Rulebook } from './rulebook.ts';
import { REPLY_WITHIN_SECONDS } from '@ctwa-ledger/schemas/durations.ts';
import { serviceWindowEnd } from './service-window.ts';
import { ratedCategory } from './verdict.ts';

/** A message that is not sent yet, with the fields that decide a mark. */
export interface PlannedMessage {
  /** The type as the message event would have it. */
  readonly type: string;
  readonly template_name: string;
  /** F5: a template's category, lower case with `_`; `service` for every other message. */
  readonly category: string;
}

/** Sorts after every id of Meta's, so that the planned message is decided last in its second (W4). */
const LAST_ID = '\u{10FFFF}' as MessageId;

export interface FoldedPlan {
  readonly mark: MessageMark & { readonly policy: PolicyName };
  readonly entries: readonly EntryMark[];
}

/**
 * Folds a thread with one more message, sent and delivered at a time.
 * @param waba_id the account that its events would name
 * @param at Unix seconds
 */
export function foldPlanned(
  thread: Thread,
  rulebook: Rulebook,
  planned: PlannedMessage,
  waba_id: WabaId | '',
  at: number,
): FoldedPlan {
  const { phone_number_id = '' as PhoneNumberId, customer = '' as Customer } =
    thread.inbound[0] ?? thread.outbound[0] ?? {};
  const named = thread.group_id === '' ? thread.customer : customer;
  const message: OutboundMessage = {
    id: LAST_ID,
    phone_number_id,
    customer: named,
    recipient: named,
    participant: '',
    dialled_customer: '',
    waba_id,
    tag: '',
    failure: null,
    sent_at: at,
    delivered_at: at,
    type: planned.type,
    template_name: planned.template_name,
    category: planned.category,
    is_template: isTemplate(planned),
    is_echo: false,
    stands_apart: false,
    is_reaction: planned.type === 'reaction',
    report: null,
    window_reports: [],
    window_conversation_id: '',
  };
  const { messages, entries } = foldThread({ ...thread, outbound: [...thread.outbound, message] }, rulebook);
  const mark = messages.find(({ message_id }) => message_id === LAST_ID);
  if (mark?.policy == null) throw new TypeError('The message that was added to the thread has no mark.');
  return { mark: { ...mark, policy: mark.policy }, entries };
}

/** F5: a template of category service is treated as any other free-form message. */
function isTemplate({ type, category }: PlannedMessage): boolean {
  return type === 'template' && ratedCategory(category) !== 'service';
}

/** The account that the latest message up to a time names; empty when no message names one. */
export function accountNamedAt({ inbound, outbound }: Thread, at: number): WabaId | '' {
  const named = [
    ...inbound.map(({ id, timestamp, waba_id }) => ({ id, at: timestamp, waba_id })),
    ...outbound.map(({ id, sent_at, waba_id }) => ({ id, at: sent_at, waba_id })),
  ].filter((message) => message.waba_id !== '' && message.at <= at);
  return (named.sort((a, b) => a.at - b.at || compareUtf8(a.id, b.id)).at(-1)?.waba_id ?? '') as WabaId | '';
}

/** The recipient of a message: a group, or a customer by the name that the sender uses. */
export interface Addressee {
  readonly is_group: boolean;
  readonly name: string;
}

/**
 * F3: Meta's name for a customer whom the sender calls `dialled`: the name in the statuses of the latest message to
 * `dialled` whose statuses use another name. A customer who wrote under the name `dialled` keeps it.
 */
function recipientOf({ threads }: Facts, dialled: string): string {
  const direct = threads.filter(({ group_id }) => group_id === '');
  if (direct.some(({ inbound }) => inbound.some(({ customer }) => customer === dialled))) return dialled;
  let latest: OutboundMessage | undefined;
  for (const { outbound } of direct)
    for (const message of outbound) {
      if (message.dialled_customer !== dialled) continue;
      const isLater =
        latest === undefined ||
        message.sent_at > latest.sent_at ||
        (message.sent_at === latest.sent_at && compareUtf8(message.id, latest.id) > 0);
      if (isLater) latest = message;
    }
  return latest?.recipient ?? dialled;
}

/** The thread that a message to an addressee would belong to. */
export interface AddressedThread {
  /** The customer as rows name the person (F9). */
  readonly customer: string;
  /** The name by which the message's statuses would call the customer (F3). */
  readonly recipient: string;
  /** Empty when it is new. */
  readonly thread: Thread;
}

/** That thread, among all threads of the person that is dialled and those that share messages with them. */
export function addressedThread(facts: Facts, { is_group, name }: Addressee): AddressedThread {
  const recipient = is_group ? name : recipientOf(facts, name);
  const customer = is_group ? name : facts.identities.customerOf(recipient);
  const thread = facts.threads.find((one) =>
    is_group ? one.group_id === name : one.group_id === '' && one.customer === customer,
  );
  const unknown: Thread = {
    group_id: is_group ? name : '',
    customer: (is_group ? '' : customer) as Customer,
    inbound: [],
    outbound: [],
  };
  return { customer, recipient, thread: thread ?? unknown };
}

/** The free entry window that a message would open (W5), and until when another reply could open it instead. */
interface OpenableWindow {
  readonly entry: WindowMembership;
  /** W3: the last second at which a reply still qualifies; Unix seconds. */
  readonly reply_by: number;
}

/** A free entry window that is open; Unix seconds. */
interface OpenFreeWindow {
  readonly entry: EntryMark;
  readonly opened_at: number;
  readonly expires_at: number;
  readonly is_reported: boolean;
}

/**
 * The mark that a message would get if it were sent and delivered at a time, with the facts that decide it. Times are
 * Unix seconds.
 */
export interface SendOutlook {
  readonly at: number;
  readonly planned: PlannedMessage;
  readonly mark: Mark;
  readonly rule: DecidingRule;
  readonly policy: PolicyName;
  readonly without_free_entry: Mark;
  /** False: NON_TEMPLATE_NOT_ALLOWED, a free-form message outside the customer service window (W1). */
  readonly is_allowed: boolean;
  /** The end of the latest customer service window, which may be past; null = the customer has written nothing. */
  readonly service_window_ends_at: number | null;
  /** Null when no window is open. */
  readonly free_window: OpenFreeWindow | null;
  /** Null when a reply would open no window. */
  readonly openable: OpenableWindow | null;
}

function openWindow(entries: readonly EntryMark[], openedByPlan: string | null, at: number): OpenFreeWindow | null {
  let open: OpenFreeWindow | null = null;
  for (const entry of entries) {
    const { window } = entry;
    // The window that the planned message itself would open is not open yet.
    if (window === null || entry.entry_id === openedByPlan) continue;
    const { opened_at, expires_at, is_reported } = window;
    if (opened_at > at || at >= expires_at) continue;
    if (open === null || opened_at > open.opened_at) open = { entry, opened_at, expires_at, is_reported };
  }
  return open;
}

function openable({ mark }: FoldedPlan): OpenableWindow | null {
  return opensFreeWindow(mark.rule) && mark.window !== null
    ? { entry: mark.window, reply_by: mark.window.entry_at + REPLY_WITHIN_SECONDS }
    : null;
}

const REPLY: PlannedMessage = { type: 'text', template_name: '', category: 'service' };

/**
 * The mark that a message would get if it were sent and delivered at a time: the one that the thread's rows would show
 * once the message and its delivery are known (rules.md 2 and 3). All known events of the thread count.
 */
export function sendOutlook(
  thread: Thread,
  rulebook: Rulebook,
  planned: PlannedMessage,
  waba_id: WabaId | '',
  at: number,
): SendOutlook {
  const folded = foldPlanned(thread, rulebook, planned, waba_id, at);
  const own = openable(folded);
  const service_window_ends_at = serviceWindowEnd(thread.inbound, at);
  const { mark, rule, policy } = { ...folded.mark, mark: folded.mark.predicted };
  return {
    at,
    planned,
    mark,
    rule,
    policy,
    without_free_entry: folded.mark.without_free_entry,
    is_allowed: planned.type === 'template' || (service_window_ends_at !== null && at < service_window_ends_at),
    service_window_ends_at,
    free_window: openWindow(folded.entries, own?.entry.entry_id ?? null, at),
    // A reaction answers no entry, but another reply may.
    openable: own ?? (planned.type === 'reaction' ? openable(foldPlanned(thread, rulebook, REPLY, waba_id, at)) : null),
  };
}

/** From a time on, a message would get another mark than before. */
export interface SendChange {
  readonly at: number;
  readonly mark: Mark;
  readonly is_allowed: boolean;
}

/**
 * The times at which the mark of a message would change without a new event, in order: when a window ends, or the time
 * to reply.
 */
export function comingChanges(
  thread: Thread,
  rulebook: Rulebook,
  waba_id: WabaId | '',
  { at, planned, mark, is_allowed, service_window_ends_at, free_window, openable }: SendOutlook,
): SendChange[] {
  const ends = [service_window_ends_at, free_window?.expires_at, openable === null ? null : openable.reply_by + 1];
  const times = ends.filter((end) => end != null).filter((end) => end > at);
  const changes: SendChange[] = [];
  let before: Pick<SendChange, 'mark' | 'is_allowed'> = { mark, is_allowed };
  for (const time of [...new Set(times)].sort((a, b) => a - b)) {
    const then = sendOutlook(thread, rulebook, planned, waba_id, time);
    if (then.mark === before.mark && then.is_allowed === before.is_allowed) continue;
    before = { mark: then.mark, is_allowed: then.is_allowed };
    changes.push({ at: time, ...before });
  }
  return changes;
}
