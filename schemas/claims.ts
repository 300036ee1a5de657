import { z } from 'zod';
import { decimal, utcInstant } from './cells.ts';
import { EXPLANATION_CODES } from './meta.ts';
import { monthSchema } from './periods.ts';

/**
 * States of a claim. `granted`: a credit is promised. `paid_in_part`, `paid`: credit memos paid a part of it, or all.
 */
const CLAIM_STATES = ['made', 'granted', 'refused', 'paid_in_part', 'paid', 'withdrawn'] as const;
export type ClaimState = (typeof CLAIM_STATES)[number];

/** Events of a claim. `refer` records its number at Meta or the partner. */
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

/** The claimed and recovered sums of some months, in one currency. */
export interface Recovered {
  readonly currency: string;
  readonly claims: number;
  readonly claimed: string;
  readonly recovered: string;
}

const MAX_CHARACTERS = { by: 100, waba_id: 100, reference: 200, note: 1_000, credit: 200, amount: 40 } as const;

const line = (max: number): z.ZodString =>
  z
    .string()
    .trim()
    .max(max, `has more than ${max} characters`)
    .regex(/^\P{Cc}*$/u, 'has control characters');
const by = line(MAX_CHARACTERS.by).min(1, 'is empty: say who you are');
const reference = line(MAX_CHARACTERS.reference).default('');
const note = line(MAX_CHARACTERS.note).default('');

/** The subject and amount of a claim, as a person enters them. */
const newClaimSchema = z.strictObject({
  waba_id: line(MAX_CHARACTERS.waba_id).min(1, 'is empty'),
  month: z.string().refine((text) => monthSchema.safeParse(text).success, 'is not a month like 2026-10'),
  explanation: z
    .union([z.enum(EXPLANATION_CODES), z.literal('')], `must be one of ${EXPLANATION_CODES.join(', ')}`)
    .default(''),
  /** Plain decimal above 0. */
  amount: line(MAX_CHARACTERS.amount).min(1, 'is empty'),
  currency: z.string().regex(/^[A-Z]{3}$/, 'is not a currency: use three capital letters (ISO 4217), like USD'),
  reference,
  note,
  by,
});
export type NewClaim = z.infer<typeof newClaimSchema>;

/** An event of an existing claim. */
const claimChangeSchema = z.strictObject({
  action: z.enum(
    CLAIM_ACTIONS.filter((action) => action !== 'make'),
    `must be one of ${CLAIM_ACTIONS.slice(1).join(', ')}`,
  ),
  note,
  by,
  /** `refer`: the number; also with other events, if it becomes known with them. */
  reference,
  /** `pay`: `IMPORT-ID:LINE` or `IMPORT-ID:SHEET:LINE` of an invoice, or the id of Meta's invoice. */
  credit: line(MAX_CHARACTERS.credit).default(''),
  /** `pay`: plain decimal; empty = the smaller rest of claim and credit. */
  amount: line(MAX_CHARACTERS.amount).default(''),
});
export type ClaimChange = z.infer<typeof claimChangeSchema>;

/** A sentence about what is wrong with a change in itself; null when nothing is. */
function problemIn({ action, reference: number, credit, amount }: ClaimChange): string | null {
  if (action === 'refer' && number === '') return 'reference is empty: say the number of the case.';
  if (action === 'pay' && credit === '') return 'credit is empty: say which credit memo paid it.';
  if (action !== 'pay' && credit + amount !== '') return `credit and amount go with pay, not with ${action}.`;
  return null;
}

/** Reads a claim strictly; a text = what is wrong. */
function read<T>(schema: z.ZodType<T>, value: unknown): T | string {
  const found = schema.safeParse(value);
  if (found.success) return found.data;
  const [issue] = found.error.issues;
  const path = issue?.path.join('.') ?? '';
  return `${path === '' ? '' : `${path}: `}${issue?.message ?? 'unknown'}.`;
}

export function readNewClaim(value: unknown): NewClaim | string {
  return read(newClaimSchema, value);
}

export function readClaimChange(value: unknown): ClaimChange | string {
  const change = read(claimChangeSchema, value);
  return typeof change === 'string' ? change : (problemIn(change) ?? change);
}

/** The result; `unchanged`: the same was recorded before. */
export interface ClaimOutcome {
  readonly outcome: 'entered' | 'unchanged';
  readonly claim: ClaimRow;
}
