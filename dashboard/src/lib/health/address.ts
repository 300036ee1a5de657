import { quoted, search, type FilterState, type Repair } from '../filters/filters.ts';

/** Reasons are such words; one that no letter has shows none. */
const CODE = /^[a-z0-9_]{1,60}$/i;

/** Whose rejected inputs an address asks for: those of one reason, or null for all; what is no reason is left out, with a notice. */
export function readCode(params: URLSearchParams): {
  readonly code: string | null;
  readonly repairs: readonly Pick<Repair, 'notice'>[];
} {
  const code = params.get('code') ?? '';
  if (CODE.test(code)) return { code, repairs: [] };
  const notice = `code: ${quoted(code)} is no reason; rejected inputs of every reason are shown.`;
  return { code: null, repairs: code === '' ? [] : [{ notice }] };
}

/** The end of an address that asks for a reason, with the filters of the other pages beside it. */
export function codeSearch(code: string | null, filters: FilterState): string {
  return search(filters, { code: code ?? '' });
}
