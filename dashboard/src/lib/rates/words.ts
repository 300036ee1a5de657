import type { ListedCard } from '@ctwa-ledger/schemas/rate-cards.ts';

import { longDay } from '../format/dates.ts';

type Named = Pick<ListedCard, 'currency' | 'model' | 'kind' | 'effective_date'>;

/** The model and kind of a card: `per message, volume tiers`. */
export function modelName({ model, kind }: Pick<Named, 'model' | 'kind'>): string {
  return `per ${model}${kind === 'tiers' ? ', volume tiers' : ''}`;
}

/** `BRL per message from 1 Jul 2026`. */
export function cardName(card: Named): string {
  return `${card.currency} ${modelName(card)} from ${longDay(card.effective_date)}`;
}
