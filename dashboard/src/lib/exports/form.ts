import {
  exportDefinition,
  type ExportDefinition,
  type ExportPeriod,
  type ExportRun,
  type ShownExport,
} from '@ctwa-ledger/schemas/exports.ts';
import { givenValues, isListed, onlyValue } from '@ctwa-ledger/schemas/asked.ts';

import { quoted } from '../filters/filters.ts';
import { chipName, PICKED, pickedName, readPicks, type Names, type Picked, type Picks } from '../filters/picked.ts';

/** Filters of the form besides the account. Tiers, rates and cards are filters of charges alone. */
export const FORM_FILTERS = PICKED.filter(isListed).filter((name) => name !== 'waba_id');

/** The texts in the form of a scheduled export, as they were typed. */
export interface ExportTexts {
  readonly name: string;
  readonly report: string;
  readonly period: string;
  readonly when: string;
  readonly zone: string;
  readonly format: string;
  readonly compression: string;
  readonly waba_id: string;
  readonly columns: string;
  readonly layout: string;
  readonly to: string;
  readonly notify: string;
  /** Filters besides the account, by name; empty = none. */
  readonly filters: Readonly<Partial<Record<Picked, string>>>;
}

export const NEW_EXPORT: ExportTexts = {
  name: '',
  report: 'charges',
  period: 'yesterday',
  when: 'every day 06:00',
  zone: 'UTC',
  format: 'csv',
  compression: 'none',
  waba_id: '',
  columns: '',
  layout: 'flat',
  to: '',
  notify: '',
  filters: {},
};

/** The texts of a new export with the filters that a page has. Several values of a filter are not taken over. */
export function newExport(only: Picks): ExportTexts {
  const filters = FORM_FILTERS.map((name) => [name, onlyValue(only[name]) ?? ''] as const);
  return { ...NEW_EXPORT, waba_id: onlyValue(only.waba_id) ?? '', filters: Object.fromEntries(filters) };
}

/** The filters of an export, in words. */
export function filterWords({ filters }: Pick<ShownExport, 'filters'>, names: Names): string[] {
  return Object.entries(filters).map(([name, value]) => {
    const picked = PICKED.find((one) => one === name);
    return picked === undefined ? `${name}: ${value}` : chipName(picked, value, names);
  });
}

export const PERIOD_NAMES: Readonly<Record<ExportPeriod, string>> = {
  yesterday: 'the day before',
  'last-week': 'the week before',
  'last-month': 'the month before',
  'last-closed-month': 'the last closed month',
  'this-week': 'the week so far',
  'this-month': 'the month so far',
  all: 'none: the report has no days',
};

export const LAYOUT_NAMES: Readonly<Record<ExportDefinition['layout'], string>> = {
  flat: 'one folder',
  'key=value': 'folders like period=2026-10',
};

/** The export in a form; a text = what is wrong with it. */
export function exportOf(texts: ExportTexts): ExportDefinition | string {
  const { waba_id, columns, layout, to, notify, filters, ...rest } = texts;
  const given = Object.entries({ ...filters, waba_id }).filter(([, text]) => text !== '');
  const { only, unusable } = readPicks(new URLSearchParams(given));
  const [wrong] = unusable;
  if (wrong !== undefined) return `${pickedName(wrong.name)}: ${quoted(wrong.text)} is ${wrong.what}.`;
  const parsed = exportDefinition.safeParse({
    ...rest,
    ...(layout === '' ? {} : { layout }),
    ...(to === '' ? {} : { to }),
    ...(notify === '' ? {} : { notify }),
    filters: Object.fromEntries(PICKED.flatMap((name) => givenValues(only[name]).map((value) => [name, value]))),
    columns: columns.split(/[\s,]+/).filter((column) => column !== ''),
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unknown'}.`;
}

/** The days of a run, including the last one. */
export function daysOf({ period_from, period_to }: Pick<ExportRun, 'period_from' | 'period_to'>): string {
  if (period_to === '') return period_from;
  const last = new Date(Date.parse(period_to) - 86_400_000).toISOString().slice(0, 10);
  return last === period_from ? last : `${period_from} to ${last}`;
}

/** The result of the last run, in words. */
export function lastWords({ last_run }: Pick<ShownExport, 'last_run'>): string {
  switch (last_run?.state) {
    case undefined:
      return 'not run yet';
    case 'done':
      return 'done';
    case 'running':
      return 'running';
    case 'retry':
      return 'failed, tried again';
    case 'failed':
      return 'failed, given up';
  }
}
