import { textIn, type AddressParameter } from '@ctwa-ledger/schemas/address-parameters.ts';
import type { CaseRow } from '@ctwa-ledger/schemas/cases.ts';
import { EXPLANATION_CODES } from '@ctwa-ledger/schemas/meta.ts';

import { search, type FilterState } from '../filters/filters.ts';
import type { ClaimTexts } from './form.ts';

/** The end of the address of the claims page with one claim selected. */
export function chosenClaim(claim_id: string, filters: FilterState): string {
  return `${search(filters, { claim: claim_id })}#claim`;
}

/**
 * The end of an address that opens the form of a new claim for a case, with the amount that Meta charges too much if it
 * is known.
 */
export function newClaimSearch(
  { waba_id, month, explanation, cost_difference, currency }: CaseRow,
  filters: FilterState,
): string {
  const amount = cost_difference?.startsWith('-') === true ? cost_difference.slice(1) : '';
  return search(filters, { account: waba_id, month, case: explanation, amount, currency });
}

/** The texts for the form of a new claim in an address. Values that cannot be used are left empty. */
export function textsOf(params: URLSearchParams): ClaimTexts {
  const text = (name: AddressParameter): string => textIn(params, name).slice(0, 100);
  const explanation = text('case');
  return {
    waba_id: text('account'),
    month: text('month'),
    explanation: EXPLANATION_CODES.some((code) => code === explanation) ? explanation : '',
    amount: text('amount'),
    currency: text('currency'),
    reference: '',
    note: '',
    by: '',
  };
}
