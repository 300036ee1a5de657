import type { UnratedReason, UnratedRow } from '@ctwa-ledger/schemas/bill.ts';

import type { Day } from '../filters/days.ts';
import { longDay } from '../format/dates.ts';
import { categoryName } from '../format/words.ts';

/** What is missing for a price, as one thing to do. */
export interface Remedy {
  readonly key: string;
  readonly reason: UnratedReason;
  readonly missing: string;
  readonly advice: string;
  /** The page where it can be done; null when there is none. */
  readonly goes_to: { readonly kind: 'cards' } | { readonly kind: 'account'; readonly waba_id: string } | null;
}

/** The messages that lack the same thing. */
export interface RemediedMessages extends Remedy {
  readonly messages: number;
  readonly first_day: Day;
  readonly last_day: Day;
}

type Wanting = Pick<UnratedRow, 'reason' | 'waba_id' | 'currency' | 'model' | 'market' | 'category'>;

/** What to do about a message without an amount. */
export function remedyOf(row: Wanting): Remedy {
  const card = `${row.currency} rate card per ${row.model}`;
  const cards = { kind: 'cards' } as const;
  const remedy = (what: string, rest: Pick<Remedy, 'missing' | 'advice' | 'goes_to'>): Remedy => ({
    key: `${row.reason} ${what}`,
    reason: row.reason,
    ...rest,
  });
  switch (row.reason) {
    case 'unknown_category':
      return remedy(row.category, {
        missing:
          row.category === 'unknown' ? 'The category is unknown' : `${categoryName(row.category)} has no price column`,
        advice: 'Nothing to import: send the template’s category with your message events, or wait for Meta’s report.',
        goes_to: null,
      });
    case 'no_account':
      return row.waba_id === ''
        ? remedy('', {
            missing: 'No account',
            advice: 'These messages name no account: configure one that lists their business number.',
            goes_to: { kind: 'account', waba_id: '' },
          })
        : remedy(row.waba_id, {
            missing: `Account ${row.waba_id} has no currency`,
            advice: `Configure account ${row.waba_id}: it has no currency.`,
            goes_to: { kind: 'account', waba_id: row.waba_id },
          });
    case 'no_card':
      return remedy(`${row.currency} ${row.model}`, {
        missing: `No ${card}`,
        advice: `Import a rate card for ${row.currency}, per ${row.model}, in force by the first of these days.`,
        goes_to: cards,
      });
    case 'market_not_on_card':
      return remedy(`${row.currency} ${row.model} ${row.market}`, {
        missing: `${row.market} is not on the ${card}`,
        advice: `Import a ${row.currency} card that has a row ${row.market}.`,
        goes_to: cards,
      });
    case 'not_offered':
      return remedy(`${row.currency} ${row.model} ${row.market} ${row.category}`, {
        missing: `The ${card} offers no ${categoryName(row.category).toLowerCase()} in ${row.market}`,
        advice: 'Check the card, where it says n/a: messages of this category should not exist there.',
        goes_to: cards,
      });
  }
}

/** Unrated messages by what has to be done, the most frequent first. */
export function byRemedy(rows: readonly UnratedRow[]): RemediedMessages[] {
  const known = new Map<string, RemediedMessages>();
  for (const row of rows) {
    const remedy = remedyOf(row);
    const before = known.get(remedy.key) ?? { messages: 0, first_day: row.first_day, last_day: row.last_day };
    known.set(remedy.key, {
      ...remedy,
      messages: before.messages + row.messages,
      first_day: row.first_day < before.first_day ? row.first_day : before.first_day,
      last_day: row.last_day > before.last_day ? row.last_day : before.last_day,
    });
  }
  return [...known.values()].sort((a, b) => b.messages - a.messages || (a.key < b.key ? -1 : 1));
}

/** The days of such messages, as one or two days. */
export function daysOf({ first_day, last_day }: Pick<RemediedMessages, 'first_day' | 'last_day'>): string {
  return first_day === last_day ? longDay(first_day) : `${longDay(first_day)} – ${longDay(last_day)}`;
}
