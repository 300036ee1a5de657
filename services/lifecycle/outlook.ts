import { composerWords } from './composer.ts';
import type { Thread } from './facts.ts';
import type { DecidingRule, Mark, PolicyName } from './marks.ts';
import { accountNamedAt, foldPlanned } from './planned.ts';
import type { Rulebook } from './rulebook.ts';
import { serviceWindow } from './service-window.ts';

/** Kinds of messages that are marked differently: a free-form message, and templates by their category. */
const MESSAGE_KINDS = ['service', 'utility', 'marketing', 'authentication'] as const;
type MessageKind = (typeof MESSAGE_KINDS)[number];

/** What a message of one kind would be. */
export interface Outlook {
  readonly kind: MessageKind;
  readonly mark: Mark;
  readonly rule: DecidingRule;
  readonly policy: PolicyName;
  /** False: NON_TEMPLATE_NOT_ALLOWED, a free-form message outside the customer service window (W1). */
  readonly is_allowed: boolean;
  /** The kind of free places of the month that the message would use up (M3), while there are any; null = none. */
  readonly free_places: 'allowance' | 'conversations' | null;
  /** The sentence that a composer shows before the message is sent. */
  readonly words: string;
}

/** M3: the kind of free places of the month that a message uses. It is charged once they are used up. */
function freePlacesOf(kind: MessageKind, mark: Mark, policy: PolicyName): Outlook['free_places'] {
  if (kind !== 'service' || mark !== 'BILLABLE') return null;
  switch (policy) {
    case 'CBP-2023-06':
      return 'conversations';
    case 'PMP-2026-10':
      return 'allowance';
    case 'CBP-2024-11':
    case 'PMP-2025-07':
      return null;
  }
}

/**
 * The mark of a message of each kind, if it were sent and delivered at a time (rules.md 2 and 3). The thread is folded
 * with that message added, so the answer includes the free entry window that a reply would open. Events after `at` are
 * ignored.
 * @param at Unix seconds
 */
export function outlookAt(thread: Thread, rulebook: Rulebook, at: number): Outlook[] {
  const number = (thread.inbound[0] ?? thread.outbound[0])?.phone_number_id;
  const named = accountNamedAt(thread, at);
  const waba_id = named === '' && number !== undefined ? rulebook.accountOfNumber(number) : named;
  const known: Thread = {
    group_id: thread.group_id,
    customer: thread.customer,
    inbound: thread.inbound.filter(({ timestamp }) => timestamp <= at),
    outbound: thread.outbound.filter(({ delivered_at }) => delivered_at !== null && delivered_at <= at),
  };
  const isServiceWindowOpen = serviceWindow(known.inbound)(at);
  return MESSAGE_KINDS.map((kind) => {
    const type = kind === 'service' ? 'text' : 'template';
    const planned = { type, template_name: '', category: kind };
    const { predicted, rule, policy } = foldPlanned(known, rulebook, planned, waba_id, at).mark;
    const is_allowed = type === 'template' || isServiceWindowOpen;
    return {
      kind,
      mark: predicted,
      rule,
      policy,
      is_allowed,
      free_places: freePlacesOf(kind, predicted, policy),
      words: composerWords({ type, category: kind, mark: predicted, rule, is_allowed }),
    };
  });
}
