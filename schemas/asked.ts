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
 * Filters that some reports take; the record of a report says which. `ad` is the id of an ad or post, the address (text that
 * begins with http) that its entries came from, or a part of its name, ad set, campaign or headline; `campaign` and
 * `adset` are whole names from imports of ad costs; `q` searches conversations, and `state` is their state. The others are
 * values of columns: `category` and `market` of prices; `billing`, `predicted` and `reported` of marks; `code` of
 * rejected inputs; `tier`, `rate` and `rate_card` of charges; `policy` and `rule` of predictions; `circumstance`
 * explains why a prediction differs from Meta's report; `tag` is the sender's, `error_code` Meta's.
 */
export const NARROWINGS = [
  'ad',
  'campaign',
  'adset',
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

/** Filters that can have several values; rows with any of them are meant. */
export const LISTED = [
  'waba_id',
  'phone_number_id',
  'market',
  'category',
  'billing',
  'campaign',
  'adset',
  'ad',
  'tag',
] as const satisfies readonly Narrowing[];
export type Listed = (typeof LISTED)[number];

export const isListed = (name: string): name is Listed => LISTED.some((listed) => listed === name);

/** Null or missing = not narrowed. The empty text is a value: rows of no account have an empty `waba_id`. */
export type Narrowed = { readonly [name in Exclude<Narrowing, Listed>]?: string | null } & {
  readonly [name in Listed]?: string | readonly string[] | null;
};

/** The values of a filter; empty = not narrowed. */
export function givenValues(given: Narrowed[Narrowing]): readonly string[] {
  if (given == null) return [];
  return typeof given === 'string' ? [given] : given;
}

/** The value of a filter that has exactly one; null = it has none, or several. */
export function onlyValue(given: Narrowed[Narrowing]): string | null {
  const [first, ...others] = givenValues(given);
  return first === undefined || others.length > 0 ? null : first;
}

/** The requested page of a long table: sorted by a column, starting after the row of a cursor. */
export interface AskedPage<Column extends string = string> {
  readonly sort: { readonly column: Column; readonly descending: boolean };
  /** From {@link PageOf.next}; empty = the first page. */
  readonly after: string;
  /** From {@link PageOf.previous}: the page that ends before this row, in place of one that begins after a row. */
  readonly before?: string;
  readonly limit: number;
}

export interface PageOf<Row> {
  readonly rows: readonly Row[];
  /** Where the next page begins; null = there is none. */
  readonly next: string | null;
  /** The row before which the previous page ends; null = this is the first page. */
  readonly previous: string | null;
  /** False: `after` or `before` was not a cursor of this table, so this is the first page. */
  readonly is_found: boolean;
}
