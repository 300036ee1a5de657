import type { Invoice } from '@ctwa-ledger/schemas/invoices.ts';
import type { SpendImport } from '@ctwa-ledger/schemas/spend.ts';

import type { TableSpec, Value } from '../table/table.ts';

const COLUMNS = ['imported_at', 'name', 'first_day', 'ads', 'rows', 'state'] as const;
export type ImportColumn = (typeof COLUMNS)[number];

export const IMPORT_TABLE: TableSpec<ImportColumn> = {
  id: 'imports',
  is_main: true,
  columns: COLUMNS,
  words_first: ['name', 'state'],
  default_sort: { column: 'imported_at', descending: true },
};

export const IMPORT_VALUES: Readonly<Record<ImportColumn, (row: SpendImport) => Value>> = {
  imported_at: (row) => row.imported_at,
  name: (row) => row.name,
  first_day: (row) => row.first_day,
  ads: (row) => row.ads,
  rows: (row) => row.rows,
  state: (row) => row.state,
};

const INVOICE_COLUMNS = ['imported_at', 'name', 'waba_id', 'totals', 'lines', 'state'] as const;
export type InvoiceTableColumn = (typeof INVOICE_COLUMNS)[number];

export const INVOICE_TABLE: TableSpec<InvoiceTableColumn> = {
  id: 'invoices',
  is_main: true,
  columns: INVOICE_COLUMNS,
  words_first: ['name', 'waba_id', 'totals', 'state'],
  default_sort: { column: 'imported_at', descending: true },
};

export const INVOICE_VALUES: Readonly<Record<InvoiceTableColumn, (invoice: Invoice) => Value>> = {
  imported_at: (invoice) => invoice.imported_at,
  name: (invoice) => invoice.name,
  waba_id: (invoice) => invoice.waba_id || null,
  totals: (invoice) => invoice.totals[0]?.month ?? null,
  lines: (invoice) => invoice.lines,
  state: (invoice) => invoice.state,
};
