import { z } from 'zod';
import { count, decimal, utcInstant } from './cells.ts';
import { biasSchema } from './meta.ts';
import { rateKindSchema } from './rate-file.ts';
import { unratedReasonSchema } from './bill.ts';

/** A calendar month of days in an account's own zone, `YYYY-MM`. */
export const monthSchema = z.string().regex(/^20\d{2}-(0[1-9]|1[0-2])$/);

/** A reason against closing a month: something that is not known yet, or seems to be missing. */
export const findingSchema = z.discriminatedUnion('finding', [
  /** Messages sent in the month or in the 30 days before it for which neither a delivery nor a failure is known. */
  z.object({
    finding: z.literal('no_outcome'),
    phone_number_id: z.string(),
    messages: count,
    first_sent_at: utcInstant,
    last_sent_at: utcInstant,
  }),
  /** Hours without any event of a number that has events at that hour of the week in most other weeks. */
  z.object({
    finding: z.literal('gap'),
    phone_number_id: z.string(),
    from: utcInstant,
    to: utcInstant,
    missing_hours: count,
  }),
  /** Delivered messages of the month that have no amount (rules.md M5). */
  z.object({ finding: z.literal('unrated'), reason: unratedReasonSchema, messages: count }),
  /** Events of the month that were stored only in the last 24 hours: more may follow. */
  z.object({
    finding: z.literal('stored_lately'),
    phone_number_id: z.string(),
    events: count,
    last_stored_at: utcInstant,
  }),
  /** Messages of the month that another closing has frozen, because the account's zone was changed since. */
  z.object({ finding: z.literal('closed_before'), period_id: z.string(), month: monthSchema, messages: count }),
]);
export type Finding = z.infer<typeof findingSchema>;

/**
 * States of a checklist item. `warning`: it holds, with a remark. `pending`: it will be decided on a day that it names.
 * `unknown`: it cannot be decided, and never counts as passed.
 */
const CHECK_STATES = ['passed', 'warning', 'pending', 'open', 'unknown'] as const;
export type CheckState = (typeof CHECK_STATES)[number];

const state = z.enum(CHECK_STATES);
/** The day from which it can be decided, `YYYY-MM-DD`; null when it does not depend on time. */
const settles_on = z.string().nullable();
const days = z.array(z.string());

