import type { AdMessagesRow } from '@ctwa-ledger/schemas/ad-steps.ts';

import { addDecimals, divideDecimals } from '../format/decimals.ts';

/** The messages of ad conversations in one currency, their expected charge, and the full cost with the ads. */
export interface MessageCosts {
  readonly currency: string;
  readonly messages: number;
  /** Null when no message that costs something has a price, and some have none. */
  readonly charges: string | null;
  /** Messages without a price. */
  readonly unrated: number;
  /** The conversations and answers of the ads of these messages. */
  readonly conversations: number;
  readonly replied: number;
  /** Spend and charges together, over the ads of which both are known. */
  readonly full_cost: string | null;
  readonly full_conversations: number;
  readonly full_replied: number;
  /** Messages without a price in the full cost. */
  readonly full_unrated: number;
  /** Ads with a conversation, and those of them in the full cost. */
  readonly ads: number;
  readonly full_ads: number;
}

const sumOf = (rows: readonly AdMessagesRow[], of: 'messages' | 'unrated' | 'ad_conversations' | 'replied'): number =>
  rows.reduce((sum, row) => sum + row[of], 0);

const known = (decimals: readonly (string | null)[]): string[] => decimals.filter((decimal) => decimal !== null);

/** Rows of one or several ads by currency. Messages without a price are counted, and in no sum. */
export function messageCosts(rows: readonly AdMessagesRow[]): MessageCosts[] {
  return [...new Set(rows.map(({ currency }) => currency))].sort().map((currency) => {
    const own = rows.filter((row) => row.currency === currency);
    const full = own.filter((row) => row.full_cost !== null);
    return {
      currency,
      messages: sumOf(own, 'messages'),
      charges: addDecimals(known(own.map((row) => row.message_charges))),
      unrated: sumOf(own, 'unrated'),
      conversations: sumOf(own, 'ad_conversations'),
      replied: sumOf(own, 'replied'),
      full_cost: addDecimals(known(full.map((row) => row.full_cost))),
      full_conversations: sumOf(full, 'ad_conversations'),
      full_replied: sumOf(full, 'replied'),
      full_unrated: sumOf(full, 'unrated'),
      ads: own.filter((row) => row.ad_conversations > 0).length,
      full_ads: full.filter((row) => row.ad_conversations > 0).length,
    };
  });
}

/** An amount divided by a count; null when one is not known. */
export function perOne(amount: string | null, over: number): string | null {
  return amount === null ? null : divideDecimals(amount, String(over));
}

/** Messages of all currencies: each belongs to one of them. */
export function allMessages(costs: readonly MessageCosts[]): number {
  return costs.reduce((sum, { messages }) => sum + messages, 0);
}
