import {
  INVOICE_COLUMNS,
  NEEDED_INVOICE_COLUMNS,
  type InvoiceColumn,
  type InvoiceMapping,
} from '@ctwa-ledger/schemas/invoices.ts';
import { mappingNameSchema } from '@ctwa-ledger/schemas/spend.ts';
import { currencyOf } from '../../imports/amounts.ts';
import {
  importInvoice,
  keepInvoiceMapping,
  listInvoiceMappings,
  listInvoices,
  withdrawInvoice,
} from '../../reconciliation/invoices.ts';
import { readGivenFile } from '../given-file.ts';
import { withExistingLedger, withLedger } from '../open.ts';
import { writeLines } from '../output.ts';
import { UsageError, type CommonOptions } from '../settings.ts';
import { userName } from '../user.ts';

export interface InvoiceMapOptions extends CommonOptions {
  /** `amount=Betrag`, and so on. */
  readonly column?: readonly string[];
  readonly currency?: string;
  readonly decimal?: 'point' | 'comma';
}

export interface InvoiceImportOptions extends CommonOptions {
  readonly mapping: string;
  readonly waba?: string;
}

/** @throws UsageError when an option names no known column, no heading or no currency */
function mappingOf({ column = [], currency, decimal }: InvoiceMapOptions): InvoiceMapping {
  const columns: Partial<Record<InvoiceColumn, string>> = {};
  for (const option of column) {
    const [, name = '', heading = ''] = /^([^=]*)=(.*)$/s.exec(option) ?? [];
    const known = INVOICE_COLUMNS.find((one) => one === name.trim());
    if (known === undefined || heading.trim() === '')
      throw new UsageError(
        `--column "${option}" does not say which heading a column has: write one of ${INVOICE_COLUMNS.join(', ')}, then = and the heading, like --column amount="Net amount".`,
      );
    columns[known] = heading.trim();
  }
  for (const needed of NEEDED_INVOICE_COLUMNS)
    if (columns[needed] === undefined)
      throw new UsageError(`Say which heading the ${needed} has, like --column ${needed}="…".`);
  const code = currency === undefined ? null : currencyOf(currency);
  if (currency !== undefined && code === null)
    throw new UsageError(`--currency "${currency}" is not a currency: use three letters (ISO 4217), like USD.`);
  return {
    columns,
    ...(code === null ? {} : { currency: code }),
    ...(decimal === undefined ? {} : { decimal_mark: decimal === 'point' ? '.' : ',' }),
  };
}

/** Stores a mapping of headings to columns by name. Prints one JSON object. */
export async function invoiceMap(name: string, options: InvoiceMapOptions): Promise<void> {
  const known = mappingNameSchema.safeParse(name);
  if (!known.success)
    throw new UsageError(`The name "${name}" cannot be used: it ${known.error.issues[0]?.message ?? ''}.`);
  const mapping = { name: known.data, ...mappingOf(options) };
  await withLedger('invoice map', options, async ({ database }) => {
    await keepInvoiceMapping(database, mapping, userName());
    writeLines((await listInvoiceMappings(database)).filter((one) => one.name === mapping.name));
  });
}

/** Prints one JSON object per stored mapping. */
export async function invoiceMappings(options: CommonOptions): Promise<void> {
  await withExistingLedger('invoice mappings', options, async ({ database }) => {
    writeLines(await listInvoiceMappings(database));
  });
}

/** Prints one JSON object: the invoice, with its sums by month and kind. */
export async function invoiceImport(path: string, options: InvoiceImportOptions): Promise<void> {
  const file = readGivenFile(path);
  await withLedger('invoice import', options, async ({ database }) => {
    const given = { ...file, waba_id: options.waba ?? '', by: userName() };
    const { outcome, invoice } = await importInvoice(database, given, options.mapping);
    writeLines([{ ...invoice, outcome }]);
    if (outcome === 'unchanged')
      process.stderr.write(`${file.name} was imported before and is in force: nothing changes.\n`);
  });
}

/** Prints one JSON object per invoice, withdrawn ones included. */
export async function invoiceList(options: CommonOptions): Promise<void> {
  await withExistingLedger('invoice list', options, async ({ database }) => {
    writeLines(await listInvoices(database));
  });
}

export async function invoiceWithdraw(import_id: string, options: CommonOptions): Promise<void> {
  await withExistingLedger('invoice withdraw', options, async ({ database }) => {
    writeLines([await withdrawInvoice(database, import_id, userName())]);
  });
}
