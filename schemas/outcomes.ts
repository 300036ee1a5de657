import { z } from 'zod';
import { amount, count, decimal, instant } from './cells.ts';

/** Columns of a file of outcomes, and the fields of one that is sent. */
export const OUTCOME_COLUMNS = [
  'id',
  'kind',
  'time',
  'value',
  'currency',
  'conversation_id',
  'ctwa_clid',
  'customer',
  'phone_number_id',
] as const;
export type OutcomeColumn = (typeof OUTCOME_COLUMNS)[number];

/** Outcomes that are sent at once. */
const MAX_OUTCOMES = 1_000;

const text = z.union([z.string(), z.number()]).transform(String).pipe(z.string().trim().max(300));

/** Outcomes as they are sent to `/api/outcomes`; what each field may be is checked as for a file. */
const sentOutcomes = z.strictObject({
  outcomes: z
    .array(z.strictObject(Object.fromEntries(OUTCOME_COLUMNS.map((column) => [column, text.optional()]))))
    .min(1, 'name one outcome or more')
    .max(MAX_OUTCOMES, `send at most ${MAX_OUTCOMES} at once`),
});

/** The cells of an outcome by column; a field that is absent is empty. */
export type OutcomeCells = Readonly<Partial<Record<OutcomeColumn, string>>>;

/** Reads a body of `/api/outcomes`; a text says what is wrong with it. */
export function readSentOutcomes(value: unknown): readonly OutcomeCells[] | string {
  const parsed = sentOutcomes.safeParse(value);
  if (parsed.success) return parsed.data.outcomes;
  const issue = parsed.error.issues[0];
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it is no list of outcomes'}. Send {"outcomes":[{"kind":"lead","time":…,"conversation_id":…}]}.`;
}

/** One outcome, checked. */
export interface Outcome {
  readonly outcome_id: string;
  /** Lower case with _. */
  readonly kind: string;
  /** Unix seconds. */
  readonly happened_at: number;
  /** A decimal; null without a value. */
  readonly value: string | null;
  /** ISO 4217; empty without a value. */
  readonly currency: string;
  readonly conversation_id: string;
  readonly ctwa_clid: string;
  readonly phone_number_id: string;
  readonly customer: string;
}

/** What an import of outcomes did, or would do. */
export interface PlannedOutcomes {
  readonly import_id: string;
  readonly outcome: 'imported' | 'unchanged';
  readonly outcomes: number;
  /** Of which something is known already: they replace it. */
  readonly replaced: number;
}

export const outcomeImportSchema = z.object({
  import_id: z.string(),
  name: z.string(),
  checksum: z.string(),
  state: z.enum(['holds', 'replaced', 'withdrawn']),
  outcomes: z.number(),
  imported_at: z.string(),
  imported_by: z.string(),
  withdrawn_at: z.string().nullable(),
  withdrawn_by: z.string(),
});
export type OutcomeImport = z.infer<typeof outcomeImportSchema>;

const SOURCES = ['own', 'meta'] as const;
const source = z
  .enum(SOURCES)
  .describe('Who says so: own = imported or sent, meta = an automatic event of Meta’s. They are never added up.');
const kind = z.string().describe('What happened: lead, purchase or another word.');

/** A row of the report `outcomes`. */
export const outcomeRow = z.object({
  outcome_id: z.string().describe('The id that it was given, or a hash of what it says.'),
  source,
  kind,
  happened_at: instant.describe('When it happened.'),
  value: amount.describe('What it is worth; null where nothing says.'),
  currency: z.string().describe('Of the value; empty without one.'),
  ad_id: z.string().describe('The ad of the conversation that it belongs to; empty where none is found.'),
  source_type: z.string(),
  ad_conversation_id: z.string().describe('The ad conversation that it belongs to; empty where none is found.'),
  entry_id: z.string().describe('The latest entry before it, or the one that it names; empty where none is found.'),
  entry_at: instant.describe('When the customer sent that entry; null where none is found.'),
  phone_number_id: z.string(),
  customer: z.string(),
});
export type OutcomeRow = z.infer<typeof outcomeRow>;

/** A row of the report `ad-outcomes`. */
export const adOutcomesRow = z.object({
  ad_id: z.string().describe('The ad or post; empty: outcomes that belong to no known ad conversation.'),
  source_type: z.string(),
  ad_name: z.string(),
  kind,
  source,
  currency: z.string().describe('Of value and spend; empty where there is neither.'),
  outcomes: count.describe('Number of outcomes that happened on these days.'),
  value: amount.describe('Sum of their values in the currency; null where none has one.'),
  spend: amount.describe('What the ad cost on these days, in the currency; null where nothing says.'),
  cost_per_outcome: amount.describe('Spend for each of the outcomes; null without spend.'),
  return_on_ad_spend: decimal.nullable().describe('Value ÷ spend; null where one of them is not known.'),
});
export type AdOutcomesRow = z.infer<typeof adOutcomesRow>;

/** An outcome in the shape of Meta's Conversions API for business messaging. */
export interface ConversionEvent {
  readonly event_name: string;
  /** Unix seconds. */
  readonly event_time: number;
  readonly event_id: string;
  readonly action_source: 'business_messaging';
  readonly messaging_channel: 'whatsapp';
  readonly user_data: { readonly whatsapp_business_account_id: string; readonly ctwa_clid: string };
  readonly custom_data?: { readonly currency: string; readonly value: number };
}
