import { z } from 'zod';
import { count, decimal, utcInstant } from './cells.ts';

/** What Meta counts of an ad, in the order of its steps. A file may lack any of them. */
export const META_COUNTS = ['link_clicks', 'conversations_started', 'depth_2', 'depth_3', 'depth_5'] as const;
export type MetaCount = (typeof META_COUNTS)[number];

/** Whole numbers as text; null = the file has no such column. */
export type MetaCounts = Readonly<Record<MetaCount, string | null>>;

/** The cost of one ad on some days, from Meta's export. */
export interface AdSpend {
  readonly ad_id: string;
  /** First and last day of the amount, `YYYY-MM-DD`, in the zone of the ad account; both included. */
  readonly first_day: string;
  readonly last_day: string;
  /** ISO 4217. */
  readonly currency: string;
  /** Plain decimal, up to 8 decimals. */
  readonly amount: string;
  /** What Meta counts on these days; left out where no file says it. */
  readonly counts?: MetaCounts;
}

/** Columns of an export of ads that are read. */
export const SPEND_COLUMNS = [
  'ad_id',
  'ad_name',
  'adset_name',
  'campaign_name',
  'day',
  'first_day',
  'last_day',
  'amount',
  'currency',
  ...META_COUNTS,
] as const;
export type SpendColumn = (typeof SPEND_COLUMNS)[number];

/** The English headings of these columns in Ads Manager; of those that it does not offer everywhere, the API's names. */
export const SPEND_COLUMN_NAMES: Readonly<Record<SpendColumn, string>> = {
  ad_id: 'Ad ID',
  ad_name: 'Ad name',
  adset_name: 'Ad set name',
  campaign_name: 'Campaign name',
  day: 'Day',
  first_day: 'Reporting starts',
  last_day: 'Reporting ends',
  amount: 'Amount spent',
  currency: 'Currency',
  link_clicks: 'Link clicks',
  conversations_started: 'Messaging conversations started',
  depth_2: 'messaging_user_depth_2_message_send',
  depth_3: 'messaging_user_depth_3_message_send',
  depth_5: 'messaging_user_depth_5_message_send',
};

/** A user's mapping of headings to columns; other headings are recognised automatically. */
export interface SpendMapping {
  readonly columns: Readonly<Partial<Record<SpendColumn, string>>>;
  /** The currency of all amounts, ISO 4217, if the file does not say it. */
  readonly currency?: string;
}

/** The form of a mapping's name: a regular expression with Unicode properties. */
export const MAPPING_NAME = '[\\p{L}\\p{N}][\\p{L}\\p{N} ._\\-]{0,59}';

/** Name of a stored mapping. */
export const mappingNameSchema = z
  .string()
  .trim()
  .regex(
    new RegExp(`^${MAPPING_NAME}$`, 'u'),
    'has up to 60 letters, digits, spaces, points and dashes, and begins with a letter or digit',
  );

/** A mapping that is stored by name. */
export interface KeptSpendMapping extends SpendMapping {
  readonly name: string;
  readonly kept_at: string;
  readonly kept_by: string;
}

/** The name of an ad; empty = the file has none. */
export interface AdLabel {
  readonly ad_id: string;
  readonly ad_name: string;
  readonly adset_name: string;
  readonly campaign_name: string;
}

/** The content of a file or form about ads. */
export interface SpendFile {
  readonly spend: readonly AdSpend[];
  readonly labels: readonly AdLabel[];
  /** Rows that were added to another one of the same ad and days, because an export with a breakdown has several. */
  readonly added_up: number;
  /** Rows with the sums of others (of ads, days or a breakdown), which are not counted. */
  readonly passed_over: number;
}

export const spendImportSchema = z.object({
  import_id: z.string(),
  /** File name, or the typed text. */
  name: z.string(),
  checksum: z.string(),
  imported_at: utcInstant,
  imported_by: z.string(),
  withdrawn_at: utcInstant.nullable(),
  withdrawn_by: z.string(),
  /** `replaced`: later imports have other values for every one of its rows. */
  state: z.enum(['holds', 'replaced', 'withdrawn']),
  ads: count,
  /** Rows with an amount, and how many of them are in force. */
  rows: count,
  rows_in_force: count,
  first_day: z.string().nullable(),
  last_day: z.string().nullable(),
  /** Sums of all its rows, by currency. */
  totals: z.array(z.object({ currency: z.string(), amount: decimal })),
});

/** An import of ad spend or names, whatever its state. */
export type SpendImport = z.infer<typeof spendImportSchema>;

/** The same with its sums as text: `BRL 1200.5; USD 3`. */
export const spendImportRow = spendImportSchema.extend({ totals: z.string() });

/** The result of an import, or what it would do. */
export interface PlannedSpendImport {
  readonly import_id: string;
  /** `unchanged`: all of it is in force already. */
  readonly outcome: 'imported' | 'unchanged';
  readonly ads: number;
  readonly rows: number;
  readonly added_up: number;
  readonly passed_over: number;
  /** Rows whose ad and days have an amount already, and how many of these have another one. */
  readonly replaced: number;
  readonly changed: number;
  readonly first_day: string | null;
  readonly last_day: string | null;
  readonly totals: readonly { readonly currency: string; readonly amount: string }[];
  /** Ads without a conversation in this ledger, up to a limit. */
  readonly unknown_ads: readonly string[];
  readonly unknown_ads_total: number;
}

/** An amount that a user types. */
export interface TypedSpend extends AdSpend {
  readonly ad_name: string;
}
