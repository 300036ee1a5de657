import { z } from 'zod';
import { count, decimal, utcInstant } from './cells.ts';
import { rateKindSchema } from './rate-file.ts';
import { unratedReasonSchema } from './bill.ts';

/** A calendar month of days in an account's own zone, `YYYY-MM`. */
export const monthSchema = z.string().regex(/^20\d{2}-(0[1-9]|1[0-2])$/);

/** Something that speaks against closing a month: what is not known yet, or seems to be missing. */
export const findingSchema = z.discriminatedUnion('finding', [
  /** Messages sent in the month or in the 30 days before it that were neither delivered nor failed, so far as is known. */
  z.object({
    finding: z.literal('no_outcome'),
    phone_number_id: z.string(),
    messages: count,
    first_sent_at: utcInstant,
    last_sent_at: utcInstant,
  }),
  /** Hours without any event of a number, although it has some at that hour of the week in most other weeks. */
  z.object({
    finding: z.literal('gap'),
    phone_number_id: z.string(),
    from: utcInstant,
    to: utcInstant,
    missing_hours: count,
  }),
  /** Delivered messages of the month that have no amount (rules.md M5). */
  z.object({ finding: z.literal('unrated'), reason: unratedReasonSchema, messages: count }),
  /** Events of the month that were stored in the last 24 hours only: more may be on their way. */
  z.object({
    finding: z.literal('stored_lately'),
    phone_number_id: z.string(),
    events: count,
    last_stored_at: utcInstant,
  }),
  /** Messages of the month that are frozen in another closing already, because the account's zone was changed since. */
  z.object({ finding: z.literal('closed_before'), period_id: z.string(), month: monthSchema, messages: count }),
]);
export type Finding = z.infer<typeof findingSchema>;

/** A card that priced rows of a closed month. */
export const usedCardSchema = z.object({
  card_id: z.string(),
  kind: rateKindSchema,
  name: z.string(),
  effective_date: z.string(),
  checksum: z.string(),
});

/** Amounts are decimals as text; messages without one are counted in `unrated` and in no sum. */
export const periodTotalSchema = z.object({
  currency: z.string(),
  volume: z.string(),
  list_cost: decimal,
  billed_cost: decimal,
  savings: decimal,
  unrated: z.string(),
});

/** A closing of a month of an account, whatever became of it. */
export const periodSchema = z.object({
  period_id: z.string(),
  /** Empty: the messages that belong to no account. */
  waba_id: z.string(),
  month: monthSchema,
  state: z.enum(['closed', 'reopened']),
  /** Of the account when it was closed. */
  time_zone: z.string(),
  closed_at: utcInstant,
  closed_by: z.string(),
  /** The copy is of what was stored up to here. */
  cut_off: utcInstant,
  rate_cards: z.array(usedCardSchema),
  totals: z.array(periodTotalSchema),
  /** Rows of the report `charges`. */
  charges: z.coerce.number(),
  /** Delivered messages. */
  messages: z.coerce.number(),
  /** SHA-256, hexadecimal, of the account's charges as `export charges` prints them, header included. */
  checksum: z.string(),
  /** What was not complete, and accepted. */
  findings: z.array(findingSchema),
  reopened_at: utcInstant.nullable(),
  reopened_by: z.string(),
});
export type Period = z.infer<typeof periodSchema>;
