import { z } from 'zod';
import { count, decimal, utcInstant } from './cells.ts';

/** Answers of Meta that can be imported, by the Graph API's names of fields. */
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

/** The fields whose points count messages or conversations, so that ours can be held against them. */
export const COUNTED_FIELDS = ['pricing_analytics', 'conversation_analytics'] as const;
export type CountedField = (typeof COUNTED_FIELDS)[number];

export function isCounted(field: MetaField): field is CountedField {
  return COUNTED_FIELDS.some((counted) => counted === field);
}

/** The author of a message: the business or a customer. */
export type MessageDirection = 'outgoing' | 'incoming';

/** Dimensions of Meta's points, by our names, in the order of the report. */
export const DIMENSIONS = ['phone_number', 'country', 'category', 'pricing_type', 'tier'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/**
 * The midnight that separates the days of an answer: that of the account's zone or, with some partners, that of UTC.
 */
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

/** Explanations of rows that differ. Of equally good ones the first in this list is named. */
export const EXPLANATION_CODES = [
  'unknown_number',
  'number_gone',
  'zone',
  'tier',
  'direct_send',
  'paid_exempt',
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

/** An import of one account and field, whatever its state. */
export const metaImportSchema = z.object({
  import_id: z.string(),
  waba_id: z.string(),
  field: z.enum(META_FIELDS),
  /** Checksum of the files. */
  name: z.string(),
  checksums: z.array(z.string()),
  days: z.enum(DAY_CUTS),
  time_zone: z.string(),
  dimensions: z.array(z.enum(DIMENSIONS)),
  /** The days that it covers; null when its lines name none. */
  first_day: z.string().nullable(),
  last_day: z.string().nullable(),
  /** Number of points for counted fields, else of lines. */
  points: count,
  volume: decimal,
  /** Null when no point has one. */
  cost: decimal.nullable(),
  /** `replaced`: later imports cover every one of its days and numbers. */
  state: z.enum(['holds', 'replaced', 'withdrawn']),
  imported_at: utcInstant,
  imported_by: z.string(),
  withdrawn_at: utcInstant.nullable(),
  withdrawn_by: z.string(),
});
export type MetaImport = z.infer<typeof metaImportSchema>;

/** The same as one row of text. */
export const metaImportRow = metaImportSchema.extend({ checksums: z.string(), dimensions: z.string() });

/** The result of an import. */
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
  /** A remark for the person who imported it; null when there is none. */
  readonly note: string | null;
}

/** A line of an answer that is stored unchanged. */
export const metaLineRow = z.object({
  import_id: z.string(),
  waba_id: z.string(),
  field: z.enum(META_FIELDS),
  starts_at: utcInstant.nullable(),
  ends_at: utcInstant.nullable(),
  /** JSON */
  line: z.string(),
});

/**
 * A row of the report `reconciliation`: our side, Meta's side, and the difference ours − Meta's. Unknown amounts are
 * null.
 */
export const reconciliationRow = z.object({
  waba_id: z.string(),
  month: z.string(),
  /** Empty when Meta's points are for the whole month. */
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
  /** The best explanation of the row; empty when nothing differs. */
  explanation: z.union([z.enum(EXPLANATION_CODES), z.literal('')]),
  explained_volume: z.string(),
});
export type ReconciliationRow = z.infer<typeof reconciliationRow>;

/** The same with the evidence in words: a row of the report `reconciliation-differences`. */
export const differenceRow = reconciliationRow.extend({ evidence: z.string() });

/** The key of a row within its account and month. */
export function rowKeyOf(
  row: Pick<ReconciliationRow, 'day' | 'phone_number' | 'country' | 'category' | 'pricing_type' | 'tier'>,
): string {
  return [row.day, row.phone_number, row.country, row.category, row.pricing_type, row.tier].join('|');
}

/** States of a day. `departs`: a row of it differs beyond tolerance; `missing`: Meta's numbers do not cover it. */
const DAY_STATES = ['agrees', 'within_tolerance', 'departs', 'missing'] as const;

/**
 * A row of the report `reconciliation-days`: a day of a month on both sides. For a missing day all figures are unknown.
 */
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

/** Rows within tolerance that almost all differ the same way, which no single one of them shows. */
export const biasSchema = z.object({
  measure: z.enum(['volume', 'cost']),
  /** Rows within tolerance that differ; of cost those whose volumes agree. */
  rows: count,
  /** How many of them differ in this direction: ours are more than Meta's, or less. */
  same_way: count,
  direction: z.enum(['more', 'less']),
  /** The sum of all of their differences, ours − Meta's: a whole number or a decimal. */
  difference: z.string(),
});
export type Bias = z.infer<typeof biasSchema>;

/**
 * What Meta's own numbers are looked at for. `free_service`: more free service messages of a number than are free.
 * `tiers`: tiers that overlap, or leave a gap. `free_cost`: something free has a cost. `price`: a cost that is no price
 * of the card. `max_price`: the same where a maximum price may explain it, which is nothing wrong. `restated`: another
 * answer for a day that had settled.
 */
const META_CONTROLS = ['free_service', 'tiers', 'free_cost', 'price', 'max_price', 'restated'] as const;
export type MetaControl = (typeof META_CONTROLS)[number];

/** A finding about Meta's own numbers, whatever ours are: a row of the report `meta-controls`. */
export const metaControlRow = z.object({
  waba_id: z.string(),
  month: z.string(),
  control: z.enum(META_CONTROLS).describe('What was looked at.'),
  phone_number: z.string(),
  country: z
    .string()
    .describe('ISO codes of the countries, with spaces between; empty where it is none in particular.'),
  category: z.string().describe('Meta’s category; empty where it is none in particular.'),
  tier: z.string().describe('The tiers, with a space between; empty where it is none in particular.'),
  first_day: z.string().describe('First day of the rows of Meta’s; empty where they are of the whole month.'),
  last_day: z.string().describe('Last day of the rows of Meta’s; empty where they are of the whole month.'),
  rows: count.describe('Rows of Meta’s.'),
  volume: z.string().describe('Their messages; of `restated` by how many the later answer differs.'),
  currency: z.string(),
  cost: decimal.nullable().describe('Their cost; of `restated` by how much the later answer differs.'),
  finding: z.string().describe('What was found, in words.'),
});
export type MetaControlRow = z.infer<typeof metaControlRow>;

/** What another tolerance would make of a month: the output of `reconcile tolerances`. */
export interface ToleranceTrial {
  readonly waba_id: string;
  readonly month: string;
  readonly rows: number;
  /** Rows that differ as months are judged, and that would differ. */
  readonly different: number;
  readonly would_differ: number;
  /** Rows that would no longer differ, and that would differ newly. */
  readonly no_longer: number;
  readonly newly: number;
  /** By how much the rows differ that no longer would, row by row: a whole number, and a decimal. */
  readonly hidden_volume: string;
  readonly currency: string;
  readonly hidden_cost: string;
  /** How many of them are in no cost. */
  readonly unknown_costs: number;
}

/** The output of `reconcile`. */
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
  /** Sums of the absolute differences, beside the net difference of the totals. */
  readonly gross_volume_difference: number;
  readonly gross_cost_difference: string | null;
  readonly explained_volume: number;
  readonly unexplained_volume: number;
}

