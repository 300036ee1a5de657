import { z } from 'zod';
import { count, decimal } from './cells.ts';

/** Steps from the click to the conversation: those that Ads Manager counts, and that are counted here from messages. */
export const AD_STEPS = ['link_clicks', 'conversations_started', 'depth_2', 'depth_3', 'depth_5'] as const;
export type AdStep = (typeof AD_STEPS)[number];

/** Days after the start of a conversation whose messages belong to it. */
export const CONVERSATION_DAYS = 7;

/** A step as it is counted here and by Meta. */
export const adStepsRow = z.object({
  ad_id: z.string(),
  step: z
    .enum(AD_STEPS)
    .describe(
      'What is counted: clicks on the ad, conversations started, or conversations in which the customer wrote at least 2, 3 or 5 messages.',
    ),
  counted: count.describe(
    'Counted here: entries of the ad for clicks, its ad conversations for conversations started, and for a depth those in which the customer wrote so many messages within 7 days and before the next one started.',
  ),
  meta: count.nullable().describe('What the imported ad costs say of the same; empty where no import says it.'),
  compared: count.describe('Of those counted here, the ones on days for which Meta’s count is known.'),
  difference: count
    .nullable()
    .describe(
      'Counted here on those days less Meta’s count; for clicks with its sign changed: clicks that never wrote.',
    ),
  days_known: count.describe('Days of imported costs that have Meta’s count.'),
  days_unknown: count.describe('Days of imported costs that lack Meta’s count.'),
});
export type AdStepsRow = z.infer<typeof adStepsRow>;

/** The messages of an ad's conversations, what they are expected to cost, and the full cost of a conversation. */
export const adMessagesRow = z.object({
  ad_id: z.string(),
  source_type: z.string(),
  currency: z.string().describe('Currency of the amounts; empty for messages whose account has none.'),
  ad_conversations: count,
  replied: count,
  messages: count.describe(
    'Messages delivered over the API to the customers of its conversations, within 7 days of the start and before the next conversation of the customer, in this currency. Messages from the WhatsApp Business app are not among them.',
  ),
  message_charges: decimal
    .nullable()
    .describe(
      'Expected charge of these messages; empty where none that costs something has a price and some have none.',
    ),
  unrated: count,
  charges_per_conversation: decimal
    .nullable()
    .describe('message_charges divided by ad_conversations, four decimals; empty where the divisor is 0.'),
  charges_per_replied: decimal
    .nullable()
    .describe('message_charges divided by replied, four decimals; empty where the divisor is 0.'),
  spend: decimal.nullable(),
  full_cost: decimal
    .nullable()
    .describe(
      'spend and message_charges together. Empty where one of them is not known, and where the ad has amounts in several currencies.',
    ),
  full_cost_per_conversation: decimal
    .nullable()
    .describe('full_cost divided by ad_conversations, four decimals; empty where the divisor is 0.'),
  full_cost_per_replied: decimal
    .nullable()
    .describe('full_cost divided by replied, four decimals; empty where the divisor is 0.'),
});
export type AdMessagesRow = z.infer<typeof adMessagesRow>;
