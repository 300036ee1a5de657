import { valueIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import { INVOICE_COLUMNS, type InvoiceColumn, type InvoiceMapping } from '@ctwa-ledger/schemas/invoices.ts';

import { search, type FilterState } from '../filters/filters.ts';

/** An uploaded invoice, and how it is read. It is in the address, so that the page works with links and forms alone. */
export interface InvoiceState {
  readonly upload: string;
  /** Empty when the account was not given. */
  readonly waba_id: string;
  /** Name of a stored mapping; null = the columns are chosen by hand. */
  readonly kept: string | null;
  /** The columns that are chosen by hand. */
  readonly mapping: InvoiceMapping;
}

const MAX_CHARACTERS = 200;

/** The name of the field with the heading of a column. */
export const columnField = (column: InvoiceColumn): string => `column.${column}`;

/** The upload in a form or an address, and how it is read. */
export function readInvoiceState(text: (name: string) => string): InvoiceState {
  const columns: Partial<Record<InvoiceColumn, string>> = {};
  for (const column of INVOICE_COLUMNS) {
    const heading = text(columnField(column)).trim().slice(0, MAX_CHARACTERS);
    if (heading !== '') columns[column] = heading;
  }
  const currency = text('currency').trim().toUpperCase();
  const decimal = text('decimal');
  const kept = text('mapping').trim();
  return {
    upload: text('upload'),
    waba_id: text('account').trim().slice(0, MAX_CHARACTERS),
    kept: kept === '' ? null : kept,
    mapping: {
      columns,
      ...(currency === '' ? {} : { currency }),
      ...(decimal === '.' || decimal === ',' ? { decimal_mark: decimal } : {}),
    },
  };
}

/** The state in an address; null when no upload is previewed. */
export function invoiceStateIn(params: URLSearchParams): InvoiceState | null {
  if (valueIn(params, 'upload') === null) return null;
  return readInvoiceState((name) => params.get(name) ?? '');
}

/** The same as fields of a form or address. */
export function invoiceFields({
  upload,
  waba_id,
  kept,
  mapping,
}: InvoiceState): readonly (readonly [string, string])[] {
  const fields: (readonly [string, string])[] = [
    ['upload', upload],
    ['account', waba_id],
    ['mapping', kept ?? ''],
    ['currency', mapping.currency ?? ''],
    ['decimal', mapping.decimal_mark ?? ''],
    ...Object.entries(mapping.columns).map(
      ([column, heading]) => [columnField(column as InvoiceColumn), heading] as const,
    ),
  ];
  return fields.filter(([, value]) => value !== '');
}

/** The address of a preview, without the path. */
export function invoiceSearch(state: InvoiceState, filters: FilterState): string {
  const params = new URLSearchParams(search(filters));
  for (const [name, value] of invoiceFields(state)) params.set(name, value);
  return `?${params.toString()}`;
}
