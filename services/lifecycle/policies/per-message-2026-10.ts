import type { OutboundMessage } from '../facts.ts';
import type { DecidingRule, Mark } from '../marks.ts';

/**
 * `PMP-2026-10` (rules.md 3): everything except reactions is charged. The monthly service allowance is applied by
 * rating (M3).
 */
export function perMessage2026(message: OutboundMessage): { readonly mark: Mark; readonly rule: DecidingRule } {
  if (message.is_reaction) return { mark: 'FREE_SERVICE', rule: '3_reaction' };
  return { mark: 'BILLABLE', rule: '3_charged' };
}
