import { z } from 'zod';
import { amount, count, decimal, instant } from './cells.ts';
import { rateModelSchema } from './rate-file.ts';

/** M4 and M5, over the delivered messages of a row; amounts are in the row's `currency`. */
const amounts = {
  volume: count,
  /**
   * All three are null when no message of the row has an amount, and when none of them costs anything and some have no
   * amount.
   */
  list_cost: decimal.nullable(),
  billed_cost: decimal.nullable(),
  savings: decimal.nullable(),
  /** Messages without an amount, which are in none of the sums. */
  unrated: count,
};

/** One row per currency over the range; empty = messages whose account has none. Currencies are never added up. */
export const savingsRow = z.object({ currency: z.string(), ...amounts });
export type SavingsRow = z.infer<typeof savingsRow>;

export const savingsDaysRow = z.object({ day: z.string(), currency: z.string(), ...amounts });
export type SavingsDaysRow = z.infer<typeof savingsDaysRow>;

/** The savings of an ad's free entry messages. */
export const savingsAdsRow = z.object({
  ad_id: z.string(),
  source_type: z.string(),
  currency: z.string(),
  free_messages: count,
  /** Null when none of them has an amount, and when none costs anything and some have no amount. */
  savings: decimal.nullable(),
  unrated: count,
});
export type SavingsAdsRow = z.infer<typeof savingsAdsRow>;

/** By rated category (M1a) and billing mark. */
export const savingsCategoriesRow = z.object({
  category: z.string(),
  billing: z.string(),
  currency: z.string(),
  ...amounts,
});
export type SavingsCategoriesRow = z.infer<typeof savingsCategoriesRow>;

/** By market of the customer (M2). */
export const savingsMarketsRow = z.object({ market: z.string(), currency: z.string(), ...amounts });
export type SavingsMarketsRow = z.infer<typeof savingsMarketsRow>;

/** By business number, with its account. */
export const savingsNumbersRow = z.object({
  waba_id: z.string(),
  phone_number_id: z.string(),
  currency: z.string(),
  ...amounts,
});
export type SavingsNumbersRow = z.infer<typeof savingsNumbersRow>;

/** By the tags of messages, for instance a campaign; empty = no tag. */
export const savingsTagsRow = z.object({ tag: z.string(), currency: z.string(), ...amounts });
export type SavingsTagsRow = z.infer<typeof savingsTagsRow>;

/** The rows of the reports `savings…` of the same filters. */
export interface Bill {
  readonly totals: readonly SavingsRow[];
  readonly days: readonly SavingsDaysRow[];
  readonly categories: readonly SavingsCategoriesRow[];
  readonly markets: readonly SavingsMarketsRow[];
  readonly numbers: readonly SavingsNumbersRow[];
}

export const unratedReasonSchema = z.enum([
  'unknown_category',
  'no_account',
  'no_card',
  'market_not_on_card',
  'not_offered',
]);
/** M5: the reason why a message has no amount. */
export type UnratedReason = z.infer<typeof unratedReasonSchema>;

/** Messages without an amount, by reason. */
export const unratedRow = z.object({
  reason: unratedReasonSchema,
  waba_id: z.string(),
  currency: z.string(),
  model: rateModelSchema,
  market: z.string(),
  category: z.string(),
  messages: count,
  /** First and last day on which such a message was delivered. */
  first_day: z.string(),
  last_day: z.string(),
});
export type UnratedRow = z.infer<typeof unratedRow>;

/** V2's mismatches, by the predicted and the reported mark. */
export const mismatchesRow = z.object({
  predicted: z.string(),
  reported: z.string(),
  /** The category of the message. */
  category: z.string(),
  policy: z.string(),
  /** The rule that decided the prediction. */
  rule: z.string(),
  /** The explanation of the difference; `none` when there is none. */
  circumstance: z.string(),
  messages: count,
  first_delivered_at: instant,
  last_delivered_at: instant,
  currency: z.string(),
  cost_followed: amount.describe('Expected charge by Meta’s report; empty where no message has a price.'),
  cost_predicted: amount.describe('Expected charge when the prediction is followed.'),
  cost_difference: amount.describe('The one that follows Meta’s report less the other.'),
  unrated: count.describe('Number of messages of which one of the two is not known; they are in neither sum.'),
  waba_id: z.string(),
});
export type MismatchesRow = z.infer<typeof mismatchesRow>;

