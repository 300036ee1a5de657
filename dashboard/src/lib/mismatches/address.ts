import { MISMATCH_SORTS, type MismatchesRow, type MismatchSort } from '@ctwa-ledger/schemas/bill.ts';
import type { Narrowed } from '@ctwa-ledger/schemas/asked.ts';

import { quoted, search, type FilterState, type Repair } from '../filters/filters.ts';
import { deliveredMark } from '../format/words.ts';
import type { TableSpec, Value } from '../table/table.ts';

/** The key of a group of mismatches. A click on a group narrows the messages to it. */
export const GROUP_KEY = ['predicted', 'reported', 'category', 'policy', 'rule', 'circumstance'] as const;
type GroupKey = (typeof GROUP_KEY)[number];
export type Group = Pick<MismatchesRow, GroupKey>;

const MAX_CHARACTERS = 100;

const word = (text: string): string | null => (/^[\w-]+$/.test(text) && text.length <= MAX_CHARACTERS ? text : null);

const VALUES: Readonly<Record<GroupKey, { readonly read: (text: string) => string | null; readonly wrong: string }>> = {
  predicted: { read: deliveredMark, wrong: 'is no mark; all marks are shown.' },
  reported: { read: deliveredMark, wrong: 'is no mark; all marks are shown.' },
  category: { read: (text) => word(text.toLowerCase()), wrong: 'is no category; all categories are shown.' },
  policy: { read: word, wrong: 'is no policy; all policies are shown.' },
  rule: { read: word, wrong: 'is no rule; all rules are shown.' },
  circumstance: { read: word, wrong: 'is no circumstance; all are shown.' },
};

/** The filters of the messages in an address. What cannot be used is left out, with a notice. */
export function readGroup(params: URLSearchParams): {
  readonly only: Narrowed;
  readonly repairs: readonly Pick<Repair, 'notice'>[];
} {
  const only: Partial<Record<GroupKey, string>> = {};
  const repairs: Pick<Repair, 'notice'>[] = [];
  for (const name of GROUP_KEY) {
    const text = params.get(name)?.trim() ?? '';
    if (text === '') continue;
    const value = VALUES[name].read(text);
    if (value !== null) only[name] = value;
    else repairs.push({ notice: `${name}: ${quoted(text)} ${VALUES[name].wrong}` });
  }
  return { only, repairs };
}

/** The end of an address with the messages of a group, or with all for null. */
export function groupSearch(group: Group | null, filters: FilterState): string {
  return search(filters, group === null ? {} : Object.fromEntries(GROUP_KEY.map((name) => [name, group[name]])));
}

/** Rows of the table are by group and currency. */
export const groupKey = (row: Group & Pick<MismatchesRow, 'currency'>): string =>
  [...GROUP_KEY.map((name) => row[name]), row.currency].join(' ');

/** Whether the messages are narrowed to a group. */
export const isChosen = (group: Group, only: Narrowed): boolean =>
  GROUP_KEY.every((name) => (only[name] ?? null) === group[name]);

/** The messages are the main table of the page, so the unprefixed parameters of the address are theirs. */
export const MISMATCH_TABLE: TableSpec<MismatchSort> = {
  id: 'messages',
  is_main: true,
  columns: MISMATCH_SORTS,
  words_first: ['message_id', 'template_name', 'category', 'predicted', 'reported', 'ad_id'],
  default_sort: { column: 'delivered_at', descending: true },
};

const GROUP_COLUMNS = [...GROUP_KEY, 'messages', 'last_delivered_at'] as const;
export type GroupColumn = (typeof GROUP_COLUMNS)[number];

export const GROUP_TABLE: TableSpec<GroupColumn> & { readonly page_rows: number } = {
  id: 'kinds',
  columns: GROUP_COLUMNS,
  words_first: GROUP_KEY,
  default_sort: { column: 'messages', descending: true },
  page_rows: 50,
};

export const GROUP_VALUES: Readonly<Record<GroupColumn, (row: MismatchesRow) => Value>> = {
  predicted: (row) => row.predicted,
  reported: (row) => row.reported,
  category: (row) => row.category,
  policy: (row) => row.policy,
  rule: (row) => row.rule,
  circumstance: (row) => row.circumstance,
  messages: (row) => row.messages,
  last_delivered_at: (row) => row.last_delivered_at,
};
