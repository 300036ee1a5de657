import { z } from 'zod';
import { count, decimal, utcInstant } from './cells.ts';

/** Columns of an invoice that are read. */
export const INVOICE_COLUMNS = ['month', 'market', 'category', 'volume', 'amount', 'currency', 'kind'] as const;
export type InvoiceColumn = (typeof INVOICE_COLUMNS)[number];

/** Those without which a line says nothing. */
export const NEEDED_INVOICE_COLUMNS = ['month', 'amount'] as const satisfies readonly InvoiceColumn[];

/** What a line is for: charges for messages, and what stays a line of its own. */
export const LINE_KINDS = ['charge', 'tax', 'fee', 'credit', 'rounding', 'adjustment', 'refund'] as const;
export type LineKind = (typeof LINE_KINDS)[number];

/** Which heading of an invoice is which column, and how it is written. */
export interface InvoiceMapping {
  readonly columns: Readonly<Partial<Record<InvoiceColumn, string>>>;
  /** The currency of all amounts, ISO 4217, where the file does not say it. */
  readonly currency?: string;
  /** The sign before the decimals, where the file leaves doubt. */
  readonly decimal_mark?: '.' | ',';
}

/** A mapping that somebody keeps by name. */
export interface KeptInvoiceMapping extends InvoiceMapping {
  readonly name: string;
  readonly kept_at: string;
  readonly kept_by: string;
}

/** A line as it was read. */
export interface InvoiceLine {
  readonly sheet: string;
  readonly line: number;
  /** `YYYY-MM` */
  readonly month: string;
  readonly market: string;
  readonly category: string;
  readonly kind: LineKind;
  /** Null: the line counts nothing. */
  readonly volume: string | null;
  /** Plain decimal; what is given back is negative. */
  readonly amount: string;
  readonly currency: string;
}

const totals = z.array(
  z.object({ month: z.string(), kind: z.enum(LINE_KINDS), currency: z.string(), amount: decimal }),
);

/** An invoice that was imported, whatever became of it. */
export const invoiceSchema = z.object({
  import_id: z.string(),
  /** Empty: it was not said which account it is for. */
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
