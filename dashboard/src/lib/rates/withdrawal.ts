import type { ListedCard } from '@ctwa-ledger/schemas/rate-cards.ts';

/** A card to withdraw, and the card that would be in force instead. */
export interface Withdrawal {
  readonly card: ListedCard;
  /** The card of the same day that it replaced. */
  readonly returning: ListedCard | null;
  /** The card that was in force before its day. */
  readonly earlier: ListedCard | null;
}

/**
 * The effect of withdrawing a card; null when no card has that id, or it is withdrawn already.
 * @param cards the latest first, by date and then by import
 */
export function withdrawalOf(card_id: string, cards: readonly ListedCard[]): Withdrawal | null {
  const card = cards.find((one) => one.card_id === card_id);
  if (card === undefined || card.state === 'withdrawn') return null;
  const others = cards.filter(
    (other) => other.currency === card.currency && other.model === card.model && other.kind === card.kind,
  );
  const day = card.effective_date;
  return {
    card,
    returning: others.find((other) => other.effective_date === day && other.state === 'replaced') ?? null,
    earlier: others.find((other) => other.effective_date < day && other.state === 'holds') ?? null,
  };
}
