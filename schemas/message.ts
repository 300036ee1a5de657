import { z } from 'zod';
import { decimal } from './cells.ts';
import { unratedReasonSchema } from './bill.ts';
import { rateModelSchema } from './rate-file.ts';

/** One outbound message with everything that decides its amount. */
export const messageRow = z.object({
  phone_number_id: z.string(),
  message_id: z.string(),
  customer: z.string(),
  /** Of a group message; else empty. Each participant has a row. */
  participant: z.string(),
  /** Tells the participants of a group message apart in addresses; empty for any other message. */
  participant_key: z.string(),
  /** What the sender calls the customer, where Meta's statuses name another one (F3); else empty. */
  dialled_customer: z.string(),
  /** What the sender attached to it; empty when nothing. */
  tag: z.string(),
  /** Whether a status says that it failed, and Meta's error. */
  has_failed: z.boolean(),
  error_code: z.string(),
  error_title: z.string(),
  waba_id: z.string(),
  /** ISO 8601 with offset, in the zone asked for; empty = not known. */
  sent_time: z.string(),
  delivered_time: z.string(),
  /** Of delivery, else of sending, in the zone of the account: the day whose policy, card and tiers hold. */
  rated_day: z.string(),
  type: z.string(),
  template_name: z.string(),
  category: z.string(),
  /** Empty: it was not delivered. */
  policy: z.string(),
  predicted: z.string(),
  /** Empty: Meta reported nothing. */
  reported: z.string(),
  billing: z.string(),
  conversation_id: z.string(),
  ad_id: z.string(),
  source_type: z.string(),
  model: rateModelSchema,
  market: z.string(),
  rated_category: z.string(),
  currency: z.string(),
  /** Name and effective date of the card that priced it; empty: none did. */
  card: z.string(),
  /** `from:to`, with MAX for no upper bound; empty: its price is not from a tier. */
  tier: z.string(),
  /** What has free places of which it takes one (M3); null: it costs what the rest of the row says. */
  free_place: z.enum(['allowance', 'conversations']).nullable(),
  list_cost: decimal.nullable(),
  billed_cost: decimal.nullable(),
  savings: decimal.nullable(),
  unrated: z.union([unratedReasonSchema, z.literal('')]),
  /** Whether the month of its delivery is closed: what is printed is then what was frozen, and this what it would be now. */
  is_closed: z.boolean(),
});
export type MessageRow = z.infer<typeof messageRow>;

/** A message, and why it is marked and costs what it does, in a sentence each. */
export interface ExplainedMessage {
  readonly message: MessageRow;
  readonly mark_sentence: string;
  readonly amount_sentence: string;
  /** Empty: no status says that it failed. */
  readonly failure_sentence: string;
}
