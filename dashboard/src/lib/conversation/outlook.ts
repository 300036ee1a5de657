import type { IfDelivered } from '@ctwa-ledger/schemas/conversations.ts';
import { FREE_PLACES } from '@ctwa-ledger/schemas/durations.ts';

import { count } from '../format/numbers.ts';
import { categoryName, markName } from '../format/words.ts';

/** The kind of message in a row. */
export function kindName(kind: string): string {
  return kind === 'service' ? 'Free-form message' : `${categoryName(kind)} template`;
}

/** The fields that decide the texts below. */
type Verdict = Omit<IfDelivered, 'words'>;

/** The outcome for a message, in two or three words. */
export function outlookName({ mark, free_places, is_allowed }: Verdict): string {
  if (!is_allowed) return 'Not allowed: NON_TEMPLATE_NOT_ALLOWED';
  if (free_places === 'allowance') return 'Free within the monthly allowance, else billable';
  if (free_places === 'conversations') return `Free within the monthly ${count(FREE_PLACES)}, else billable`;
  return markName(mark);
}

/** The reason for it. */
export function outlookReason({ kind, rule, policy, is_allowed }: Verdict): string {
  if (!is_allowed) return 'The customer service window is closed: only a template can be sent.';
  switch (rule) {
    case 'W5':
      return 'It would answer the entry and open a Free Entry Point (W5).';
    case 'W7':
      return 'The Free Entry Point is active (W7).';
    case '3.1_opens':
      return `It would open a conversation of 24 hours, category ${kind} (${policy}).`;
    case '3.1_covered':
      return `A conversation that covers it is open (${policy}).`;
    case '3_service':
      return `Service messages cost nothing (${policy}).`;
    case '3_utility_in_csw':
      return `Utility costs nothing in the customer service window (${policy}).`;
    default:
      return kind === 'service'
        ? `The first ${count(FREE_PLACES)} a month of a business number cost nothing (${policy}).`
        : `Delivered ${kind} templates are charged outside a Free Entry Point (${policy}).`;
  }
}
