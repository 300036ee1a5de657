import { z } from 'zod';
import { count, decimal, utcInstant } from './cells.ts';

/** Answers of Meta's that are imported, as the Graph API calls their fields. */
export const META_FIELDS = [
  'pricing_analytics',
  'conversation_analytics',
  'analytics',
  'call_analytics',
  'template_analytics',
  'business_agent_insights',
  'business_invoices',
] as const;
export type MetaField = (typeof META_FIELDS)[number];

/** Those whose points count messages or conversations that ours are held against. */
export const COUNTED_FIELDS = ['pricing_analytics', 'conversation_analytics'] as const;
export type CountedField = (typeof COUNTED_FIELDS)[number];

export function isCounted(field: MetaField): field is CountedField {
  return COUNTED_FIELDS.some((counted) => counted === field);
}

/** Who wrote a message: the business, or a customer. */
export type MessageDirection = 'outgoing' | 'incoming';

/** What Meta's points may be split by, by the names that ours have; in the order of the report. */
export const DIMENSIONS = ['phone_number', 'country', 'category', 'pricing_type', 'tier'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** Whose midnight cuts the days of an answer: that of the account's zone, or, as some partners do it, that of UTC. */
export const DAY_CUTS = ['account', 'utc'] as const;
export type DayCut = (typeof DAY_CUTS)[number];

const RECONCILIATION_STATUSES = [
  'match',
  'within_tolerance',
  'volume',
  'price',
  'only_ours',
  'only_meta',
  'no_cost',
] as const;
export type ReconciliationStatus = (typeof RECONCILIATION_STATUSES)[number];

/** Why a row differs; of equally good reasons the one that stands first here is named. */
export const EXPLANATION_CODES = [
  'unknown_number',
  'number_gone',
  'zone',
  'tier',
  'verdict',
  'group',
  'midnight',
  'country',
  'echo',
  'unknown_waba',
  'no_outcome',
  'read_only',
  'late',
  'gap',
  'other_responder',
  'unrated',
  'rate',
  'max_price',
  'unexplained',
] as const;
export type ExplanationCode = (typeof EXPLANATION_CODES)[number];

/** An import of one account and field, whatever became of it. */
export const metaImportSchema = z.object({
  import_id: z.string(),
  waba_id: z.string(),
  field: z.enum(META_FIELDS),
  /** Of the files. */
  name: z.string(),
  checksums: z.array(z.string()),
  days: z.enum(DAY_CUTS),
  time_zone: z.string(),
  dimensions: z.array(z.enum(DIMENSIONS)),
  /** Days that it speaks of; null where its lines name none. */
  first_day: z.string().nullable(),
  last_day: z.string().nullable(),
  /** Points as they are counted, or lines as they are kept. */
  points: count,
  volume: decimal,
  /** Null: no point gives one. */
  cost: decimal.nullable(),
  /** `replaced`: later imports say something else about every one of its days and numbers. */
  state: z.enum(['holds', 'replaced', 'withdrawn']),
  imported_at: utcInstant,
  imported_by: z.string(),
  withdrawn_at: utcInstant.nullable(),
  withdrawn_by: z.string(),
});
export type MetaImport = z.infer<typeof metaImportSchema>;

/** The same as one row of text. */
export const metaImportRow = metaImportSchema.extend({ checksums: z.string(), dimensions: z.string() });

/** What an import did. */
export interface DoneMetaImport {
  readonly import_id: string;
  readonly waba_id: string;
  readonly field: MetaField;
  /** `unchanged`: the same was imported before. */
  readonly outcome: 'imported' | 'unchanged';
  readonly dimensions: readonly Dimension[];
  readonly first_day: string | null;
  readonly last_day: string | null;
  readonly points: number;
  readonly volume: string;
  readonly cost: string | null;
  /** Something that a person should know of it; null where there is nothing. */
  readonly note: string | null;
}

/** A line of an answer that is kept as it is. */
export const metaLineRow = z.object({
  import_id: z.string(),
  waba_id: z.string(),
  field: z.enum(META_FIELDS),
  starts_at: utcInstant.nullable(),
  ends_at: utcInstant.nullable(),
  /** JSON */
  line: z.string(),
});

/** A row of the report `reconciliation`: ours beside Meta's, and the difference ours − Meta's. Unknown amounts are null. */
export const reconciliationRow = z.object({
  waba_id: z.string(),
  month: z.string(),
  /** Empty: Meta's points are of the whole month. */
  day: z.string(),
  phone_number: z.string(),
  country: z.string(),
  category: z.string(),
  pricing_type: z.string(),
  tier: z.string(),
  our_volume: z.string(),
  meta_volume: z.string(),
  volume_difference: z.string(),
  currency: z.string(),
  our_cost: decimal.nullable(),
  meta_cost: decimal.nullable(),
  cost_difference: decimal.nullable(),
  status: z.enum(RECONCILIATION_STATUSES),
  /** What explains most of the row; empty where nothing differs. */
  explanation: z.union([z.enum(EXPLANATION_CODES), z.literal('')]),
  explained_volume: z.string(),
});
export type ReconciliationRow = z.infer<typeof reconciliationRow>;

/** The same with its evidence in words: a row of the report `reconciliation-differences`. */
export const differenceRow = reconciliationRow.extend({ evidence: z.string() });

/** Where a day stands: `departs`: a row of it differs beyond tolerance; `missing`: Meta's side says nothing of it. */
const DAY_STATES = ['agrees', 'within_tolerance', 'departs', 'missing'] as const;

/** A row of the report `reconciliation-days`: a day of a month, ours beside Meta's. Of a missing day nothing is known. */
export const dayVarianceRow = z.object({
  waba_id: z.string(),
  month: z.string(),
  day: z.string(),
  day_state: z.enum(DAY_STATES).describe('Whether the day agrees with Meta’s numbers.'),
  rows: count.nullable().describe('Rows of the day, of both sides.'),
  different_rows: count.nullable().describe('Rows that differ beyond tolerance.'),
  our_volume: z.string().nullable(),
  meta_volume: z.string().nullable(),
  volume_difference: z.string().nullable(),
  gross_volume_difference: z.string().nullable().describe('Sum of the sizes of the differences, row by row.'),
  currency: z.string(),
  our_cost: decimal.nullable(),
  meta_cost: decimal.nullable(),
  cost_difference: decimal.nullable(),
  unknown_costs: count.nullable().describe('Rows of which one cost is not known; they are in no difference of cost.'),
});
export type DayVariance = z.infer<typeof dayVarianceRow>;

/** What `reconcile` prints. */
export interface ReconciliationSummary {
  readonly month: string;
  readonly waba_id: string;
  readonly rows: number;
  readonly match: number;
  readonly within_tolerance: number;
  /** Rows whose volumes or prices differ. */
  readonly different: number;
  /** Whole numbers. */
  readonly our_volume: number;
  readonly meta_volume: number;
  /** Decimals; null = not known. */
  readonly our_cost: string | null;
  readonly meta_cost: string | null;
  readonly currency: string;
  /** Sums of the sizes of the differences, beside the net of the totals. */
  readonly gross_volume_difference: number;
  readonly gross_cost_difference: string | null;
  readonly explained_volume: number;
  readonly unexplained_volume: number;
}

/** What explains some of a row. */
export interface RowExplanation {
  readonly code: ExplanationCode;
  readonly volume: string;
  /** The evidence, in words. */
  readonly detail: string;
}

/** A row that differs, with all that explains it. */
export interface DifferingRow extends ReconciliationRow {
  /** What explains most first. */
  readonly explanations: readonly RowExplanation[];
  /** Our id of the number; empty where nobody says which it is. */
  readonly phone_number_id: string;
}

/** A month of an account as a page shows it. */
export interface ReconciliationOfMonth {
  readonly summary: ReconciliationSummary;
  /** Rows whose volumes agree and whose cost Meta does not say. */
  readonly no_cost: number;
  /** The sum of the differences of cost, ours − Meta's; null = not known. */
  readonly net_cost_difference: string | null;
  /** Rows of which one side's cost is not known: they are in no difference of cost. */
  readonly unknown_costs: number;
  /** What is counted: messages, or conversations where these were priced. */
  readonly counts: 'message' | 'conversation';
  /** Days that Meta's side says nothing of: no row is of them. */
  readonly missing_days: readonly string[];
  /** Those that differ, largest first. */
  readonly rows: readonly DifferingRow[];
  /** Every day of the month; none where Meta's points are of all of it. */
  readonly variances: readonly DayVariance[];
}

/** One of the explanations of a row, with its evidence in words. */
export const explanationRow = reconciliationRow
  .pick({
    waba_id: true,
    month: true,
    day: true,
    phone_number: true,
    country: true,
    category: true,
    pricing_type: true,
    tier: true,
    volume_difference: true,
    cost_difference: true,
    status: true,
  })
  .extend({ rank: count, explanation: z.enum(EXPLANATION_CODES), explained_volume: z.string(), evidence: z.string() });
export type ExplanationRow = z.infer<typeof explanationRow>;

/** How a row of Meta's is another one than before; `number_gone`: the later answer does not name the number any more. */
const RESTATEMENT_CHANGES = ['changed', 'appeared', 'vanished', 'number_gone'] as const;

/** What Meta says otherwise of a day than it said before: a row of the report `restatements`. Differences are later − earlier. */
export const restatementRow = z.object({
  waba_id: z.string(),
  field: z.enum(COUNTED_FIELDS),
  day: z.string(),
  phone_number: z.string(),
  country: z.string(),
  category: z.string(),
  pricing_type: z.string(),
  tier: z.string(),
  change: z.enum(RESTATEMENT_CHANGES).describe('How the figure is another one.'),
  earlier_volume: z.string().describe('Meta’s volume in the earlier import.'),
  later_volume: z
    .string()
    .nullable()
    .describe('The same in the later import; empty where it does not name the number.'),
  volume_difference: z.string().nullable().describe('Later volume less earlier volume.'),
  earlier_cost: decimal.nullable().describe('Meta’s cost in the earlier import; empty where it gives none.'),
  later_cost: decimal.nullable().describe('The same in the later import.'),
  cost_difference: decimal.nullable().describe('Later cost less earlier cost.'),
  earlier_import_id: z.string().describe('The earlier import.'),
  earlier_imported_at: utcInstant.describe('When that was.'),
  later_import_id: z.string().describe('The later import.'),
  later_imported_at: utcInstant.describe('When that was.'),
});

/**
 * What Meta's counts of a number and day say of ours. `gap`: messages of customers are missing, so events are. `other_responder`:
 * all of them are here, and Meta counts more sent: somebody else answers with this number. `missing`: one of the two.
 * `outcomes`: as many were sent, fewer are known to be delivered. `surplus`: ours are more.
 */
const COUNT_FINDINGS = ['complete', 'gap', 'other_responder', 'missing', 'outcomes', 'surplus'] as const;
export type CountFinding = (typeof COUNT_FINDINGS)[number];

/** A row of the report `message-counts`: messages of ours beside those that Meta's `analytics` count. Null: Meta does not say. */
export const messageCountRow = z.object({
  waba_id: z.string(),
  month: z.string(),
  day: z.string(),
  phone_numbers: z
    .string()
    .describe('Displayed numbers that Meta counts together, with spaces between; empty where it is the whole account.'),
  our_sent: count.describe('Messages of ours that were sent on the day and did not fail.'),
  meta_sent: count.nullable().describe('Messages that Meta counts as sent; empty where it does not say.'),
  our_delivered: count.describe('Messages of ours that were delivered on the day.'),
  meta_delivered: count.nullable().describe('Messages that Meta counts as delivered; empty where it does not say.'),
  our_incoming: count.describe('Messages of customers that are here.'),
  meta_incoming: count.nullable().describe('Messages of customers that Meta counts; empty where it does not say.'),
  finding: z.enum(COUNT_FINDINGS).describe('What the three say together, beyond the tolerance.'),
});
export type MessageCountRow = z.infer<typeof messageCountRow>;
