import { z } from 'zod';
import { count, decimal, utcInstant } from './cells.ts';
import { EXPLANATION_CODES } from './meta.ts';
import { monthSchema } from './periods.ts';

/**
 * States of a case. `accepted`: it is known and tolerated until a day, and still counts as a warning. `resolved`:
 * nothing differs any more.
 */
const CASE_STATES = ['open', 'acknowledged', 'accepted', 'resolved'] as const;
export type CaseState = (typeof CASE_STATES)[number];

/** Actions of a person on a case. `reopen` undoes an acknowledgement or an acceptance. */
export const CASE_ACTIONS = ['acknowledge', 'accept', 'reopen', 'assign', 'comment'] as const;
export type CaseAction = (typeof CASE_ACTIONS)[number];

/**
 * What had changed when a case was resolved, compared with when it last differed. `other_explanation`: the rows still
 * differ.
 */
export type CaseResolution =
  'other_explanation' | 'restatement' | 'rate_card' | 'account' | 'late_events' | 'not_known';

/**
 * Why a case is open. `expired`: the day until which it was accepted is over. `grown`: it differs by more than was
 * accepted.
 */
const OPEN_REASONS = ['new', 'again', 'grown', 'expired', 'taken_back'] as const;
export type OpenReason = (typeof OPEN_REASONS)[number];

const MAX_NAME_CHARACTERS = 100;
const MAX_NOTE_CHARACTERS = 1_000;
/** A case is accepted for so many days at most; after that a person has to look again. */
export const MAX_ACCEPTED_DAYS = 366;

const name = z
  .string()
  .trim()
  .max(MAX_NAME_CHARACTERS, `has more than ${MAX_NAME_CHARACTERS} characters`)
  .refine((text) => !/\p{Cc}/u.test(text), 'has control characters');
const note = z.string().trim().max(MAX_NOTE_CHARACTERS, `has more than ${MAX_NOTE_CHARACTERS} characters`).default('');

/** Whether a text is a day of the calendar, `YYYY-MM-DD`. 31 February is not. */
function isDay(text: string): boolean {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().slice(0, 10) === text;
}

/** Identifies a case: the rows of an account and month with one explanation. */
export const caseKeySchema = z.strictObject({
  waba_id: z.string().min(1, 'is empty').max(MAX_NAME_CHARACTERS),
  month: z.string().refine((text) => monthSchema.safeParse(text).success, 'is not a month like 2026-10'),
  explanation: z.enum(EXPLANATION_CODES, `must be one of ${EXPLANATION_CODES.join(', ')}`),
});
export type CaseKey = z.infer<typeof caseKeySchema>;

/** Rows of evidence that a person can choose one by one. */
const MAX_CHOSEN_ROWS = 500;
const MAX_ROW_KEY_CHARACTERS = 300;

/** Chosen rows of an account and month, by their keys (`rowKeyOf`). */
export const chosenRowsSchema = caseKeySchema.omit({ explanation: true }).extend({
  rows: z
    .array(z.string().max(MAX_ROW_KEY_CHARACTERS))
    .min(1, 'is empty: choose at least one row')
    .max(MAX_CHOSEN_ROWS, `has more than ${MAX_CHOSEN_ROWS} rows`),
});
export type ChosenRows = z.infer<typeof chosenRowsSchema>;

/** A decision of a person on a case. */
const caseDecisionSchema = caseKeySchema.extend({
  action: z.enum(CASE_ACTIONS, `must be one of ${CASE_ACTIONS.join(', ')}`),
  by: name.min(1, 'is empty: say who you are'),
  note,
  /** `accept`: the last day of the acceptance, in UTC. */
  until: z.string().refine(isDay, 'is not a day like 2026-12-31').optional(),
  /** `assign`: the new owner; empty = nobody. */
  assignee: name.optional(),
  /**
   * The version of the case that the person saw, from its `seen`. The decision is refused if the case has changed
   * since.
   */
  seen: z.string().max(200).optional(),
});
export type CaseDecision = z.infer<typeof caseDecisionSchema>;

