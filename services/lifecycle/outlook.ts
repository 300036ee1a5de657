import type { Customer, MessageId, PhoneNumberId } from '@ctwa-ledger/schemas/ids.ts';
import { compareUtf8 } from '@ctwa-ledger/schemas/json.ts';
import type { OutboundMessage, Thread } from './facts.ts';
import { foldThread } from './fold.ts';
import type { DecidingRule, Mark, PolicyName } from './marks.ts';
import type { Rulebook } from './rulebook.ts';
import { serviceWindow } from './windows.ts';

/** Kinds of messages that are marked differently: a free-form message, and templates by their category. */
export const MESSAGE_KINDS = ['service', 'utility', 'marketing', 'authentication'] as const;
export type MessageKind = (typeof MESSAGE_KINDS)[number];

/** What a message of one kind would be. */
export interface Outlook {
  readonly kind: MessageKind;
  readonly mark: Mark;
  readonly rule: DecidingRule;
  readonly policy: PolicyName;
  /** False: NON_TEMPLATE_NOT_ALLOWED, a free-form message outside the customer service window (W1). */
  readonly is_allowed: boolean;
}

/** Of messages that are decided in the same second the last one: no id of Meta's comes after it (W4). */
const LAST_ID = '\u{10FFFF}' as MessageId;

/** The account that the latest message up to a time names, else the one that lists the number. */
function accountAt({ inbound, outbound }: Thread, at: number, rulebook: Rulebook): OutboundMessage['waba_id'] {
  const named = [
    ...inbound.map(({ id, timestamp, waba_id }) => ({ id, at: timestamp, waba_id })),
    ...outbound.map(({ id, sent_at, waba_id }) => ({ id, at: sent_at, waba_id })),
  ].filter((message) => message.waba_id !== '' && message.at <= at);
  const latest = named.sort((a, b) => a.at - b.at || compareUtf8(a.id, b.id)).at(-1)?.waba_id;
  const number = (inbound[0] ?? outbound[0])?.phone_number_id;
  if (latest !== undefined) return latest as OutboundMessage['waba_id'];
  return number === undefined ? '' : rulebook.accountOfNumber(number);
}

/**
 * What a message of each kind would be if it were sent and delivered at a time (rules.md 2 and 3): the thread is folded
 * with that message added, so a reply that would open a free entry window says so. What comes after `at` counts for nothing.
 * @param at Unix seconds
 */
export function outlookAt(thread: Thread, rulebook: Rulebook, at: number): Outlook[] {
  const waba_id = accountAt(thread, at, rulebook);
  const { phone_number_id = '' as PhoneNumberId, customer = '' as Customer } =
    thread.inbound[0] ?? thread.outbound[0] ?? {};
  const known: Thread = {
    is_group: thread.is_group,
    inbound: thread.inbound.filter(({ timestamp }) => timestamp <= at),
    outbound: thread.outbound.filter(({ delivered_at }) => delivered_at !== null && delivered_at <= at),
  };
  const isServiceWindowOpen = serviceWindow(known.inbound)(at);
  return MESSAGE_KINDS.map((kind) => {
    const is_template = kind !== 'service';
    const message: OutboundMessage = {
      id: LAST_ID,
      phone_number_id,
      customer,
      participant: '',
      dialled_customer: '',
      waba_id,
      tag: '',
      failure: null,
      sent_at: at,
      delivered_at: at,
      type: is_template ? 'template' : 'text',
      template_name: '',
      category: kind,
      is_template,
      is_echo: false,
      stands_apart: false,
      is_reaction: false,
      report: null,
      window_reports: [],
      window_conversation_id: '',
    };
    const { messages } = foldThread({ ...known, outbound: [...known.outbound, message] }, rulebook);
    const mark = messages.find(({ message_id }) => message_id === LAST_ID);
    if (mark?.policy == null) throw new TypeError('The message that was added to the thread has no mark.');
    return {
      kind,
      mark: mark.predicted,
      rule: mark.rule,
      policy: mark.policy,
      is_allowed: is_template || isServiceWindowOpen,
    };
  });
}