/** An item of the checklist of a month. */
export const checkSchema = z.discriminatedUnion('check', [
  /** Whether Meta's numbers cover every day, and were fetched after the day had settled. */
  z.object({
    check: z.literal('meta_numbers'),
    state,
    days: count,
    missing_days: days,
    /** Days whose numbers were fetched while Meta still changed them. */
    unsettled_days: days,
    settles_on,
  }),
  /** Whether all events of the account's numbers are here. */
  z.object({
    check: z.literal('events'),
    state,
    gaps: count,
    missing_hours: count,
    /** Numbers with so little traffic that a gap could not be noticed. */
    unwatched_numbers: z.array(z.string()),
    /** Whether volumes agree with Meta's in every row of every day, so that no event is missing. */
    agrees_with_meta: z.boolean(),
    /** Events that were stored in the last 24 hours. */
    stored_lately: count,
    /** Rejected inputs that are kept, and records that were deleted before they were read, of any account. */
    dead_letters: count,
    lost_records: count,
    settles_on,
  }),
  /**
   * Whether we have as many messages as Meta counts, by day and number, before amounts are compared. Present only if
   * Meta's counts were imported.
   */
  z.object({
    check: z.literal('counts'),
    state,
    /** Days of the month, and how many have no counts of Meta's. */
    days: count,
    missing_days: count,
    /** Compared days and numbers, and how many have each finding other than `complete`. */
    rows: count,
    gap: count,
    other_responder: count,
    missing: count,
    outcomes: count,
    surplus: count,
    /** Sums of Meta's counts, and of ours on the same days; null = Meta does not say. */
    our_sent: count,
    meta_sent: count.nullable(),
    our_delivered: count,
    meta_delivered: count.nullable(),
    our_incoming: count,
    meta_incoming: count.nullable(),
  }),
  /** Whether Meta's own numbers are right in themselves. Present only if they were imported. */
  z.object({
    check: z.literal('controls'),
    state,
    /** Findings of each control. */
    free_service: count,
    tiers: count,
    free_cost: count,
    price: count,
    max_price: count,
    restated: count,
  }),
  /** Whether the outcome of every sent message is known. */
  z.object({ check: z.literal('outcomes'), state, messages: count, settles_on }),
  /** Whether every delivered message has an amount. */
  z.object({ check: z.literal('prices'), state, delivered: count, unrated: count, has_currency: z.boolean() }),
  /** Whether our numbers and Meta's agree, or all differences are explained. */
  z.object({
    check: z.literal('differences'),
    state,
    rows: count,
    different: count,
    /** Rows that differ and are fully explained. */
    explained: count,
    /** Rows of which all that is not explained is written off. */
    written_off: count.default(0),
    /** Other rows whose case is accepted. */
    accepted: count.default(0),
    within_tolerance: count,
    /** What rows within tolerance have in common, which makes it a warning. */
    biases: z.array(biasSchema).default([]),
    /** Rows for which Meta has no charge. */
    no_cost: count,
    missing_days: count,
    currency: z.string(),
    our_cost: decimal.nullable(),
    meta_cost: decimal.nullable(),
    /** ours − Meta's */
    cost_difference: decimal.nullable(),
  }),
  /**
   * The state of the cases, which are differences that somebody works on. Present only if Meta's numbers were imported.
   */
  z.object({ check: z.literal('cases'), state, open: count, acknowledged: count, accepted: count, resolved: count }),
  /** Whether the invoice agrees with Meta's numbers or, if these have no charges, with what is expected. */
  z.object({
    check: z.literal('invoice'),
    state,
    currency: z.string(),
    /** Sum of the lines that are charges; null when there is none. */
    invoiced: decimal.nullable(),
    lines: count,
    held_against: z.enum(['meta', 'expected']).nullable(),
    /** What the invoice is compared with. */
    amount: decimal.nullable(),
    /** invoiced − that */
    difference: decimal.nullable(),
    /** Lines of invoices without an account. */
    unassigned_lines: count,
    /** Other currencies in lines of the month. */
    other_currencies: z.array(z.string()),
  }),
  /** Whether no message of the month is also frozen in another closing. */
  z.object({ check: z.literal('closed_once'), state, messages: count, months: z.array(monthSchema) }),
]);
export type Check = z.infer<typeof checkSchema>;
export type CheckName = Check['check'];

/** Items that need imports of Meta's numbers or invoices. Accounts without imports are closed without them. */
const AGAINST_META: ReadonlySet<CheckName> = new Set(['meta_numbers', 'counts', 'differences', 'invoice']);

