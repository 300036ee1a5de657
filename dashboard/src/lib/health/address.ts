import { valueIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import { quoted, search, type FilterState, type Repair } from '../filters/filters.ts';

/** The form of a reason. An unknown reason lists nothing. */
const CODE = /^[a-z0-9_]{1,60}$/i;

/**
 * The reason whose rejected inputs an address selects, or null for all. What cannot be a reason is left out, with a
 * notice.
 */
export function readCode(params: URLSearchParams): {
  readonly code: string | null;
  readonly repairs: readonly Pick<Repair, 'notice'>[];
} {
  const code = valueIn(params, 'code') ?? '';
  if (CODE.test(code)) return { code, repairs: [] };
  const notice = `code: ${quoted(code)} is no reason; rejected inputs of every reason are shown.`;
  return { code: null, repairs: code === '' ? [] : [{ notice }] };
}

/** The end of an address that selects a reason, with the filters of the other pages. */
export function codeSearch(code: string | null, filters: FilterState): string {
  return search(filters, { code: code ?? '' });
}
