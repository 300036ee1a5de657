import type { AdsRow } from '@ctwa-ledger/schemas/reports.ts';

import type { Repair } from '../filters/filters.ts';

/** What the address of the page of ads says besides the filters of all pages. */
export interface AdsState {
  /** Id or address of an ad or post; empty = all. */
  readonly ad: string;
  /** The row after which the page begins, as {@link adKey} writes it; empty = the first page. */
  readonly after: string;
}

/** Longest id or address that is looked for. */
const MAX_CHARACTERS = 2_000;

type Row = Pick<AdsRow, 'ad_id' | 'source_type'>;

/** What tells rows of the table apart. */
export const adKey = ({ ad_id, source_type }: Row): string => `${source_type}:${ad_id}`;

/** The state that a query string asks for; what cannot be used is left out, with a notice. */
export function readAdsState(params: URLSearchParams): {
  readonly state: AdsState;
  readonly repairs: readonly Pick<Repair, 'notice'>[];
} {
  const ad = params.get('ad')?.trim() ?? '';
  const after = params.get('after') ?? '';
  if (ad.length <= MAX_CHARACTERS) return { state: { ad, after }, repairs: [] };
  return {
    state: { ad: '', after },
    repairs: [{ notice: `ad: no id or address has ${ad.length} characters; all ads are shown.` }],
  };
}

/** A page of rows in their order, and the key that the next page begins after; null = there is none. */
export interface AdPage<R> {
  readonly rows: readonly R[];
  readonly next: string | null;
  /** Rows before the page. */
  readonly skipped: number;
  /** False: there is no such row to begin after, so this is the first page. */
  readonly is_found: boolean;
}

/** The page of `rows` that begins after a key: a place that stays when rows come and go before it. */
export function pageAfter<R extends Row>(rows: readonly R[], after: string, page_rows: number): AdPage<R> {
  const at = after === '' ? -1 : rows.findIndex((row) => adKey(row) === after);
  const page = rows.slice(at + 1, at + 1 + page_rows);
  const last = page.at(-1);
  return {
    rows: page,
    next: last !== undefined && at + 1 + page.length < rows.length ? adKey(last) : null,
    skipped: at + 1,
    is_found: after === '' || at >= 0,
  };
}