/** A sentence about what is wrong with a decision in itself; null when nothing is. */
function problemIn({ action, note: said, until, assignee }: CaseDecision): string | null {
  if (action === 'accept' && said === '') return 'note is empty: say why the difference is accepted.';
  if (action === 'accept' && until === undefined) return 'until is missing: say the last day on which it is accepted.';
  if (action === 'comment' && said === '') return 'note is empty: there is no comment.';
  if (action === 'assign' && assignee === undefined) return 'assignee is missing: say who works on it.';
  if (action !== 'accept' && until !== undefined) return `until goes with accept, not with ${action}.`;
  if (action !== 'assign' && assignee !== undefined) return `assignee goes with assign, not with ${action}.`;
  return null;
}

/** Reads a decision strictly; a text = what is wrong with it. */
export function readCaseDecision(value: unknown): CaseDecision | string {
  const read = caseDecisionSchema.safeParse(value);
  if (read.success) return problemIn(read.data) ?? read.data;
  const [issue] = read.error.issues;
  const path = issue?.path.join('.') ?? '';
  return `${path === '' ? '' : `${path}: `}${issue?.message ?? 'unknown'}.`;
}

/** A row of the report `cases`. Its sizes are those of the last evaluation in which it differed. */
export const caseRow = z.object({
  waba_id: z.string(),
  month: z.string(),
  explanation: z.enum(EXPLANATION_CODES).describe('Code of what explains most of each of its rows.'),
  state: z.enum(CASE_STATES).describe('What has become of it.'),
  open_because: z.union([z.enum(OPEN_REASONS), z.literal('')]).describe('Why it is open; empty where it is not.'),
  rows: count.describe('Rows of `reconciliation-differences` behind it, when it last differed.'),
  volume_difference: z.string().describe('Our volume less Meta’s, of its rows together.'),
  gross_volume_difference: z.string().describe('Sizes of the differences in volume, row by row.'),
  currency: z.string(),
  cost_difference: decimal.nullable().describe('Our cost less Meta’s, of the rows of which both are known.'),
  gross_cost_difference: decimal.nullable().describe('Sizes of the differences in cost, row by row.'),
  unknown_costs: count.describe('Rows of which one of the costs is not known: they are in no difference of cost.'),
  assignee: z.string().describe('Who works on it; empty: nobody.'),
  first_seen_at: utcInstant.describe('When it differed first.'),
  last_seen_at: utcInstant.describe('When it differed last.'),
  age_days: count.describe('Whole days since it was first seen, until it was resolved.'),
  decided_by: z.string().describe('Who decided last what has become of it; empty: nobody.'),
  decided_at: utcInstant.nullable().describe('When that was.'),
  note: z.string().describe('What was said then.'),
  accepted_until: z
    .string()
    .describe('The last day on which the acceptance holds, UTC; empty where it is not accepted.'),
  resolved_at: utcInstant.nullable().describe('When it was found to differ no more.'),
  resolved_by: z.string().describe('What had changed by then, with spaces between; empty where it is not resolved.'),
  comments: count.describe('Number of comments.'),
  is_known: z
    .boolean()
    .describe('Whether Meta’s numbers are there now for its days; where they are not, its state stays what it was.'),
});
export type CaseRow = z.infer<typeof caseRow>;

/** A decision or comment in the history of a case. */
export interface CaseEntry {
  readonly at: string;
  readonly by: string;
  readonly action: CaseAction;
  readonly note: string;
  readonly until: string;
  readonly assignee: string;
  /** The closing in force at that time; empty when the month was open. */
  readonly period_id: string;
}

/** A case with what a page needs to work on it. */
export interface WorkedCase extends CaseRow {
  /** The version that a decision on it must name. */
  readonly seen: string;
  /** Earliest first. */
  readonly history: readonly CaseEntry[];
}

/** The cases of a month of an account. */
export interface CasesOfMonth {
  readonly waba_id: string;
  readonly month: string;
  readonly currency: string;
  readonly cases: readonly WorkedCase[];
  /** Age in days, weighted by the amounts of the cases that are not resolved; null when none has an amount. */
  readonly weighted_age_days: number | null;
}
