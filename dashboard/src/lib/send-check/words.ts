import type { CategorySource, SendOutcome, SendPrice, SendTimer } from '@ctwa-ledger/schemas/send-check.ts';

import { exact } from '../format/amounts.ts';
import { duration } from '../format/durations.ts';
import { markName } from '../format/words.ts';

const OUTCOMES: Readonly<Partial<Record<SendOutcome, string>>> = {
  FREE_ALLOWANCE: 'Free within the monthly allowance',
  NON_TEMPLATE_NOT_ALLOWED: 'Not allowed: NON_TEMPLATE_NOT_ALLOWED',
  MARKETING_STOPPED: 'Not allowed: marketing was stopped',
};

/** The outcome of a message, in two or three words. */
export function outcomeName(outcome: SendOutcome): string {
  return OUTCOMES[outcome] ?? markName(outcome);
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['unknown_category', 'nobody named its category'],
  ['no_account', 'the number belongs to no account with a currency'],
  ['no_card', 'no rate card is in force'],
  ['market_not_on_card', 'the market is not on the card'],
  ['not_offered', 'the card does not offer it in this market'],
  ['per_participant', 'each participant of a group is charged by itself'],
]);

/** Why there is no amount. */
export function unratedReason(reason: string): string {
  return REASONS.get(reason) ?? reason;
}

/** The price of one message with all its places, because half a minor unit is much for one message. */
export function priceText({ amount, currency, unrated }: Pick<SendPrice, 'amount' | 'currency' | 'unrated'>): string {
  if (amount === null) return `No price: ${unratedReason(unrated)}`;
  return /[1-9]/.test(amount) ? `${currency} ${exact(amount)}` : 'Free';
}

/** The source of a price; empty when there is none. */
export function pricedBy({ rate_card, tier, market, category, is_in_allowance }: SendPrice): string {
  if (is_in_allowance) return 'The first 1,000 service messages of a month cost nothing.';
  if (rate_card === '') return '';
  return `${category.replaceAll('_', ' ')} in ${market}, ${rate_card}${tier === '' ? '' : `, tier ${tier}`}`;
}

const SOURCES: Readonly<Record<CategorySource, string>> = {
  type: 'every message that is no template',
  request: 'as it was given',
  import: 'as Meta lists the template',
  past_sends: 'as the template was sent before',
  unknown: 'nobody named it',
};

export function sourceName(source: CategorySource): string {
  return SOURCES[source];
}

/** `open, 3 h 2 min left`, `closed` or `never open`. */
export function timerState({ is_open, ends_at, seconds_left }: SendTimer): string {
  if (is_open) return `open, ${duration(String(seconds_left))} left`;
  return ends_at === null ? 'not open' : 'closed';
}
