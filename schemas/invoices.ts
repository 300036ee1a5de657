import { z } from 'zod';
import { count, decimal, utcInstant } from './cells.ts';

/** Columns of an invoice that are read. */
export const INVOICE_COLUMNS = ['month', 'market', 'category', 'volume', 'amount', 'currency', 'kind'] as const;
export type InvoiceColumn = (typeof INVOICE_COLUMNS)[number];

/** The columns that a line must have. */
export const NEEDED_INVOICE_COLUMNS = ['month', 'amount'] as const satisfies readonly InvoiceColumn[];

/** Kinds of lines: charges for messages, and others that are listed separately. */
export const LINE_KINDS = ['charge', 'tax', 'fee', 'credit', 'rounding', 'adjustment', 'refund'] as const;
export type LineKind = (typeof LINE_KINDS)[number];

/** A mapping of an invoice's headings to columns, and how the file is written. */
export interface InvoiceMapping {
  readonly columns: Readonly<Partial<Record<InvoiceColumn, string>>>;
  /** The currency of all amounts, ISO 4217, if the file does not say it. */
  readonly currency?: string;
  /** The sign before the decimals, if the file leaves doubt. */
  readonly decimal_mark?: '.' | ',';
}

/** A mapping that is stored by name. */
export interface KeptInvoiceMapping extends InvoiceMapping {
  readonly name: string;
  readonly kept_at: string;
  readonly kept_by: string;
}

/** A line of an invoice. */
export interface InvoiceLine {
  readonly sheet: string;
  readonly line: number;
  /** `YYYY-MM` */
  readonly month: string;
  readonly market: string;
  readonly category: string;
  readonly kind: LineKind;
  /** Null when the line counts nothing. */
  readonly volume: string | null;
  /** Plain decimal; a credit is negative. */
  readonly amount: string;
  readonly currency: string;
}

const totals = z.array(
  z.object({ month: z.string(), kind: z.enum(LINE_KINDS), currency: z.string(), amount: decimal }),
);

/** An imported invoice, whatever its state. */
export const invoiceSchema = z.object({
  import_id: z.string(),
  /** Empty when the account was not given. */
  waba_id: z.string(),
  name: z.string(),
  checksum: z.string(),
  mapping: z.string(),
  state: z.enum(['holds', 'withdrawn']),
  lines: count,
  /** Sums by month, kind and currency. */
  totals,
  imported_at: utcInstant,
  imported_by: z.string(),
  withdrawn_at: utcInstant.nullable(),
  withdrawn_by: z.string(),
});
export type Invoice = z.infer<typeof invoiceSchema>;

/** What an invoice says by a mapping, before it is imported. */
export interface PreviewedInvoice {
  readonly lines: number;
  readonly first: readonly InvoiceLine[];
  readonly totals: Invoice['totals'];
  /** The headings of the file. */
  readonly headings: readonly string[];
}

/** Names of the columns for people. */
export const INVOICE_COLUMN_NAMES: Readonly<Record<InvoiceColumn, string>> = {
  month: 'Month',
  market: 'Market',
  category: 'Category',
  volume: 'Messages',
  amount: 'Amount',
  currency: 'Currency',
  kind: 'Kind of line',
};

/** A line of the report `invoice-lines`. */
export const invoiceLineRow = z.object({
  import_id: z.string(),
  waba_id: z.string(),
  name: z.string(),
  sheet: z.string(),
  line: count,
  month: z.string(),
  market: z.string(),
  category: z.string(),
  kind: z.enum(LINE_KINDS),
  volume: z.string().nullable(),
  amount: decimal,
  currency: z.string(),
});
export type InvoiceLineRow = z.infer<typeof invoiceLineRow>;
