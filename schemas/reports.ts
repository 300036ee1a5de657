import { z } from 'zod';
import type { ListedAccount } from './changes.ts';
import type { AskedConversation, AskedConversations, Conversation, ConversationList } from './conversations.ts';
import type { AskedLetters, DeadLetterRow, Health } from './health.ts';
import type { ListedCard } from './rate-cards.ts';
import { rateModelSchema } from './rate-file.ts';
import type { SpendImport } from './spend.ts';

/** An amount or a rate: a decimal as text, never a JavaScript number. */
const decimal = z.string();
const count = z.int().nonnegative();
/** ISO 8601 with offset, in the report's zone; null = not known. */
const instant = z.string().nullable();

/** What every report can be asked with (contract.md 2). Dates are days in `tz`; `to` is exclusive. */
export interface ReportFilters extends Narrowed {
  /** First day, `YYYY-MM-DD`; null = from the beginning. */
  readonly from: string | null;
  /** Day after the last one, `YYYY-MM-DD`; null = to the end. */
  readonly to: string | null;
  /** IANA zone whose days are meant. */
  readonly tz: string;
  /** Whether the zone was asked for: charges are by the days of each account's own zone unless it was. */
  readonly is_tz_given?: boolean;
  /** Unix seconds: the clock for what depends on "now" (pending, mature). Filters nothing. */
  readonly as_of: number;
}

/**
 * What some reports can be narrowed to; which ones, `NARROWED_BY` says. `ad` is the id of an ad or post, or (text that
 * begins with http) the address that its entries came from; `q` what conversations are searched by and `state` what has become of them; the others are values
 * of columns: `category` and `market` of prices, `billing`, `predicted` and `reported` of marks, `code` of rejected inputs.
 * `tier`, `rate` and `rate_card` tell charges apart that have all else in common; `policy` and `rule` decided a prediction.
 */
export const NARROWINGS = [
  'ad',
  'q',
  'state',
  'waba_id',
  'phone_number_id',
  'market',
  'category',
  'billing',
  'tier',
  'rate',
  'rate_card',
  'predicted',
  'reported',
  'policy',
  'rule',
  'code',
] as const;
export type Narrowing = (typeof NARROWINGS)[number];
/** Null or left out = not narrowed. The empty text is a value of its own: what belongs to no account has an empty `waba_id`. */
export type Narrowed = { readonly [name in Narrowing]?: string | null };

/** A page of a table that is too long to be at hand: sorted by a column, and begun after the row of a cursor. */
export interface AskedPage<Column extends string = string> {
  readonly sort: { readonly column: Column; readonly descending: boolean };
  /** As {@link PageOf.next} gave it; empty = the first page. */
  readonly after: string;
  readonly limit: number;
}

export interface PageOf<Row> {
  readonly rows: readonly Row[];
  /** Where the next page begins; null = there is none. */
  readonly next: string | null;
  /** False: `after` named no place, so this is the first page. */
  readonly is_found: boolean;
}

/** The figures of rules.md 6 that every summary shares. */
const figures = {
  ad_conversations: count,
  replied: count,
  mature: count,
  pending: count,
  /** replied / mature, four decimals; null when nothing is mature. */
  reply_rate: decimal.nullable(),
  /** Seconds, over replied conversations; linear interpolation between the middle two; null when none. */
  median_seconds_to_reply: decimal.nullable(),
};

const messageCounts = {
  messages: count,
  delivered: count,
  billable: count,
  free_entry: count,
  free_service: count,
  covered: count,
  unknown: count,
  mismatches: count,
};

export const dailyRow = z.object({
  day: z.string(),
  phone_number_id: z.string(),
  ...figures,
  windows_opened: count,
  windows_confirmed: count,
  ...messageCounts,
});
export type DailyRow = z.infer<typeof dailyRow>;

export const adsRow = z.object({
  ad_id: z.string(),
  source_type: z.string(),
  ...figures,
  p90_seconds_to_reply: decimal.nullable(),
  windows_opened: count,
  windows_confirmed: count,
  free_messages: count,
  first_entry_at: instant,
  last_entry_at: instant,
});
export type AdsRow = z.infer<typeof adsRow>;

/** What an ad or post is called, and what it calls itself by the latest message that says so. */
export const adNameRow = z.object({
  ad_id: z.string(),
  source_type: z.string(),
  /** As people call it, from an import; empty = no import says. */
  ad_name: z.string(),
  adset_name: z.string(),
  campaign_name: z.string(),
  /** Empty: none of its entries has one. */
  headline: z.string(),
  media_type: z.string(),
  source_url: z.string(),
});
export type AdNameRow = z.infer<typeof adNameRow>;

/** `source_type` of the row that belongs to no ad: free entry that Meta alone reports, a Page call-to-action for instance. */
export const UNATTRIBUTED = 'unattributed';

/**
 * What an ad or post brought, what it cost and what it saved; one row per ad or post and currency. Counts are those of the
 * ad, whatever the currency, so they are not to be added up over several rows of one.
 */
