import { z } from 'zod';
import { count, decimal, instant } from './cells.ts';

/** The figures of rules.md 6 that all summaries share. */
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

/** Free entry that Meta reports and no known entry explains. */
const reportedOnly = {
  /** First messages that came without their content, and so perhaps without their ad. */
  lost_referrals: count,
  /** Free entry windows that only Meta reports, by their first message; and the messages in them. */
  windows_reported_only: count,
  messages_reported_only: count,
};

export const dailyRow = z.object({
  day: z.string(),
  phone_number_id: z.string(),
  ...figures,
  windows_opened: count,
  windows_confirmed: count,
  ...messageCounts,
  ...reportedOnly,
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

/** The names of an ad or post: from imports, and from the latest message that has one. */
export const adNameRow = z.object({
  ad_id: z.string(),
  source_type: z.string(),
  /** The name in an import; empty = no import has one. */
  ad_name: z.string(),
  adset_name: z.string(),
  campaign_name: z.string(),
  /** Empty when none of its entries has one. */
  headline: z.string(),
  media_type: z.string(),
  source_url: z.string(),
});
export type AdNameRow = z.infer<typeof adNameRow>;

/**
 * `source_type` of the row that belongs to no ad: free entry that only Meta reports, for instance because the ad was
 * lost.
 */
export const REPORTED_ONLY = 'reported';

/**
 * Results, cost and savings of an ad or post; one row per ad or post and currency. Counts are those of the ad, whatever
 * the currency, so do not add them up over several rows of one ad.
 */
export const adFiguresRow = z.object({
  ...adNameRow.shape,
  ...adsRow.omit({ ad_id: true, source_type: true }).shape,
  /** Currency of the amounts in the row; empty when there are none, or for messages whose account has none. */
  currency: z.string(),
  /** Cost on days completely in the range; null = no import has any. */
  spend: decimal.nullable(),
  /** spend / ad_conversations and spend / replied, four decimals; null when the divisor is 0. */
  cost_per_conversation: decimal.nullable(),
  cost_per_replied: decimal.nullable(),
  /**
   * M4, for the free entry messages of its windows; null when no message that costs something has a price, and some
   * have none.
   */
  savings: decimal.nullable(),
  /** Free entry messages without an amount. */
  unrated: count,
  /** savings / spend, four decimals. */
  savings_per_spend: decimal.nullable(),
  /** Imported amounts whose days are only partly in the range, which are in none of the figures. */
  spend_left_out: count,
  /** On the row of `REPORTED_ONLY`: free entry windows that only Meta reports; else 0. */
  windows_reported_only: count,
  /**
   * With a filter of accounts or numbers: imported amounts of an ad that brought entries to other numbers too, which are
   * in none of the figures, because an amount cannot be split.
   */
  spend_shared: count,
});
export type AdFiguresRow = z.infer<typeof adFiguresRow>;

/** The headline figures of the first page: one row over the whole range. */
export const overviewRow = z.object({
  ...figures,
  p90_seconds_to_reply: decimal.nullable(),
  windows_opened: count,
  windows_confirmed: count,
  ...messageCounts,
  /** Delivered messages that were free because of free entry and would have been `BILLABLE` without it (M4's mark). */
  saved_from_charge: count,
  /** Delivered messages with a known report of Meta's; `mismatches` is a share of these. */
  reported_messages: count,
  /** V2: predicted charged, reported free by the monthly service allowance; not mismatches. */
  allowance_differences: count,
  /** W8: window reports that did not count. */
  odd_reports: count,
  ...reportedOnly,
  /** Messages whose own event names another customer than Meta's statuses (F3). */
  customers_differ: count,
});
export type OverviewRow = z.infer<typeof overviewRow>;

/** One day over all numbers, for the chart and its table. Every day of the range has a row. */
export const dayTotalsRow = dailyRow
  .omit({
    phone_number_id: true,
    lost_referrals: true,
    windows_reported_only: true,
    messages_reported_only: true,
  })
  .extend({ saved_from_charge: count });
export type DayTotalsRow = z.infer<typeof dayTotalsRow>;

const totals = dayTotalsRow.omit({ day: true }).shape;

/** One hour over all numbers; `hour` is its first moment, ISO 8601 with offset. Every hour of the range has a row. */
export const hourTotalsRow = z.object({ hour: z.string(), ...totals });
export type HourTotalsRow = z.infer<typeof hourTotalsRow>;

/** One week over all numbers; `week` is its Monday. In the first and last week only the days of the range count. */
export const weekTotalsRow = z.object({ week: z.string(), ...totals });
export type WeekTotalsRow = z.infer<typeof weekTotalsRow>;

/** Totals over time, by the length of a row. */
export type BucketRows =
  | { readonly grain: 'hour'; readonly rows: readonly HourTotalsRow[] }
  | { readonly grain: 'day'; readonly rows: readonly DayTotalsRow[] }
  | { readonly grain: 'week'; readonly rows: readonly WeekTotalsRow[] };

/** The figures of a range, all of one moment, so that the parts add up to the whole. */
export interface Figures {
  readonly overview: OverviewRow;
  readonly buckets: BucketRows;
}
