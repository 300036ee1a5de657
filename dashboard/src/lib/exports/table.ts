import type { ExportRun, ShownExport } from '@ctwa-ledger/schemas/exports.ts';

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

const RUN_COLUMNS = ['period', 'state', 'rows', 'bytes', 'file', 'began_at', 'seconds', 'asked_by'] as const;
export type RunColumn = (typeof RUN_COLUMNS)[number];

export const RUN_TABLE: TableSpec<RunColumn> = {
  id: 'runs',
  columns: RUN_COLUMNS,
  words_first: ['state', 'file', 'asked_by'],
  default_sort: { column: 'period', descending: true },
};

export const RUN_VALUES: Readonly<Record<RunColumn, (run: ExportRun) => Value>> = {
  period: (run) => run.period_from,
  state: (run) => run.state,
  rows: (run) => run.rows,
  bytes: (run) => run.bytes,
  file: (run) => run.error || run.file,
  began_at: (run) => run.began_at,
  seconds: (run) => run.seconds,
  asked_by: (run) => run.asked_by,
};

/** Key of a run: the latest of its period. */
export const runKey = (run: ExportRun): string => `${run.period_from} ${run.period_to}`;
