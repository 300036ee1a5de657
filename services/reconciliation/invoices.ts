import {
  INVOICE_COLUMNS,
  invoiceLineRow,
  invoiceSchema,
  type Invoice,
  type InvoiceColumn,
  type InvoiceLine,
  type InvoiceLineRow,
  type InvoiceMapping,
  type KeptInvoiceMapping,
  type PreviewedInvoice,
} from '@ctwa-ledger/schemas/invoices.ts';
import { BrokenFileError } from '../imports/broken-file.ts';
import { findMapping, keepMapping, listMappings, type MappingKind } from '../imports/column-mappings.ts';
import {
  importGiven,
  importId,
  registeredColumns,
  sha256,
  withdrawImport,
  type GivenFile,
  type ImportKind,
} from '../imports/register.ts';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { amountText, readAmount } from './amounts.ts';
import { invoiceHeadings, parseInvoice, parsePartnerBill } from './invoice-file.ts';
import { PARTNER_BILLS } from './partner-bills.ts';

const MAPPED_INVOICES: MappingKind<InvoiceColumn> = {
  name: 'invoice',
  columns: INVOICE_COLUMNS,
  keptBy: 'ctwa-ledger invoice map NAME --column month=… --column amount=…',
};

/** All stored mappings of invoices, by name. */
export function listInvoiceMappings(database: Database): Promise<KeptInvoiceMapping[]> {
  return listMappings(database, MAPPED_INVOICES);
}

/** Stores a mapping by name; it replaces an earlier one of that name. */
export function keepInvoiceMapping(
  database: Database,
  mapping: InvoiceMapping & { readonly name: string },
  by: string,
): Promise<void> {
  return keepMapping(database, MAPPED_INVOICES, mapping, by);
}

/** @throws ActionableError when there is none with that name; it lists the existing ones */
export function invoiceMapping(database: Database, name: string): Promise<KeptInvoiceMapping> {
  return findMapping(database, MAPPED_INVOICES, name);
}

/** All invoices, the latest first. */
export function listInvoices(database: Database): Promise<Invoice[]> {
  return database.query(
    invoiceSchema,
    `SELECT import_id, waba_id, name, checksum, mapping, if(invoices.withdrawn_at IS NULL, 'holds', 'withdrawn') AS state,
        toUInt32(summed.n) AS lines,
        arrayMap(t -> CAST(t, 'Tuple(month String, kind String, currency String, amount String)'), summed.totals) AS totals,
        ${registeredColumns('invoices')}
     FROM invoices FINAL
     LEFT JOIN
     (
       SELECT import_id, sum(m) AS n, arraySort(groupArray((month_text, kind_text, currency_text, toString(total)))) AS totals
       FROM
       (
         SELECT import_id, substring(toString(month), 1, 7) AS month_text, toString(kind) AS kind_text,
           toString(currency) AS currency_text, count() AS m, sum(amount) AS total
         FROM invoice_lines FINAL GROUP BY import_id, month_text, kind_text, currency_text
       )
       GROUP BY import_id
     ) AS summed USING import_id
     ORDER BY invoices.imported_at DESC, import_id`,
  );
}

/** The lines of all invoices that are not withdrawn, the latest invoice first. */
export function invoiceLines(database: Database): Promise<InvoiceLineRow[]> {
  return database.query(
    invoiceLineRow,
    `SELECT import_id, waba_id, name, sheet, line, substring(toString(invoice_lines.month), 1, 7) AS month, market,
        toString(invoice_lines.category) AS category, toString(kind) AS kind, toString(volume) AS volume,
        toString(amount) AS amount, toString(invoice_lines.currency) AS currency
     FROM (SELECT * FROM invoice_lines FINAL) AS invoice_lines
     INNER JOIN (SELECT import_id, waba_id, name, imported_at FROM invoices FINAL WHERE withdrawn_at IS NULL) AS held
       USING import_id
     ORDER BY held.imported_at DESC, import_id, sheet, line`,
  );
}

const LINE_COLUMNS = [
  'import_id',
  'line',
  'sheet',
  'month',
  'market',
  'category',
  'kind',
  'volume',
  'amount',
  'currency',
] as const;

interface GivenInvoice extends GivenFile {
  /** Empty when the account was not given. */
  readonly waba_id: string;
  /** The name of a stored mapping. */
  readonly mapping: string;
}

interface ReadInvoice {
  readonly given: GivenInvoice;
  readonly import_id: string;
  readonly lines: readonly InvoiceLine[];
}

/** Reads the bill of a partner by a mapping that comes with the product, unless one of its name is kept. */
async function readPartnerBill(given: GivenInvoice): Promise<ReadInvoice> {
  const parsed = await parsePartnerBill(given.bytes, given.mapping);
  if (!parsed.ok) throw new BrokenFileError(given.name, parsed);
  const how = [sha256(given.bytes), given.waba_id, 'partner', given.mapping];
  return { given, import_id: importId(...how), lines: parsed.lines };
}

