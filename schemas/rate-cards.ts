import { z } from 'zod';
import { utcInstant } from './cells.ts';
import { rateKindSchema, rateModelSchema, type RateKind, type RateModel } from './rate-file.ts';

export const listedCardSchema = z.object({
  card_id: z.string(),
  kind: rateKindSchema,
  model: rateModelSchema,
  currency: z.string(),
  effective_date: z.string(),
  name: z.string(),
  checksum: z.string(),
  imported_at: utcInstant,
  imported_by: z.string(),
  withdrawn_at: utcInstant.nullable(),
  withdrawn_by: z.string(),
  /** A replaced card is in force again when all later ones are withdrawn. */
  state: z.enum(['holds', 'replaced', 'withdrawn']),
  markets: z.coerce.number().int().nonnegative(),
  rates: z.coerce.number().int().nonnegative(),
});

/** An imported card, whatever its state. */
export type ListedCard = z.infer<typeof listedCardSchema>;

/** The days from which it should be in force: the given one, and those that the file names; `YYYY-MM-DD`. */
export interface EffectiveDays {
  readonly given: string | null;
  readonly said: readonly string[];
}

/** What an import does, or would do, with one card. */
export interface ImportedCard {
  readonly card_id: string;
  readonly kind: RateKind;
  readonly model: RateModel;
  readonly currency: string;
  readonly effective_date: string;
  /** `unchanged`: it is in force already. */
  readonly outcome: 'imported' | 'unchanged';
  /** The card of the same date that this one replaces; null when there is none. */
  readonly replaces: string | null;
  /** The card of an earlier date that is in force until this one's date; null when there is none. */
  readonly follows: string | null;
  /** The date of the next card, which is in force from then on; null when there is none. */
  readonly until: string | null;
  readonly markets: number;
  readonly rates: number;
  /**
   * Markets of the card that no customer belongs to: the table of markets has other names for them, or does not have
   * them.
   */
  readonly unknown_markets: readonly string[];
}

/** A changed rate. Null = not offered, or no such tier. */
export interface RateChange {
  readonly market: string;
  readonly category: string;
  /** `from:to`, with MAX for no upper bound; only in tier files. */
  readonly tier?: string;
  readonly old_rate: string | null;
  readonly new_rate: string | null;
}

/** What an import would change, compared with the card that it replaces or else follows. */
export interface PreviewedCard extends ImportedCard {
  readonly added_markets: readonly string[];
  readonly removed_markets: readonly string[];
  /** Changes in the markets that both cards have. */
  readonly changes: readonly RateChange[];
}

/** The result of a withdrawal. */
export interface WithdrawnCard {
  readonly card_id: string;
  readonly outcome: 'withdrawn' | 'unchanged';
  /** The card that it had replaced and that is in force again; null when there is none. */
  readonly restores: string | null;
}