export const adFiguresRow = z.object({
  ...adNameRow.shape,
  ...adsRow.omit({ ad_id: true, source_type: true }).shape,
  /** Of the amounts beside it; empty = there are none. */
  currency: z.string(),
  /** Of days wholly in the range; null = no import says. */
  spend: decimal.nullable(),
  /** spend / ad_conversations and spend / replied, four decimals; null where there is none of them. */
  cost_per_conversation: decimal.nullable(),
  cost_per_replied: decimal.nullable(),
  /** M4, of the free entry messages of its windows. */
  savings: decimal.nullable(),
  /** Free entry messages without an amount. */
  unrated: count,
  /** savings / spend, four decimals. */
  savings_per_spend: decimal.nullable(),
  /** Imported amounts whose days are only partly in the range: in none of the figures. */
  spend_left_out: count,
});
export type AdFiguresRow = z.infer<typeof adFiguresRow>;

/** The headline of the first page: one row over the whole range. */
export const overviewRow = z.object({
  ...figures,
  p90_seconds_to_reply: decimal.nullable(),
  windows_opened: count,
  windows_confirmed: count,
  ...messageCounts,
  /** Delivered messages that were free by free entry and would have been `BILLABLE` without it (M4's mark). */
  saved_from_charge: count,
  /** Delivered messages with a report of Meta's that says something: what `mismatches` is a share of. */
  reported_messages: count,
  /** V2: predicted charged, reported free by the monthly service allowance; not mismatches. */
  allowance_differences: count,
  /** W8: window reports that did not count. */
  odd_reports: count,
});
export type OverviewRow = z.infer<typeof overviewRow>;

/** One day over all numbers: what the chart and its table show. Every day of the range has a row. */
export const dayTotalsRow = dailyRow.omit({ phone_number_id: true }).extend({ saved_from_charge: count });
export type DayTotalsRow = z.infer<typeof dayTotalsRow>;

const totals = dayTotalsRow.omit({ day: true }).shape;

/** One hour over all numbers; `hour` is its first moment, ISO 8601 with offset. Every hour of the range has a row. */
export const hourTotalsRow = z.object({ hour: z.string(), ...totals });
export type HourTotalsRow = z.infer<typeof hourTotalsRow>;

/** One week over all numbers; `week` is its Monday. Of the first and last week only the days of the range count. */
export const weekTotalsRow = z.object({ week: z.string(), ...totals });
export type WeekTotalsRow = z.infer<typeof weekTotalsRow>;

/** Totals over time, by how long a row is. */
export type BucketRows =
  | { readonly grain: 'hour'; readonly rows: readonly HourTotalsRow[] }
  | { readonly grain: 'day'; readonly rows: readonly DayTotalsRow[] }
  | { readonly grain: 'week'; readonly rows: readonly WeekTotalsRow[] };

/** What the first page shows together: all of one moment, so that the parts add up to the whole. */
export interface Figures {
  readonly overview: OverviewRow;
  readonly buckets: BucketRows;
  readonly ads: readonly AdsRow[];
}

/** M4 and M5, over whatever delivered messages a row speaks of; all of them in the row's `currency`. */
const amounts = {
  volume: count,
  /** Null when no message of the row has an amount. */
  list_cost: decimal.nullable(),
  billed_cost: decimal.nullable(),
  savings: decimal.nullable(),
  /** Messages without an amount: in none of the sums. */
  unrated: count,
};

/** One row per currency over the range; empty = of messages whose account has none. Currencies are never added up. */
export const savingsRow = z.object({ currency: z.string(), ...amounts });
export type SavingsRow = z.infer<typeof savingsRow>;

export const savingsDaysRow = z.object({ day: z.string(), currency: z.string(), ...amounts });
export type SavingsDaysRow = z.infer<typeof savingsDaysRow>;

/** What the free entry messages of an ad saved. */
export const savingsAdsRow = z.object({
  ad_id: z.string(),
  source_type: z.string(),
  currency: z.string(),
  free_messages: count,
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

/** By business number, and the account that it belongs to. */
export const savingsNumbersRow = z.object({
  waba_id: z.string(),
  phone_number_id: z.string(),
  currency: z.string(),
  ...amounts,
});
export type SavingsNumbersRow = z.infer<typeof savingsNumbersRow>;

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
/** M5: why a message has no amount. */
export type UnratedReason = z.infer<typeof unratedReasonSchema>;

/** Messages without an amount, by what is missing. */
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

/** V2's mismatches, by what was predicted and what Meta reported. */
export const mismatchesRow = z.object({
  predicted: z.string(),
  reported: z.string(),
  /** Of the message. */
  category: z.string(),
  policy: z.string(),
  /** The rule that decided the prediction. */
  rule: z.string(),
  messages: count,
  first_delivered_at: instant,
  last_delivered_at: instant,
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
});
export type MismatchRow = z.infer<typeof mismatchRow>;

/** Columns that the messages behind mismatches can be sorted by. */
export const MISMATCH_SORTS = [
  'delivered_at',
  'message_id',
  'template_name',
  'category',
  'predicted',
  'reported',
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
  /** Messages without an amount. */
  unrated: z.string(),
  period: z.string(),
});
export type ChargeRow = z.infer<typeof chargeRow>;

/** Columns that charges can be sorted by; amounts and rates within their currency. */
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

/** A row of the report `messages`, as it is printed, of a message that was delivered; with its tier. */
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
  /** `from:to`, with MAX for no upper bound; empty: its price is not from a tier. */
  tier: z.string(),
});
export type ChargedMessageRow = z.infer<typeof chargedMessageRow>;