async function readInvoice(given: GivenInvoice, database: Database): Promise<ReadInvoice> {
  if (given.mapping in PARTNER_BILLS) {
    const kept = await listInvoiceMappings(database);
    if (!kept.some(({ name }) => name === given.mapping)) return readPartnerBill(given);
  }
  const { name: _, kept_at: _at, kept_by: _by, ...mapping } = await invoiceMapping(database, given.mapping);
  const parsed = await parseInvoice(given.bytes, mapping);
  if (!parsed.ok) throw new BrokenFileError(given.name, parsed);
  const { columns, currency = '', decimal_mark = '' } = mapping;
  // The bytes, and the way they were read.
  const how = [sha256(given.bytes), given.waba_id, Object.entries(columns).sort(), currency, decimal_mark];
  return { given, import_id: importId(...how), lines: parsed.lines };
}

/** Lines that a preview shows. */
const PREVIEWED_LINES = 20;

function totalsOf(lines: readonly InvoiceLine[]): Invoice['totals'] {
  const sums = new Map<string, Invoice['totals'][number]>();
  for (const { month, kind, currency, amount } of lines) {
    const key = `${month} ${kind} ${currency}`;
    const sum = readAmount(sums.get(key)?.amount ?? '0') + readAmount(amount);
    sums.set(key, { month, kind, currency, amount: amountText(sum) });
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, total]) => total);
}

/**
 * What an invoice says by a mapping, before anything is imported.
 * @throws BrokenFileError that names every place that cannot be read, with the headings of the file
 */
export async function previewInvoice(
  file: Pick<GivenFile, 'name' | 'bytes'>,
  mapping: InvoiceMapping,
): Promise<PreviewedInvoice> {
  const parsed = await parseInvoice(file.bytes, mapping);
  const headings = await invoiceHeadings(file.bytes);
  if (!parsed.ok) throw new BrokenFileError(file.name, { ...parsed, headings });
  const { lines } = parsed;
  return { lines: lines.length, first: lines.slice(0, PREVIEWED_LINES), totals: totalsOf(lines), headings };
}

/** What importing an invoice would do. */
interface PlannedInvoice {
  readonly import_id: string;
  readonly outcome: 'imported' | 'unchanged';
}

export const INVOICES: ImportKind<GivenInvoice, ReadInvoice, PlannedInvoice, Invoice> = {
  table: 'invoices',
  id: 'import_id',
  noun: 'invoice',
  listedBy: 'ctwa-ledger invoice list',
  touches: ['invoice_lines'],
  list: listInvoices,
  read: readInvoice,
  async plan({ import_id }, database) {
    const known = await find(database, import_id);
    return { import_id, outcome: known?.state === 'holds' ? 'unchanged' : 'imported' };
  },
  changes({ given, import_id, lines }, { outcome }) {
    if (outcome === 'unchanged') return { files: [], imports: [] };
    const { name, waba_id, mapping } = given;
    const rows = lines.map(({ line, sheet, month, market, category, kind, volume, amount, currency }) => [
      import_id,
      line,
      sheet,
      `${month}-01`,
      market,
      category,
      kind,
      volume,
      amount,
      currency,
    ]);
    const entry = { import_id, waba_id, name, checksum: sha256(given.bytes), mapping };
    return { files: [given], imports: [{ entry, rows: [{ table: 'invoice_lines', columns: LINE_COLUMNS, rows }] }] };
  },
};

async function find(database: Database, import_id: string): Promise<Invoice | undefined> {
  return (await listInvoices(database)).find((one) => one.import_id === import_id);
}

/**
 * Imports an invoice as a whole or not at all, with a stored mapping. Importing it again changes nothing; importing a
 * withdrawn one puts it in force again.
 * @throws BrokenFileError that names every place that cannot be read
 */
export async function importInvoice(
  database: Database,
  file: GivenFile & { readonly waba_id: string; readonly by: string },
  mapping_name: string,
): Promise<{ readonly outcome: 'imported' | 'unchanged'; readonly invoice: Invoice }> {
  const given = { ...file, mapping: mapping_name };
  const { import_id, outcome } = await importGiven(database, INVOICES, given, file.by);
  const invoice = await find(database, import_id);
  if (invoice === undefined) throw new ActionableError(`The invoice ${import_id} was written, but is not there.`);
  return { outcome, invoice };
}

/** Withdraws an invoice: it stays listed. @throws ActionableError when there is none with that id */
export async function withdrawInvoice(database: Database, import_id: string, by: string): Promise<Invoice> {
  return (await withdrawImport(database, INVOICES, import_id, by)).now;
}
