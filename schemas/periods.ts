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

/**
 * What has become of an item of the checklist. `warning`: it holds, with something to know. `pending`: it is decided on a
 * day that it names. `unknown`: nobody can tell, which is never taken for passed.
 */
const CHECK_STATES = ['passed', 'warning', 'pending', 'open', 'unknown'] as const;
export type CheckState = (typeof CHECK_STATES)[number];

const state = z.enum(CHECK_STATES);
/** The day on which time alone decides it, `YYYY-MM-DD`; null: time decides nothing. */
const settles_on = z.string().nullable();
const days = z.array(z.string());

/** An item of the checklist of a month. */
export const checkSchema = z.discriminatedUnion('check', [
  /** Whether Meta's numbers are there for every day, and were taken when the day had settled. */
  z.object({
    check: z.literal('meta_numbers'),
    state,
    days: count,
    missing_days: days,
    /** Taken while Meta's numbers of that day still moved. */
    unsettled_days: days,
    settles_on,
  }),
  /** Whether the events of the account's numbers are all here. */
  z.object({
    check: z.literal('events'),
    state,
    gaps: count,
    missing_hours: count,
    /** Numbers with so little traffic that no gap would show. */
    unwatched_numbers: z.array(z.string()),
    /** Whether volumes agree with Meta's in every row of every day: then none is missing. */
    agrees_with_meta: z.boolean(),
    /** Events that were stored in the last 24 hours. */
    stored_lately: count,
    /** Rejected inputs that wait, and records that were deleted before they were read; of whatever account. */
    dead_letters: count,
    lost_records: count,
    settles_on,
  }),
  /**
   * Whether as many messages are here as Meta counts, by day and number: before any amount is compared. There only where
   * Meta's counts were imported.
   */
  z.object({
    check: z.literal('counts'),
    state,
    /** Days of the month, and those without Meta's counts. */
    days: count,
    missing_days: count,
    /** Days and numbers that are compared, and how many there are of each finding but `complete`. */
    rows: count,
    gap: count,
    other_responder: count,
    missing: count,
    outcomes: count,
    surplus: count,
    /** Sums of what Meta counts, and of ours on the same days; null: Meta does not say. */
    our_sent: count,
    meta_sent: count.nullable(),
    our_delivered: count,
    meta_delivered: count.nullable(),
    our_incoming: count,
    meta_incoming: count.nullable(),
  }),
  /** Whether it is known of every message that was sent what became of it. */
  z.object({ check: z.literal('outcomes'), state, messages: count, settles_on }),
  /** Whether every delivered message has an amount. */
  z.object({ check: z.literal('prices'), state, delivered: count, unrated: count, has_currency: z.boolean() }),
  /** Whether ours and Meta's agree, or what differs is explained. */
  z.object({
    check: z.literal('differences'),
    state,
    rows: count,
    different: count,
    /** Rows that differ and are explained in full. */
    explained: count,
    /** Others whose case is accepted. */
    accepted: count.default(0),
    within_tolerance: count,
    /** Rows of which Meta names no charge. */
    no_cost: count,
    missing_days: count,
    currency: z.string(),
    our_cost: decimal.nullable(),
    meta_cost: decimal.nullable(),
    /** ours − Meta's */
    cost_difference: decimal.nullable(),
  }),
  /** What has become of the cases: differences that somebody works on. There only where Meta's numbers were imported. */
  z.object({ check: z.literal('cases'), state, open: count, acknowledged: count, accepted: count, resolved: count }),
  /** Whether the invoice is for what Meta says, or where Meta names no charge, for what is expected. */
  z.object({
    check: z.literal('invoice'),
    state,
    currency: z.string(),
    /** Sum of the lines that are charges; null: there is none. */
    invoiced: decimal.nullable(),
    lines: count,
    held_against: z.enum(['meta', 'expected']).nullable(),
    /** What it is held against. */
    amount: decimal.nullable(),
    /** invoiced − that */
    difference: decimal.nullable(),
    /** Lines of invoices that name no account. */
    unassigned_lines: count,
    /** Other currencies that lines of the month are in. */
    other_currencies: z.array(z.string()),
  }),
  /** Whether no message of the month is frozen in another closing too. */
  z.object({ check: z.literal('closed_once'), state, messages: count, months: z.array(monthSchema) }),
]);
export type Check = z.infer<typeof checkSchema>;
export type CheckName = Check['check'];

