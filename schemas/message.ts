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
  /** Identifies a participant of a group message in addresses; empty for other messages. */
  participant_key: z.string(),
  /** The name by which the message's own events call the customer (F3); it decides the market (M2). */
  recipient: z.string(),
  /** The sender's name for the customer, if Meta's statuses name another one (F3); else empty. */
  dialled_customer: z.string(),
  /** The sender's tag; empty when there is none. */
  tag: z.string(),
  /** Whether a status says that it failed, and Meta's error. */
  has_failed: z.boolean(),
  error_code: z.string(),
  error_title: z.string(),
  waba_id: z.string(),
  /** ISO 8601 with offset, in the requested zone; empty = not known. */
  sent_time: z.string(),
  delivered_time: z.string(),
  /** Day of delivery, else of sending, in the zone of the account: it decides policy, card and tiers. */
  rated_day: z.string(),
  type: z.string(),
  template_name: z.string(),
  category: z.string(),
  /** Empty when it was not delivered. */
  policy: z.string(),
  predicted: z.string(),
  /** Empty when Meta reported nothing. */
  reported: z.string(),
  billing: z.string(),
  conversation_id: z.string(),
  ad_id: z.string(),
  source_type: z.string(),
  model: rateModelSchema,
  market: z.string(),
  rated_category: z.string(),
  currency: z.string(),
  /** Name and effective date of the card that priced it; empty when none did. */
  card: z.string(),
  /** `from:to`, with MAX for no upper bound; empty when its price is not from a tier. */
  tier: z.string(),
  /** The kind of free place that it uses (M3); null when it uses none and costs what the row says. */
  free_place: z.enum(['allowance', 'conversations']).nullable(),
  list_cost: decimal.nullable(),
  billed_cost: decimal.nullable(),
  savings: decimal.nullable(),
  unrated: z.union([unratedReasonSchema, z.literal('')]),
  /**
   * Whether the month of its delivery is closed. Reports then print the frozen row, and this is what it would be now.
   */
  is_closed: z.boolean(),
});
export type MessageRow = z.infer<typeof messageRow>;

/** A message, and sentences that explain its mark and its cost. */
export interface ExplainedMessage {
  readonly message: MessageRow;
  readonly mark_sentence: string;
  /** Every name of the customer, if there are several (rules.md F9); else empty. */
  readonly names: readonly string[];
  readonly amount_sentence: string;
  /** Empty when no status says that it failed. */
  readonly failure_sentence: string;
}
