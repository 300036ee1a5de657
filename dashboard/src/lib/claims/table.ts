import { EXPLANATION_WORDS } from '@ctwa-ledger/schemas/case-words.ts';
import type { ClaimRow } from '@ctwa-ledger/schemas/claims.ts';

import { amountValue, type TableSpec, type Value } from '../table/table.ts';

const CLAIM_COLUMNS = [
  'month',
  'waba_id',
  'explanation',
  'claimed',
  'recovered',
  'state',
  'reference',
  'changed_at',
] as const;
export type ClaimColumn = (typeof CLAIM_COLUMNS)[number];

export const CLAIM_TABLE: TableSpec<ClaimColumn> = {
  id: 'claims',
  is_main: true,
  columns: CLAIM_COLUMNS,
  words_first: ['waba_id', 'explanation', 'state', 'reference'],
  default_sort: { column: 'month', descending: true },
};

export const CLAIM_VALUES: Readonly<Record<ClaimColumn, (claim: ClaimRow) => Value>> = {
  month: (claim) => claim.month,
  waba_id: (claim) => claim.waba_id,
  explanation: (claim) => (claim.explanation === '' ? null : EXPLANATION_WORDS[claim.explanation]),
  claimed: (claim) => amountValue(claim.currency, claim.claimed),
  recovered: (claim) => amountValue(claim.currency, claim.recovered),
  state: (claim) => claim.state,
  reference: (claim) => claim.reference || null,
  changed_at: (claim) => claim.changed_at,
};

/** Key of a claim; claims of one month are ordered by account. */
export const claimKey = (claim: ClaimRow): string => `${claim.waba_id} ${claim.claim_id}`;
