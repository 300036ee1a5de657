import type { AdOutcomesRow } from '@ctwa-ledger/schemas/outcomes.ts';

import { amountValue, type TableSpec, type Value } from '../table/table.ts';

const OUTCOME_COLUMNS = [
  'ad_id',
  'kind',
  'source',
  'outcomes',
  'cost_per_outcome',
  'value',
  'return_on_ad_spend',
] as const;
export type OutcomeColumn = (typeof OUTCOME_COLUMNS)[number];

export const OUTCOME_TABLE: TableSpec<OutcomeColumn> = {
  id: 'outcomes',
  columns: OUTCOME_COLUMNS,
  words_first: ['ad_id', 'kind', 'source'],
  default_sort: { column: 'outcomes', descending: true },
};

export const OUTCOME_VALUES: Readonly<Record<OutcomeColumn, (row: AdOutcomesRow) => Value>> = {
  ad_id: (row) => row.ad_name || row.ad_id || null,
  kind: (row) => row.kind,
  source: (row) => row.source,
  outcomes: (row) => row.outcomes,
  cost_per_outcome: (row) => amountValue(row.currency, row.cost_per_outcome),
  value: (row) => amountValue(row.currency, row.value),
  return_on_ad_spend: (row) => (row.return_on_ad_spend === null ? null : Number(row.return_on_ad_spend)),
};

/** Key of a row. */
export const outcomeKey = (row: AdOutcomesRow): string =>
  JSON.stringify([row.ad_id, row.source_type, row.kind, row.source, row.currency]);