/** Verdicts on a month; the first one that applies counts. */
const VERDICTS = ['incomplete', 'breaks', 'warnings', 'pending', 'reconciled'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** A card that priced rows of a closed month. */
export const usedCardSchema = z.object({
  card_id: z.string(),
  kind: rateKindSchema,
  name: z.string(),
  effective_date: z.string(),
  checksum: z.string(),
});

/** Amounts are decimals as text. Messages without an amount are counted in `unrated` and are in no sum. */
export const periodTotalSchema = z.object({
  currency: z.string(),
  volume: z.string(),
  list_cost: decimal,
  billed_cost: decimal,
  savings: decimal,
  unrated: z.string(),
});

/** A closing of a month of an account, whatever its state. */
export const periodSchema = z.object({
  period_id: z.string(),
  /** Empty: the messages that belong to no account. */
  waba_id: z.string(),
  month: monthSchema,
  state: z.enum(['closed', 'reopened']),
  /** The zone of the account when it was closed. */
  time_zone: z.string(),
  closed_at: utcInstant,
  closed_by: z.string(),
  /** Who requested it, if a second person closed it; empty when no request was needed. */
  requested_by: z.string(),
  /** Events stored up to this time are in the copy. */
  cut_off: utcInstant,
  rate_cards: z.array(usedCardSchema),
  totals: z.array(periodTotalSchema),
  /** Rows of the report `charges`. */
  charges: z.coerce.number(),
  /** Delivered messages. */
  messages: z.coerce.number(),
  /** SHA-256, hexadecimal, of the account's charges as `export charges` prints them, header included. */
  checksum: z.string(),
  /** Findings that were accepted when it was closed. */
  findings: z.array(findingSchema),
  reopened_at: utcInstant.nullable(),
  reopened_by: z.string(),
  /** Comments on closing and reopening; empty = none. */
  note: z.string(),
  reopened_because: z.string(),
  /** The checklist when it was closed; empty when it was closed before checklists existed. */
  verdict: z.union([z.enum(VERDICTS), z.literal('')]),
  checklist: z.array(checkSchema),
});
export type Period = z.infer<typeof periodSchema>;

const reportFileSchema = z.object({ name: z.string(), bytes: count, sha256: z.string() });
export type ReportFile = z.infer<typeof reportFileSchema>;

/** The report of a closed month, as in its manifest. */
export const monthReportSchema = periodSchema
  .pick({
    period_id: true,
    waba_id: true,
    month: true,
    time_zone: true,
    closed_at: true,
    closed_by: true,
    note: true,
    verdict: true,
    messages: true,
    totals: true,
    checksum: true,
  })
  .extend({ made_at: utcInstant, made_by: z.string(), files: z.array(reportFileSchema) });
export type MonthReport = z.infer<typeof monthReportSchema>;

/** Sums of the frozen charges of a market and category. Decimals as text. */
export const frozenSumSchema = z.object({
  market: z.string(),
  category: z.string(),
  currency: z.string(),
  volume: z.string(),
  list_cost: decimal,
  billed_cost: decimal,
  savings: decimal,
  unrated: z.string(),
});

/** The report of a closed month as a page prints it, from frozen data only. */
export interface PrintedMonth {
  readonly report: MonthReport;
  /** The checklist when the month was closed; null when there was none. */
  readonly examination: Examination | null;
  readonly sums: readonly z.infer<typeof frozenSumSchema>[];
}

/** A request to close a month. */
export interface ClosingRequest {
  readonly by: string;
  /** In UTC. */
  readonly at: string;
  readonly note: string;
}

/** A closing in force, as pages and answers name it. */
export const closingSchema = periodSchema.pick({
  period_id: true,
  waba_id: true,
  month: true,
  closed_at: true,
  closed_by: true,
  checksum: true,
});
export type Closing = z.infer<typeof closingSchema>;

/** The current checklist of a month. */
export interface Examination {
  readonly verdict: Verdict;
  /** The items that decide the verdict. */
  readonly because: readonly CheckName[];
  readonly checklist: readonly Check[];
  /** The findings, one by one. */
  readonly findings: readonly Finding[];
}

/** Whether closing the month needs somebody to accept what may be missing or does not agree. */
export function mustBeAccepted({ findings, checklist }: Pick<Examination, 'findings' | 'checklist'>): boolean {
  return findings.length > 0 || checklist.some(({ check, state }) => state === 'open' && AGAINST_META.has(check));
}

/** Something that arrived after a month was closed, and may have changed it. */
export interface LaterCause {
  /** `events_removed`: old events were removed by age, which changes no mark and no amount. */
  readonly what: 'events' | 'events_removed' | 'card_imported' | 'card_withdrawn';
  /** In UTC; for events of one day the last of them. */
  readonly at: string;
  /** Name of the card; empty for events. */
  readonly name: string;
  readonly events: number;
}

/** The changes in a closed month since: now − frozen. */
export interface ChangedDay {
  /** Day of delivery. */
  readonly day: string;
  readonly currency: string;
  /** Whole number with its sign. */
  readonly volume: string;
  /** Decimals with their sign. */
  readonly billed_cost: string;
  readonly savings: string;
}

/** A month of an account, with what a page needs to close it. */
export interface MonthClose {
  readonly waba_id: string;
  /** `YYYY-MM` */
  readonly month: string;
  readonly time_zone: string;
  /** Whether the month is over in its zone. */
  readonly is_over: boolean;
  /** The earliest day on which it can be closed without a warning, in the account's zone. */
  readonly earliest_day: string;
  readonly is_early: boolean;
  /** Whether one person requests the closing and another one confirms it. */
  readonly needs_second_person: boolean;
  /** Who requested the closing; null when nobody has, or no request is needed. */
  readonly requested: ClosingRequest | null;
  /** The closing in force; null when the month is open. */
  readonly closed: Period | null;
  /**
   * For a closed month the checklist when it was closed, else the current one; null when it was closed before
   * checklists existed.
   */
  readonly examination: Examination | null;
  /** The report of that closing; null when none was made. */
  readonly report: MonthReport | null;
  /** All closings of the month, the latest first. */
  readonly closings: readonly Period[];
  /** Changes since it was closed; empty for an open month. */
  readonly changed: readonly ChangedDay[];
  readonly causes: readonly LaterCause[];
}
