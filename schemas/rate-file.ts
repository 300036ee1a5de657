import { z } from 'zod';
import { FIRST_GIVEN_DAY, LAST_GIVEN_DAY } from './time-limits.ts';

/**
 * Price columns of Meta's list card, in its order. They are also the categories by which messages are rated (rules.md
 * M1a).
 */
export const RATE_CATEGORIES = [
  'marketing',
  'utility',
  'authentication',
  'authentication_international',
  'service',
] as const;
export type RateCategory = (typeof RATE_CATEGORIES)[number];

/** Categories that have volume tiers (rules.md M3). */
export const TIERED_CATEGORIES = [
  'utility',
  'authentication',
  'authentication_international',
] as const satisfies readonly RateCategory[];
export type TieredCategory = (typeof TIERED_CATEGORIES)[number];

/** What a rate is charged for: a conversation until 2025-07, a message since. */
export const rateModelSchema = z.enum(['conversation', 'message']);
export type RateModel = z.infer<typeof rateModelSchema>;

export const rateKindSchema = z.enum(['list', 'tiers']);
export type RateKind = z.infer<typeof rateKindSchema>;

/** The day from which a card is in force, `YYYY-MM-DD`. */
export const effectiveDateSchema = z.iso
  .date()
  .refine(
    (day) => day >= FIRST_GIVEN_DAY && day <= LAST_GIVEN_DAY,
    `is not between ${FIRST_GIVEN_DAY} and ${LAST_GIVEN_DAY}`,
  );

/** `to_place` of a tier without an upper bound. */
export const LAST_PLACE = '18446744073709551615';

/** One price of a card. Numbers are text and never become JavaScript numbers. */
export interface Rate {
  /** As the card prints it, with single spaces. */
  readonly market: string;
  readonly category: RateCategory;
  /**
   * The messages of the month for which it is in force, counted from 1, both bounds included; a list card's price is
   * for all.
   */
  readonly from_place: string;
  readonly to_place: string;
  /** Plain decimal in the currency of the card, up to 8 decimals; null when not offered in this market. */
  readonly rate: string | null;
}

/** The content of a rate file for one currency (contract.md 6). */
export interface RateCard {
  readonly kind: RateKind;
  readonly model: RateModel;
  /** ISO 4217. */
  readonly currency: string;
  /** The days that the file itself names ("effective October 1, 2026"), `YYYY-MM-DD`; usually one or none. */
  readonly effective_said: readonly string[];
  readonly rates: readonly Rate[];
}
