import type { DecidingRule, Mark } from './marks.ts';
import { ratedCategory } from './verdict.ts';

/** The facts behind the sentence that a composer shows about a message before it is sent. */
export interface ComposedMessage {
  readonly type: string;
  readonly category: string;
  readonly mark: Mark;
  readonly rule: DecidingRule;
  readonly is_allowed: boolean;
}

const NOT_ALLOWED = 'Not allowed now: the customer service window is closed, so only a template can be sent.';

function kindOf({ type, category }: ComposedMessage): string {
  if (type === 'reaction') return 'reaction';
  if (type !== 'template') return 'free-form message';
  const own = ratedCategory(category);
  return own === 'unknown' ? 'template' : `${own.replaceAll('_', ' ')} template`;
}

/**
 * The sentence that a composer shows about a message before it is sent. It says whether the message is allowed, and
 * whether it would be free, open a window, or join a conversation that is paid.
 */
export function composerWords(message: ComposedMessage): string {
  if (!message.is_allowed) return NOT_ALLOWED;
  const kind = kindOf(message);
  switch (message.rule) {
    case 'W5':
      return `Free: this ${kind} answers the ad in time and opens a free entry window.`;
    case 'W7':
      return `Free: the free entry window is open, so this ${kind} costs nothing.`;
    case '3.1_opens':
      return message.mark === 'BILLABLE'
        ? `Outside a free entry window: this ${kind} would open a paid conversation of 24 hours.`
        : `Free: this ${kind} would open a service conversation, which costs nothing.`;
    case '3.1_covered':
      return `Outside a free entry window: this ${kind} would join a conversation that is open already, at no further charge.`;
    case '3_charged':
      return message.type === 'template'
        ? `Outside a free entry window: this ${kind} would be charged.`
        : `Outside a free entry window: this ${kind} would be charged once the monthly allowance is used up.`;
    case '3_service':
    case '3_reaction':
      return `Free: this ${kind} costs nothing while the customer service window is open.`;
    case '3_utility_in_csw':
      return `Free: the customer service window is open, so this ${kind} costs nothing.`;
    case 'unknown_category':
      return `Outside a free entry window: what this ${kind} would cost depends on its category, which is not known.`;
    case 'F4':
    case 'F6':
      throw new TypeError(`A message that is delivered by the API is not decided by ${message.rule}.`);
  }
}
