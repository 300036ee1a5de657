import type { ShownExport } from '@ctwa-ledger/schemas/exports.ts';

import type { TableSpec, Value } from '../table/table.ts';
import { lastWords } from './form.ts';

const EXPORT_COLUMNS = ['name', 'report', 'period', 'when', 'next', 'last_run', 'state'] as const;
export type ExportColumn = (typeof EXPORT_COLUMNS)[number];

export const EXPORT_TABLE: TableSpec<ExportColumn> = {
  id: 'exports',
  is_main: true,
  columns: EXPORT_COLUMNS,
  words_first: EXPORT_COLUMNS,
  default_sort: { column: 'name', descending: false },
};

export const EXPORT_VALUES: Readonly<Record<ExportColumn, (one: ShownExport) => Value>> = {
  name: (one) => one.name,
  report: (one) => one.report,
  period: (one) => one.period,
  when: (one) => one.when,
  next: (one) => one.next[0] ?? null,
  last_run: (one) => (one.last_run === null ? null : `${lastWords(one)} ${one.last_run.began_at}`),
  state: (one) => one.state,
};

export const exportKey = (one: ShownExport): string => one.schedule_id;
