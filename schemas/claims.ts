import { z } from 'zod';
import { decimal, utcInstant } from './cells.ts';
import { EXPLANATION_CODES } from './meta.ts';

/**
 * What has become of a claim. `granted`: a credit is promised. `paid_in_part`, `paid`: credit memos paid some of it, or all.
 */
const CLAIM_STATES = ['made', 'granted', 'refused', 'paid_in_part', 'paid', 'withdrawn'] as const;
export type ClaimState = (typeof CLAIM_STATES)[number];

/** What happens to a claim. `refer` says its number at Meta or the partner. */
export const CLAIM_ACTIONS = ['make', 'refer', 'grant', 'refuse', 'pay', 'withdraw'] as const;
export type ClaimAction = (typeof CLAIM_ACTIONS)[number];

/** A row of the report `claims`. */
export const claimRow = z.object({
  claim_id: z.string().describe('Id of the claim.'),
  waba_id: z.string(),
  month: z.string(),
  explanation: z
    .union([z.enum(EXPLANATION_CODES), z.literal('')])
    .describe('The case that it is about, by its explanation; empty: it is about none.'),
  state: z.enum(CLAIM_STATES).describe('What has become of it.'),
  currency: z.string(),
  claimed: decimal.describe('Amount that is claimed.'),
  recovered: decimal.describe('Amount that credit memos paid of it.'),
  reference: z.string().describe('Number of the case at Meta or the partner; empty where there is none yet.'),
  credits: z.string().describe('The credit memos that paid it, with spaces between.'),
  note: z.string().describe('What was said last.'),
  made_at: utcInstant.describe('When it was made.'),
  made_by: z.string().describe('Who made it.'),
  changed_at: utcInstant.describe('When something last happened to it.'),
  changed_by: z.string().describe('Who entered that.'),
});
export type ClaimRow = z.infer<typeof claimRow>;

/** What was claimed and recovered of some months, in one currency. */
export interface Recovered {
  readonly currency: string;
  readonly claims: number;
  readonly claimed: string;
  readonly recovered: string;
}
