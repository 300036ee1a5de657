import { z } from 'zod';
import { CONVERSATION_STATES } from './conversations.ts';
import { CIRCUMSTANCES, DECIDING_RULES, MARKS, POLICIES } from './marks.ts';
import { monthSchema } from './periods.ts';
import type { Narrowing } from './asked.ts';

/** Limit: ids, names and addresses of ads are shorter. */
export const MAX_VALUE_CHARACTERS = 2_000;

/** Ranges of days by name. Those of `last…` have ended; the others end on the current day. */
export const PERIODS = [
  'today',
  'yesterday',
  'last-7-days',
  'last-30-days',
  'this-week',
  'last-week',
  'this-month',
  'last-month',
  'this-year',
  'last-year',
] as const;
export type PeriodName = (typeof PERIODS)[number];

/**
 * The time that the days of a range are about: sending or delivery in the zone of the filters; or the days of report
 * `charges`: delivery, in the zone of each account unless a zone is requested.
 */
export const MESSAGES_BY = ['sent', 'delivered', 'charged'] as const;
export type MessagesBy = (typeof MESSAGES_BY)[number];

/** Rows of a page at most. */
export const MAX_LIMIT = 10_000;

const text = z.string().max(MAX_VALUE_CHARACTERS);
const none = z.literal('');

/** The filters of reports. An empty value is allowed where the text says so. */
export const NARROWING_PARAMETERS: Readonly<Record<Narrowing, z.ZodType<string>>> = {
  ad: text.describe(
    'Id of an ad or post, the address that its entries came from, or a part of its name, ad set, campaign or headline.',
  ),
  campaign: text.describe('Name of a campaign, as in imports of ad costs.'),
  adset: text.describe('Name of an ad set, as in imports of ad costs.'),
  q: text.describe('A customer’s number or part of it, a message id or a user id.'),
  state: z.enum(CONVERSATION_STATES).or(none).describe('State of the conversation.'),
  waba_id: text.describe('Id of a WhatsApp business account; empty = of no account.'),
  phone_number_id: text.describe('Meta’s id of a business number.'),
  market: text.describe('Market of the customer.'),
  category: text.describe('Category: of charges the rated one, of mismatches that of the message.'),
  billing: z.enum(MARKS).or(none).describe('Billing mark.'),
  tier: text.describe('Tier as from:to; empty = not from a tier.'),
  rate: text.describe('Price of one message; empty = none.'),
  rate_card: text.describe('Name and date of a rate card; empty = none.'),
  predicted: z.enum(MARKS).describe('Predicted mark.'),
  reported: z.enum(MARKS).or(none).describe('Mark that Meta reported.'),
  policy: z.enum(POLICIES).or(none).describe('Pricing policy.'),
  rule: z.enum(DECIDING_RULES).describe('Rule that decided the prediction.'),
  circumstance: z.enum(CIRCUMSTANCES).describe('What explains the difference.'),
  tag: text.describe('What the sender attached; empty = nothing.'),
  error_code: text.describe('Meta’s error code; empty = none.'),
  code: text.describe('Why inputs were rejected.'),
};

const day = z.string().meta({ format: 'date' });

/** The other parameters of reports. */
export const COMMON_PARAMETERS = {
  from: day.describe('First day, YYYY-MM-DD.'),
  to: day.describe('Day after the last one, YYYY-MM-DD.'),
  month: monthSchema.describe('All days of a month, YYYY-MM, instead of from and to.'),
  period: z.enum(PERIODS).describe('Days by name, in the given time zone (default: UTC), instead of from and to.'),
  tz: z.string().describe('IANA time zone of days and times.'),
  as_of: z.string().describe('The time taken as now, ISO 8601 or Unix seconds. It does not filter.'),
  by: z.enum(MESSAGES_BY).describe('Which days are meant: of sending, of delivery, or those of the report charges.'),
  changed_since: z
    .string()
    .describe(
      'Only rows that changed since this time, ISO 8601 or Unix seconds, and tombstones of rows that stand no more.',
    ),
  sample: z.enum(['', '1', 'true', '0', 'false']).describe('Read the sample data instead of the ledger.'),
  format: z.enum(['json', 'csv', 'xlsx']).describe('json, unless csv or xlsx, a workbook, is asked for.'),
  columns: z.string().describe('Columns of the answer, with commas between them; without it all columns.'),
  sort: z.string().describe('Column by which the rows are sorted, with - before it for the largest first.'),
  limit: z.int().min(1).max(MAX_LIMIT).describe('Rows of a page; without it all rows are answered.'),
  after: z.string().describe('Place after which the page begins: next of the page before.'),
} as const;
export type CommonParameter = keyof typeof COMMON_PARAMETERS;

/** The name of a parameter as an option of a command. */
export function optionOf(name: Narrowing | CommonParameter): string {
  if (name === 'waba_id') return 'waba';
  if (name === 'phone_number_id') return 'number';
  return name.replaceAll('_', '-');
}
