import { z } from 'zod';

/** An amount or a rate: a decimal as text, never a JavaScript number. */
const decimal = z.string();
const count = z.int().nonnegative();
/** ISO 8601 with offset, in the report's zone; null = not known. */
const instant = z.string().nullable();

/** What every report can be asked with (contract.md 2). Dates are days in `tz`; `to` is exclusive. */
export interface ReportFilters {
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
  /** Rejected inputs waiting in the dead-letter table. */
  readonly dead_letters: number;
  /** Cells whose summary is being recomputed; 0 = the figures are complete. */
  readonly cells_behind: number;
}

/** The named queries that screens, CSV and API share. Implemented by `services/reports`. */
export interface Reports {
  /** Which data a request reads; `sample` asks for the sample data even when real data exists. */
  status(sample: boolean): Promise<LedgerStatus>;
  overview(filters: ReportFilters, sample: boolean): Promise<OverviewRow>;
  dayTotals(filters: ReportFilters, sample: boolean): Promise<DayTotalsRow[]>;
  daily(filters: ReportFilters, sample: boolean): Promise<DailyRow[]>;
  ads(filters: ReportFilters, sample: boolean): Promise<AdsRow[]>;
  /** Drops the sample data for good ("gone with one click"). */
  dismissSample(): Promise<void>;
}