/** One message whose report differs from the prediction. */
export const mismatchRow = z.object({
  message_id: z.string(),
  phone_number_id: z.string(),
  customer: z.string(),
  delivered_at: z.string(),
  type: z.string(),
  template_name: z.string(),
  category: z.string(),
  policy: z.string(),
  predicted: z.string(),
  reported: z.string(),
  reported_category: z.string(),
  rule: z.string(),
  conversation_id: z.string(),
  ad_id: z.string(),
  circumstance: z.string(),
  waba_id: z.string(),
  /** Identifies a participant of a group message in addresses; empty for other messages. */
  participant_key: z.string(),
});
export type MismatchRow = z.infer<typeof mismatchRow>;

/** Columns that mismatched messages can be sorted by. */
export const MISMATCH_SORTS = [
  'delivered_at',
  'message_id',
  'template_name',
  'category',
  'predicted',
  'reported',
  'waba_id',
  'ad_id',
] as const;
export type MismatchSort = (typeof MISMATCH_SORTS)[number];

/** A row of the report `charges`, as it is printed: volume, amounts and rate are decimals as text, empty = none. */
export const chargeRow = z.object({
  day: z.string(),
  waba_id: z.string(),
  phone_number_id: z.string(),
  market: z.string(),
  /** Rated (M1a). */
  category: z.string(),
  billing: z.string(),
  tier: z.string(),
  volume: z.string(),
  rate: z.string(),
  list_cost: z.string(),
  billed_cost: z.string(),
  savings: z.string(),
  currency: z.string(),
  rate_card: z.string(),
  /** How many messages have no amount. */
  unrated: z.string(),
  period: z.string(),
});
export type ChargeRow = z.infer<typeof chargeRow>;

/** Columns that charges can be sorted by; amounts and rates are ordered within their currency. */
export const CHARGE_SORTS = [
  'day',
  'waba_id',
  'phone_number_id',
  'market',
  'category',
  'billing',
  'volume',
  'rate',
  'list_cost',
  'billed_cost',
  'savings',
  'unrated',
] as const;
export type ChargeSort = (typeof CHARGE_SORTS)[number];

/** A row of the report `messages`, as it is printed, for a delivered message; with its tier. */
export const chargedMessageRow = z.object({
  message_id: z.string(),
  phone_number_id: z.string(),
  customer: z.string(),
  sent_at: z.string(),
  delivered_at: z.string(),
  type: z.string(),
  template_name: z.string(),
  category: z.string(),
  policy: z.string(),
  predicted: z.string(),
  reported: z.string(),
  billing: z.string(),
  billable: z.string(),
  conversation_id: z.string(),
  ad_id: z.string(),
  waba_id: z.string(),
  market: z.string(),
  rated_category: z.string(),
  currency: z.string(),
  rate_card: z.string(),
  list_cost: z.string(),
  billed_cost: z.string(),
  savings: z.string(),
  unrated: z.string(),
  period: z.string(),
  /** Meta's error, if the message failed at some time. */
  error_code: z.string(),
  error_title: z.string(),
  /** The sender's tag. */
  tag: z.string(),
  /** Identifies a participant of a group message in addresses; empty for other messages. */
  participant_key: z.string(),
  /** `from:to`, with MAX for no upper bound; empty when its price is not from a tier. */
  tier: z.string(),
});
export type ChargedMessageRow = z.infer<typeof chargedMessageRow>;

/** Columns that messages with their amounts can be sorted by: those that charges are stored by per hour. */
export const CHARGED_MESSAGE_SORTS = [
  'delivered_at',
  'waba_id',
  'phone_number_id',
  'market',
  'rated_category',
  'billing',
] as const;
export type ChargedMessageSort = (typeof CHARGED_MESSAGE_SORTS)[number];

/** Expected charges beside those of Meta, in one currency. Days and months that one side lacks are left out. */
export interface MetaSide {
  readonly currency: string;
  /** Null when Meta's numbers have no charge for any day of the range. */
  readonly meta: {
    readonly cost: string;
    /** The expected charges of the same days and accounts. */
    readonly expected: string;
    /** expected − Meta's */
    readonly difference: string;
    /** Compared days of accounts, of all days of the range of all accounts with the currency. */
    readonly days: number;
    readonly of_days: number;
  } | null;
  /** Null when no invoice is for a whole month of the range. */
  readonly invoice: {
    readonly amount: string;
    readonly expected: string;
    /** expected − invoiced */
    readonly difference: string;
    /** `YYYY-MM`, the earliest first. */
    readonly months: readonly string[];
  } | null;
}
