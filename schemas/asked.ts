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
 * What some reports can be narrowed to; `narrowingsOf` says which. `ad` is the id of an ad or post, or (text that
 * begins with http) the address that its entries came from; `q` what conversations are searched by and `state` what has become of them; the others are values
 * of columns: `category` and `market` of prices, `billing`, `predicted` and `reported` of marks, `code` of rejected inputs.
 * `tier`, `rate` and `rate_card` tell charges apart that have all else in common; `policy` and `rule` decided a prediction,
 * `circumstance` is what explains its difference from Meta's report. `tag` is what the sender attached, `error_code` Meta's.
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
