import type { GivenMetaAnswers } from '@ctwa-ledger/schemas/changes.ts';
import { META_FIELDS, type MetaImport } from '@ctwa-ledger/schemas/meta.ts';

import { addDays, isDay } from '../filters/days.ts';
import type { TableSpec, Value } from '../table/table.ts';

const COLUMNS = ['imported_at', 'name', 'waba_id', 'field', 'first_day', 'points', 'volume', 'state'] as const;
export type MetaColumn = (typeof COLUMNS)[number];

export const META_TABLE: TableSpec<MetaColumn> = {
  id: 'meta-imports',
  columns: COLUMNS,
  words_first: ['name', 'waba_id', 'field', 'state'],
  default_sort: { column: 'imported_at', descending: true },
};

export const META_VALUES: Readonly<Record<MetaColumn, (row: MetaImport) => Value>> = {
  imported_at: (row) => row.imported_at,
  name: (row) => row.name,
  waba_id: (row) => row.waba_id,
  field: (row) => row.field,
  first_day: (row) => row.first_day,
  points: (row) => row.points,
  volume: (row) => Number(row.volume),
  state: (row) => row.state,
};

type About = Omit<GivenMetaAnswers, 'files'>;

/** The facts about answers of Meta in a form, or what is wrong with them. The last day in the form is included. */
export function readAbout(
  text: (name: string) => string,
): { readonly ok: true; readonly about: About } | { readonly ok: false; readonly problem: string } {
  const [first_day, last_day] = [text('first_day'), text('last_day')];
  const no = (problem: string) => ({ ok: false as const, problem });
  if ((first_day === '') !== (last_day === '')) return no('Say both the first and the last day, or neither.');
  if (first_day !== '' && !(isDay(first_day) && isDay(last_day))) return no('Write days like 2026-10-31.');
  if (first_day > last_day) return no('The last day is before the first one.');
  const waba_id = text('waba_id');
  return {
    ok: true,
    about: {
      waba_id: waba_id === '' ? undefined : waba_id,
      field: META_FIELDS.find((field) => field === text('field')),
      days: text('days') === 'utc' ? 'utc' : 'account',
      asked: first_day === '' ? null : { from: first_day, to: addDays(last_day, 1) },
      is_incoming: text('direction') === 'incoming',
    },
  };
}