/** Columns that messages with their amounts can be sorted by: those by which charges are kept per hour. */
export const CHARGED_MESSAGE_SORTS = [
  'delivered_at',
  'waba_id',
  'phone_number_id',
  'market',
  'rated_category',
  'billing',
] as const;
export type ChargedMessageSort = (typeof CHARGED_MESSAGE_SORTS)[number];

/** One outbound message with everything that decides its amount. */
export const messageRow = z.object({
  phone_number_id: z.string(),
  message_id: z.string(),
  customer: z.string(),
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
});
export type MessageRow = z.infer<typeof messageRow>;

/** A message, and why it is marked and costs what it does, in a sentence each. */
export interface ExplainedMessage {
  readonly message: MessageRow;
  readonly mark_sentence: string;
  readonly amount_sentence: string;
}

/** How fresh and complete what is on screen is. */
export interface LedgerStatus {
  /** `sample`: simulated data, labelled on every screen. `ledger`: real data. */
  readonly source: 'sample' | 'ledger';
  /** True while the sample data is still being written. */
  readonly loading_sample: boolean;
  /** Number of stored event rows; duplicates that are not merged yet are counted. */
  readonly events: number;
  /** Unix seconds of the earliest and latest event; null when there is none. */
  readonly first_event_at: number | null;
  readonly last_event_at: number | null;
  /** When something was last stored, Unix seconds; null = nothing in the last three days. */
  readonly last_stored_at: number | null;
  /** Rejected inputs waiting in the dead-letter table. */
  readonly dead_letters: number;
  /** Cells whose summary is being recomputed; 0 = the figures are complete. */
  readonly cells_behind: number;
  /** IANA zones of the accounts, those of most accounts first. */
  readonly account_zones: readonly string[];
}

/** The named queries that screens, CSV and API share. Implemented by `services/reports`. */
export interface Reports {
  /** Which data a request reads; `sample` asks for the sample data even when real data exists. */
  status(sample: boolean): Promise<LedgerStatus>;
  overview(filters: ReportFilters, sample: boolean): Promise<OverviewRow>;
  figures(filters: ReportFilters, grain: BucketRows['grain'], sample: boolean): Promise<Figures>;
  adFigures(filters: ReportFilters, sample: boolean): Promise<AdFiguresRow[]>;
  adNames(ad_ids: readonly string[], sample: boolean): Promise<AdNameRow[]>;
  /** Imports of ad spend and names, the latest first. */
  spendImports(sample: boolean): Promise<SpendImport[]>;
  savings(filters: ReportFilters, sample: boolean): Promise<SavingsRow[]>;
  savingsAds(filters: ReportFilters, sample: boolean): Promise<SavingsAdsRow[]>;
  bill(filters: ReportFilters, sample: boolean): Promise<Bill>;
  unrated(filters: ReportFilters, sample: boolean): Promise<UnratedRow[]>;
  mismatches(filters: ReportFilters, sample: boolean): Promise<MismatchesRow[]>;
  mismatchedMessages(
    filters: ReportFilters,
    asked: AskedPage<MismatchSort>,
    sample: boolean,
  ): Promise<PageOf<MismatchRow>>;
  /** A page of the report `charges`. */
  charges(filters: ReportFilters, asked: AskedPage<ChargeSort>, sample: boolean): Promise<PageOf<ChargeRow>>;
  /** A page of the delivered messages of the report `messages`, by the days of `charges`. */
  chargedMessages(
    filters: ReportFilters,
    asked: AskedPage<ChargedMessageSort>,
    sample: boolean,
  ): Promise<PageOf<ChargedMessageRow>>;
  /** Messages of an id, of one business number or of all: ids are unique only within a number. Times are in `tz`. */
  messages(
    asked: { readonly message_id: string; readonly phone_number_id: string | null; readonly tz: string },
    sample: boolean,
  ): Promise<ExplainedMessage[]>;
  /** A page of ad conversations. */
  conversations(asked: AskedConversations, sample: boolean): Promise<ConversationList>;
  /** The thread of a message; null when there is no such message. */
  conversation(asked: AskedConversation, sample: boolean): Promise<Conversation | null>;
  health(sample: boolean): Promise<Health>;
  /** How many rejected inputs wait that were first seen in the days of the filters. */
  waitingLetters(filters: ReportFilters, sample: boolean): Promise<number>;
  deadLetters(asked: AskedLetters, sample: boolean): Promise<PageOf<DeadLetterRow>>;
  rateCards(sample: boolean): Promise<ListedCard[]>;
  /** Accounts that are configured or seen in messages. */
  accounts(sample: boolean): Promise<ListedAccount[]>;
  /** Drops the sample data for good ("gone with one click"). */
  dismissSample(): Promise<void>;
}
