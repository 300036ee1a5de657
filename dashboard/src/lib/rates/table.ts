import type { ListedCard } from '@ctwa-ledger/schemas/rate-cards.ts';

import type { TableSpec, Value } from '../table/table.ts';
import { modelName } from './words.ts';

const CARD_COLUMNS = [
  'currency',
  'model',
  'effective_date',
  'state',
  'markets',
  'rates',
  'name',
  'imported_at',
] as const;
export type CardColumn = (typeof CARD_COLUMNS)[number];

export const CARD_TABLE: TableSpec<CardColumn> = {
  id: 'cards',
  is_main: true,
  columns: CARD_COLUMNS,
  words_first: ['currency', 'model', 'state', 'name'],
  default_sort: { column: 'effective_date', descending: true },
};

export const CARD_VALUES: Readonly<Record<CardColumn, (card: ListedCard) => Value>> = {
  currency: (card) => card.currency,
  model: modelName,
  effective_date: (card) => card.effective_date,
  state: (card) => card.state,
  markets: (card) => card.markets,
  rates: (card) => card.rates,
  name: (card) => card.name,
  imported_at: (card) => card.imported_at,
};

/** Key of a card; cards of one day are ordered by currency. */
export const cardKey = (card: ListedCard): string =>
  `${card.currency} ${modelName(card)} ${card.imported_at} ${card.card_id}`;