/** What is held against Meta and its invoices. Accounts without imports close without it. */
const AGAINST_META: ReadonlySet<CheckName> = new Set(['meta_numbers', 'counts', 'differences', 'invoice']);

/** What becomes of a month: the first of these that holds. */
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
  /** Who asked for it, where a second person closed it; empty: nobody had to. */
  requested_by: z.string(),
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
  /** What was said when it was closed, and why it was reopened; empty: nothing. */
  note: z.string(),
  reopened_because: z.string(),
  /** What the checklist said when it was closed; empty: it was closed before there was one. */
  verdict: z.union([z.enum(VERDICTS), z.literal('')]),
  checklist: z.array(checkSchema),
});
export type Period = z.infer<typeof periodSchema>;

const reportFileSchema = z.object({ name: z.string(), bytes: count, sha256: z.string() });
export type ReportFile = z.infer<typeof reportFileSchema>;

/** The report of a closed month: what its manifest says. */
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

/** The report of a closed month as a page prints it: all of it was frozen. */
export interface PrintedMonth {
  readonly report: MonthReport;
  /** What the checklist said when the month was closed; null: there was none. */
  readonly examination: Examination | null;
  readonly sums: readonly z.infer<typeof frozenSumSchema>[];
}

/** That somebody asks for a month to be closed. */
export interface ClosingRequest {
  readonly by: string;
  /** In UTC. */
  readonly at: string;
  readonly note: string;
}

/** A closing that holds, as pages and answers name it. */
export const closingSchema = periodSchema.pick({
  period_id: true,
  waba_id: true,
  month: true,
  closed_at: true,
  closed_by: true,
  checksum: true,
});
export type Closing = z.infer<typeof closingSchema>;

/** What the checklist of a month says now. */
export interface Examination {
  readonly verdict: Verdict;
  /** The items that make it so. */
  readonly because: readonly CheckName[];
  readonly checklist: readonly Check[];
  /** What may be missing, one by one. */
  readonly findings: readonly Finding[];
}

/** Whether a month is closed only when somebody accepts what may be missing, or does not agree. */
export function mustBeAccepted({ findings, checklist }: Pick<Examination, 'findings' | 'checklist'>): boolean {
  return findings.length > 0 || checklist.some(({ check, state }) => state === 'open' && AGAINST_META.has(check));
}

/** Something that came in after a month was closed, and may have changed it. */
export interface LaterCause {
  readonly what: 'events' | 'card_imported' | 'card_withdrawn';
  /** In UTC; of events of one day the last. */
  readonly at: string;
  /** Of the card; empty for events. */
  readonly name: string;
  readonly events: number;
}

/** What changed in a closed month since: now − frozen. */
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

/** A month of an account, with what is needed to close it. */
export interface MonthClose {
  readonly waba_id: string;
  /** `YYYY-MM` */
  readonly month: string;
  readonly time_zone: string;
  /** Whether the month is over in its zone. */
  readonly is_over: boolean;
  /** The earliest day on which it is closed without a warning, in the account's zone. */
  readonly earliest_day: string;
  readonly is_early: boolean;
  /** Whether one person asks for it to be closed, and another one closes it. */
  readonly needs_second_person: boolean;
  /** Who asked for it; null: nobody has yet, or nobody has to. */
  readonly requested: ClosingRequest | null;
  /** The closing that holds; null: the month is open. */
  readonly closed: Period | null;
  /** Of a closed month as it was closed, else as it is now; null: it was closed before there was a checklist. */
  readonly examination: Examination | null;
  /** The report of that closing; null: none was made. */
  readonly report: MonthReport | null;
  /** All closings of the month, the latest first. */
  readonly closings: readonly Period[];
  /** Since it was closed; empty for an open month. */
  readonly changed: readonly ChangedDay[];
  readonly causes: readonly LaterCause[];
}
