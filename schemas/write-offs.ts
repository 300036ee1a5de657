import { z } from 'zod';
import type { WholeBillRow } from './whole-bill.ts';
import { chosenRowsSchema } from './cases.ts';
import { count, decimal, utcInstant } from './cells.ts';
import { EXPLANATION_CODES } from './meta.ts';

/**
 * Why a difference is written off. `immaterial`: too small to be pursued. `rounding`: made by rounding. `timing`:
 * counted on another day or in another month. `refused`: Meta or a partner refused a claim. `own_records`: our records
 * are wrong or incomplete. `other`: the note says it.
 */
export const WRITE_OFF_REASONS = ['immaterial', 'rounding', 'timing', 'refused', 'own_records', 'other'] as const;
export type WriteOffReason = (typeof WRITE_OFF_REASONS)[number];

const line = (max: number): z.ZodString =>
  z
    .string()
    .trim()
    .max(max, `has more than ${max} characters`)
    .regex(/^\P{Cc}*$/u, 'has control characters');
const by = line(100).min(1, 'is empty: say who you are');
const note = line(1_000);

/** Rows to write off: those of a case, or chosen ones. */
const newWriteOffSchema = chosenRowsSchema.partial({ rows: true }).extend({
  explanation: z.enum(EXPLANATION_CODES, `must be one of ${EXPLANATION_CODES.join(', ')}`).optional(),
  reason: z.enum(WRITE_OFF_REASONS, `must be one of ${WRITE_OFF_REASONS.join(', ')}`),
  note: note.min(1, 'is empty: say why it is written off'),
  by,
});
export type NewWriteOff = z.infer<typeof newWriteOffSchema>;

const undoSchema = z.strictObject({
  action: z.literal('undo', 'is not undo'),
  note: note.min(1, 'is empty: say why it is undone'),
  by,
});
/** Undoing a write-off. */
export type WriteOffUndo = z.infer<typeof undoSchema>;

function read<T>(schema: z.ZodType<T>, value: unknown): T | string {
  const found = schema.safeParse(value);
  if (found.success) return found.data;
  const [issue] = found.error.issues;
  const path = issue?.path.join('.') ?? '';
  return `${path === '' ? '' : `${path}: `}${issue?.message ?? 'unknown'}.`;
}

/** Reads what is to be written off; a text = what is wrong. */
export function readNewWriteOff(value: unknown): NewWriteOff | string {
  const asked = read(newWriteOffSchema, value);
  if (typeof asked === 'string') return asked;
  return (asked.explanation === undefined) === (asked.rows === undefined)
    ? 'Say either explanation, which writes off the rows of a case, or rows.'
    : asked;
}

export function readWriteOffUndo(value: unknown): WriteOffUndo | string {
  return read(undoSchema, value);
}

/** A row of the report `write-offs`. */
export const writeOffRow = z.object({
  write_off_id: z.string().describe('Id of the write-off.'),
  waba_id: z.string(),
  month: z.string(),
  explanation: z
    .union([z.enum(EXPLANATION_CODES), z.literal('')])
    .describe('The case whose rows were written off; empty: they were chosen one by one.'),
  state: z.enum(['in_force', 'undone']).describe('Whether it counts in the statement of the month.'),
  reason: z.enum(WRITE_OFF_REASONS).describe('Why it was written off.'),
  note: z.string().describe('What was said then.'),
  rows: count.describe('Rows of `reconciliation-differences` that were written off.'),
  volume_difference: z.string().describe('Our volume less Meta’s that was written off.'),
  gross_volume_difference: z.string().describe('Sizes of these differences, row by row.'),
  currency: z.string(),
  cost_difference: decimal.nullable().describe('Our cost less Meta’s that was written off; null: none was known.'),
  gross_cost_difference: decimal.nullable().describe('Sizes of these differences, row by row.'),
  unknown_costs: count.describe(
    'Rows of which the difference of cost was not known: no amount of theirs is written off.',
  ),
  made_at: utcInstant.describe('When it was written off.'),
  made_by: z.string().describe('Who wrote it off.'),
  undone_at: utcInstant.nullable().describe('When it was undone; null where it is in force.'),
  undone_by: z.string().describe('Who undid it; empty where it is in force.'),
  undone_because: z.string().describe('What was said then.'),
});
export type WriteOffRow = z.infer<typeof writeOffRow>;

/** The result; `unchanged`: the same was entered before. */
export interface WriteOffOutcome {
  readonly outcome: 'entered' | 'unchanged';
  readonly write_off: WriteOffRow;
}

/** Lines of the statement of a month, in its order. */
const STATEMENT_LINES = [
  'ours',
  'meta',
  'difference',
  'within_tolerance',
  'explained',
  'written_off',
  'residual',
] as const;
export type StatementLine = (typeof STATEMENT_LINES)[number];

/** A row of the report `statement`. */
export const statementRow = z.object({
  waba_id: z.string(),
  month: z.string(),
  line: z
    .enum(STATEMENT_LINES)
    .describe(
      'ours, meta, and their difference; then what it consists of: within tolerance, explained, written off, and the residual that is none of these.',
    ),
  cause: z
    .union([z.enum(EXPLANATION_CODES), z.enum(WRITE_OFF_REASONS), z.literal('')])
    .describe('Explanation of an explained or residual line, reason of one that was written off; else empty.'),
  rows: count.describe('Rows of `reconciliation` that the line has a part of.'),
  volume: z.string().describe('Messages or conversations.'),
  currency: z.string(),
  cost: decimal.nullable().describe('Cost of the rows of which both sides’ costs are known; null: of none.'),
  unknown_costs: count.describe('Other rows of the line: they are in no cost.'),
});
export type StatementRow = z.infer<typeof statementRow>;

/** What the difference of a month consists of, and what is and may be written off of it, for a page. */
export interface StatementOfMonth {
  readonly lines: readonly StatementRow[];
  /** The whole bill of the month. */
  readonly bill: readonly WholeBillRow[];
  /** Those that were undone included. */
  readonly write_offs: readonly WriteOffRow[];
  /** How much may be written off in the month: a decimal, and messages. Null: no such limit is set. */
  readonly limits: { readonly amount: string | null; readonly messages: number | null };
}
