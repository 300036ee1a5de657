import type { OutboundMessage } from '../facts.ts';
import { ratedCategory } from '../verdict.ts';
import type { DecidingRule, Mark, PolicyName } from '../marks.ts';
import type { PricedConversations } from './conversation-pricing.ts';
import { perMessage2025 } from './per-message-2025-07.ts';
import { perMessage2026 } from './per-message-2026-10.ts';

/**
 * The mark of a delivered message outside free entry windows (rules.md 3).
 * @param conversations of the thread; a message may open one, so call once per message, in the order of W4
 * @param isServiceWindowOpen whether the customer service window is open at a time (W1)
 */
export function markOutsideWindow(
  message: OutboundMessage,
  delivered_at: number,
  policy: PolicyName,
  conversations: PricedConversations,
  isServiceWindowOpen: (at: number) => boolean,
): { readonly mark: Mark; readonly rule: DecidingRule } {
  // An echo is not billed, whether or not the policy counts it: it opens and joins no conversation.
  if (message.is_echo) return { mark: 'FREE_SERVICE', rule: 'F6' };
  if (ratedCategory(message.category) === 'unknown') return { mark: 'UNKNOWN', rule: 'unknown_category' };
  switch (policy) {
    case 'CBP-2023-06':
      return conversations.decide(message, delivered_at, 'BILLABLE');
    case 'CBP-2024-11':
      return conversations.decide(message, delivered_at, 'FREE_SERVICE');
    case 'PMP-2025-07':
      return perMessage2025(message, isServiceWindowOpen(delivered_at));
    case 'PMP-2026-10':
      return perMessage2026(message);
  }
}
