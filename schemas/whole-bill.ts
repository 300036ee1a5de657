import { z } from 'zod';
import { decimal } from './cells.ts';

/**
 * Lines of the whole bill of a month. `billed` is what is asked for; those after it are what it consists of, and
 * `residual` is what is left.
 */
export const BILL_LINES = [
  'billed',
  'messages',
  'calls',
  'agent',
  'fees',
  'debit_memos',
  'credit_memos',
  'credits',
  'adjustments',
  'refunds',
  'rounding',
  'tax',
  'residual',
] as const;
export type BillLine = (typeof BILL_LINES)[number];

/**
 * Where the amount of a line is from: Meta's own invoices, invoices from files, Meta's analytics, or what is expected
 * here. Empty when it is from none of them.
 */
const BILL_SOURCES = ['meta_invoices', 'invoice_files', 'meta_analytics', 'expected', ''] as const;
export type BillSource = (typeof BILL_SOURCES)[number];

/** A line of the whole bill of a month: a row of the report `whole-bill`. */
export const wholeBillRow = z.object({
  waba_id: z.string(),
  month: z.string(),
  line: z.enum(BILL_LINES).describe('What is billed, what that consists of, and what is left.'),
  source: z.enum(BILL_SOURCES).describe('What the amount is from; empty where it is from several, or from none.'),
  currency: z.string(),
  amount: decimal.nullable().describe('Credits are negative; null where it is not known, which is not 0.'),
  reason: z.string().describe('Why the amount is not known, or what is not in it; empty where nothing is to be said.'),
});
export type WholeBillRow = z.infer<typeof wholeBillRow>;

export const BILL_LINE_WORDS: Readonly<Record<BillLine, string>> = {
  billed: 'Billed',
  messages: 'Messages',
  calls: 'Calls',
  agent: 'Meta’s agent',
  fees: 'Fees',
  debit_memos: 'Debit memos',
  credit_memos: 'Credit memos',
  credits: 'Credits',
  adjustments: 'Adjustments',
  refunds: 'Refunds',
  rounding: 'Rounding',
  tax: 'Tax',
  residual: 'Residual',
};

export const BILL_SOURCE_WORDS: Readonly<Record<BillSource, string>> = {
  meta_invoices: 'Meta’s invoices',
  invoice_files: 'imported invoices',
  meta_analytics: 'Meta’s analytics',
  expected: 'the expected charge',
  '': '',
};
