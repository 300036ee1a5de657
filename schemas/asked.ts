/** Parameters of every report (contract.md 2). Dates are days in `tz`; `to` is exclusive. */
export interface ReportFilters extends Narrowed {
  /** First day, `YYYY-MM-DD`; null = from the beginning. */
  readonly from: string | null;
  /** Day after the last one, `YYYY-MM-DD`; null = to the end. */
  readonly to: string | null;
  /** IANA zone of the days. */
  readonly tz: string;
  /** Whether the zone was requested: without a requested zone charges are by the days of each account's own zone. */
  readonly is_tz_given?: boolean;
  /** Unix seconds: the clock for what depends on "now" (pending, mature). It filters nothing. */
  readonly as_of: number;
  /** Unix milliseconds: only rows that changed since then, and tombstones. Null or missing = all rows. */
  readonly changed_since?: number | null;
}

/**
 * Filters that some reports take; the record of a report says which. `ad` is the id of an ad or post, or (text that begins with
 * http) the address that its entries came from; `q` searches conversations, and `state` is their state. The others are
 * values of columns: `category` and `market` of prices; `billing`, `predicted` and `reported` of marks; `code` of
 * rejected inputs; `tier`, `rate` and `rate_card` of charges; `policy` and `rule` of predictions; `circumstance`
 * explains why a prediction differs from Meta's report; `tag` is the sender's, `error_code` Meta's.
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
  'circumstance',
  'tag',
  'error_code',
  'code',
] as const;
export type Narrowing = (typeof NARROWINGS)[number];
/** Null or missing = not narrowed. The empty text is a value: rows of no account have an empty `waba_id`. */
export type Narrowed = { readonly [name in Narrowing]?: string | null };

/** The requested page of a long table: sorted by a column, starting after the row of a cursor. */
export interface AskedPage<Column extends string = string> {
  readonly sort: { readonly column: Column; readonly descending: boolean };
  /** From {@link PageOf.next}; empty = the first page. */
  readonly after: string;
  readonly limit: number;
}

export interface PageOf<Row> {
  readonly rows: readonly Row[];
  /** Where the next page begins; null = there is none. */
  readonly next: string | null;
  /** False: `after` was not a cursor of this table, so this is the first page. */
  readonly is_found: boolean;
}
