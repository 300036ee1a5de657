import type { OutboundMessage } from '../facts.ts';
import { ratedCategory } from '../verdict.ts';
import type { DecidingRule, Mark } from '../marks.ts';

/**
 * `PMP-2025-07` (rules.md 3): service is free, utility is free in the customer service window, the rest is charged.
 * @param in_service_window whether the customer service window is open at `delivered_at` (W1)
 */
export function perMessage2025(
  message: OutboundMessage,
  in_service_window: boolean,
): { readonly mark: Mark; readonly rule: DecidingRule } {
  if (!message.is_template) return { mark: 'FREE_SERVICE', rule: '3_service' };
  if (ratedCategory(message.category) === 'utility' && in_service_window)
    return { mark: 'FREE_SERVICE', rule: '3_utility_in_csw' };
  return { mark: 'BILLABLE', rule: '3_charged' };
}