/** An explanation of a part of a row. */
export interface RowExplanation {
  readonly code: ExplanationCode;
  readonly volume: string;
  /** The evidence, in words. */
  readonly detail: string;
}

/** A row that differs, with all its explanations. */
export interface DifferingRow extends ReconciliationRow {
  /** The largest first. */
  readonly explanations: readonly RowExplanation[];
  /** Our id of the number; empty when it is not known. */
  readonly phone_number_id: string;
}

/** A month of an account as a page shows it. */
export interface ReconciliationOfMonth {
  readonly summary: ReconciliationSummary;
  /** By how much volumes may differ: a decimal in per cent of Meta's, and a number; for each row the larger counts. */
  readonly tolerance: { readonly percent: string; readonly messages: string };
  /** Rows whose volumes agree and whose cost Meta does not say. */
  readonly no_cost: number;
  /** The sum of the differences of cost, ours − Meta's; null = not known. */
  readonly net_cost_difference: string | null;
  /** Rows for which one side's cost is not known; they are in no difference of cost. */
  readonly unknown_costs: number;
  /** The counted unit: messages, or conversations under conversation pricing. */
  readonly counts: 'message' | 'conversation';
  /** Days that Meta's numbers do not cover; they have no rows. */
  readonly missing_days: readonly string[];
  readonly biases: readonly Bias[];
  /** Findings about Meta's own numbers. */
  readonly controls: readonly MetaControlRow[];
  /** The rows that differ, largest first. */
  readonly rows: readonly DifferingRow[];
  /** Every day of the month; empty when Meta's points are for the whole month. */
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

/** How a row of Meta's has changed; `number_gone`: the later answer does not name the number any more. */
const RESTATEMENT_CHANGES = ['changed', 'appeared', 'vanished', 'number_gone'] as const;

/**
 * A day for which Meta's later answer differs from an earlier one: a row of the report `restatements`. Differences are
 * later − earlier.
 */
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
 * What Meta's counts for a number and day show about ours. `gap`: messages of customers are missing, so events are
 * missing. `other_responder`: all of these are here, and Meta counts more sent messages, so something else also answers
 * with this number. `missing`: one of the two. `outcomes`: as many were sent, but fewer are known to be delivered.
 * `surplus`: we have more.
 */
const COUNT_FINDINGS = ['complete', 'gap', 'other_responder', 'missing', 'outcomes', 'surplus'] as const;
export type CountFinding = (typeof COUNT_FINDINGS)[number];

/**
 * A row of the report `message-counts`: our messages beside those that Meta's `analytics` count. Null = Meta does not
 * say.
 */
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
