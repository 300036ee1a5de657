import { z } from 'zod';
import { count, decimal, utcInstant } from './cells.ts';

/** What one ad cost over some days, as Meta's export says it. */
export interface AdSpend {
  readonly ad_id: string;
  /** First and last day that the amount is for, `YYYY-MM-DD`, in the zone of the ad account; both are meant. */
  readonly first_day: string;
  readonly last_day: string;
  /** ISO 4217. */
  readonly currency: string;
  /** Plain decimal, up to 8 decimals. */
  readonly amount: string;
}

/** How people call an ad; empty = the file does not say. */
export interface AdLabel {
  readonly ad_id: string;
  readonly ad_name: string;
  readonly adset_name: string;
  readonly campaign_name: string;
}

/** What a file or a form says about ads. */
export interface SpendFile {
  readonly spend: readonly AdSpend[];
  readonly labels: readonly AdLabel[];
  /** Rows that were added to another one of the same ad and days: an export with a breakdown has several. */
  readonly added_up: number;
}

export const spendImportSchema = z.object({
  import_id: z.string(),
  /** File name, or what was typed. */
  name: z.string(),
  checksum: z.string(),
  imported_at: utcInstant,
  imported_by: z.string(),
  withdrawn_at: utcInstant.nullable(),
  withdrawn_by: z.string(),
  /** `replaced`: later imports say something else about every one of its rows. */
  state: z.enum(['holds', 'replaced', 'withdrawn']),
  ads: count,
  /** Rows with an amount, and how many of them hold. */
  rows: count,
  rows_in_force: count,
  first_day: z.string().nullable(),
  last_day: z.string().nullable(),
  /** Sums of all its rows, by currency. */
  totals: z.array(z.object({ currency: z.string(), amount: decimal })),
});

/** An import of ad spend or names, whatever became of it. */
export type SpendImport = z.infer<typeof spendImportSchema>;

/** The same with its sums as text: `BRL 1200.5; USD 3`. */
export const spendImportRow = spendImportSchema.extend({ totals: z.string() });

/** What an import does, or would do. */
export interface PlannedSpendImport {
  readonly import_id: string;
  /** `unchanged`: it holds already, as it is. */
  readonly outcome: 'imported' | 'unchanged';
  readonly ads: number;
  readonly rows: number;
  readonly added_up: number;
  /** Rows whose ad and days have an amount already, and of these those where it is another one. */
  readonly replaced: number;
  readonly changed: number;
  readonly first_day: string | null;
  readonly last_day: string | null;
  readonly totals: readonly { readonly currency: string; readonly amount: string }[];
  /** Ads that no conversation of this ledger came from, at most some of them. */
  readonly unknown_ads: readonly string[];
  readonly unknown_ads_total: number;
}

/** An amount that somebody types in. */
export interface TypedSpend extends AdSpend {
  readonly ad_name: string;
}
