import type { ClaimRow, ClaimState } from '@ctwa-ledger/schemas/claims.ts';

import { money } from '../format/amounts.ts';

export const CLAIM_WORDS: Readonly<Record<ClaimState, string>> = {
  made: 'made',
  granted: 'credit promised',
  refused: 'refused',
  paid_in_part: 'paid in part',
  paid: 'paid',
  withdrawn: 'withdrawn',
};

/** A claim in a line: `Claim of USD 12.50, paid in part: USD 5.00 recovered`. */
export function claimWords({ state, claimed, recovered, currency }: ClaimRow): string {
  const back = state === 'paid' || state === 'paid_in_part' ? `: ${money(recovered, currency)} recovered` : '';
  return `Claim of ${money(claimed, currency)}, ${CLAIM_WORDS[state]}${back}`;
}
