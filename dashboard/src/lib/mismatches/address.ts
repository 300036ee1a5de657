import { textIn, type AddressParameter } from '@ctwa-ledger/schemas/address-parameters.ts';
import { MISMATCH_SORTS, type MismatchesRow, type MismatchSort } from '@ctwa-ledger/schemas/bill.ts';
import { onlyValue, type Narrowed } from '@ctwa-ledger/schemas/asked.ts';

import { quoted, search, type FilterState, type Repair } from '../filters/filters.ts';
import { categoryName, deliveredMark, markName } from '../format/words.ts';
import type { TableSpec, Value } from '../table/table.ts';

/** The key of a group of mismatches. A click on a group narrows the messages to it. */
export const GROUP_KEY = ['predicted', 'reported', 'category', 'policy', 'rule', 'circumstance', 'waba_id'] as const;
type GroupKey = (typeof GROUP_KEY)[number];
export type Group = Pick<MismatchesRow, GroupKey>;

const MAX_CHARACTERS = 100;

const word = (text: string): string | null => (/^[\w-]+$/.test(text) && text.length <= MAX_CHARACTERS ? text : null);

/**
 * The parameters of an address that name the chosen group. Account and category have other names than the filters of the
 * whole page: choosing a group must not hide the other groups.
 */
const PARAMETERS: Readonly<Record<GroupKey, AddressParameter>> = {
  predicted: 'predicted',
  reported: 'reported',
  category: 'of_category',
  policy: 'policy',
  rule: 'rule',
  circumstance: 'circumstance',
  waba_id: 'of_account',
};

/** Messages of no known category, or of no account: an empty parameter says nothing. */
const NONE = 'none';
const orNone = (value: string): string => (value === '' ? NONE : value);
const readOrNone = (text: string): string | null => (text === NONE ? '' : word(text));

/** What explains a difference, in words; nothing is known to where it is `none`. */
const CIRCUMSTANCE_WORDS: ReadonlyMap<string, string> = new Map([
  ['none', ''],
  ['answered_from_app', 'answered from the app'],
  ['no_entry_known', 'no entry known'],
]);

const VALUES: Readonly<Record<GroupKey, { readonly read: (text: string) => string | null; readonly wrong: string }>> = {
  predicted: { read: deliveredMark, wrong: 'is no mark; all marks are shown.' },
  reported: { read: deliveredMark, wrong: 'is no mark; all marks are shown.' },
  category: { read: (text) => readOrNone(text.toLowerCase()), wrong: 'is no category; all categories are shown.' },
  policy: { read: word, wrong: 'is no policy; all policies are shown.' },
  rule: { read: word, wrong: 'is no rule; all rules are shown.' },
  circumstance: { read: word, wrong: 'is no circumstance; all are shown.' },
  waba_id: {
    read: readOrNone,
    wrong: 'is no id of an account; all accounts are shown.',
  },
};

/** The filters of the messages in an address. What cannot be used is left out, with a notice. */
export function readGroup(params: URLSearchParams): {
  readonly only: Narrowed;
  readonly repairs: readonly Pick<Repair, 'notice'>[];
} {
  const only: Partial<Record<GroupKey, string>> = {};
  const repairs: Pick<Repair, 'notice'>[] = [];
  for (const name of GROUP_KEY) {
    const parameter = PARAMETERS[name];
    const text = textIn(params, parameter);
    if (text === '') continue;
    const value = VALUES[name].read(text);
    if (value !== null) only[name] = value;
    else repairs.push({ notice: `${parameter}: ${quoted(text)} ${VALUES[name].wrong}` });
  }
  return { only, repairs };
}

/**
 * The end of an address with the messages of a group, or with all for null.
 */
export function groupSearch(group: Group | null, filters: FilterState): string {
  const chosen = group === null ? [] : GROUP_KEY.map((name) => [PARAMETERS[name], orNone(group[name])] as const);
  return search(filters, Object.fromEntries(chosen));
}

/** A group in words: `Free entry predicted, Billable reported, Marketing, PMP-2025-07, rule W7, account 102290129340398`. */
export function groupWords(only: Narrowed): string {
  const { predicted, reported, policy, rule, circumstance } = only;
  const [category, waba_id] = [onlyValue(only.category), onlyValue(only.waba_id)];
  const said = (value: string | null | undefined, words: (value: string) => string): string[] =>
    value == null ? [] : [words(value)].filter((text) => text !== '');
  return [
    ...said(predicted, (mark) => `${markName(mark)} predicted`),
    ...said(reported, (mark) => `${markName(mark)} reported`),
    ...said(category, (name) => (name === '' ? 'no category' : categoryName(name))),
    ...said(policy, (name) => name),
    ...said(rule, (name) => `rule ${name}`),
    ...said(circumstance, (name) => CIRCUMSTANCE_WORDS.get(name) ?? name.replaceAll('_', ' ')),
    ...said(waba_id, (id) => (id === '' ? 'no account' : `account ${id}`)),
  ].join(', ');
}

/** Rows of the table are by group and currency. */
export const groupKey = (row: Group & Pick<MismatchesRow, 'currency'>): string =>
  [...GROUP_KEY.map((name) => row[name]), row.currency].join(' ');

/** Whether the messages are narrowed to a group. */
export const isChosen = (group: Group, only: Narrowed): boolean =>
  GROUP_KEY.every((name) => (only[name] ?? null) === group[name]);

/** Whether a group is among what the messages are narrowed to. */
export const isOfGroup = (group: Group, only: Narrowed): boolean =>
  GROUP_KEY.every((name) => only[name] == null || only[name] === group[name]);

/** The messages are the main table of the page, so the unprefixed parameters of the address are theirs. */
export const MISMATCH_TABLE: TableSpec<MismatchSort> = {
  id: 'messages',
  is_main: true,
  columns: MISMATCH_SORTS,
  words_first: ['message_id', 'template_name', 'category', 'predicted', 'reported', 'waba_id', 'ad_id'],
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
  waba_id: (row) => row.waba_id,
  messages: (row) => row.messages,
  last_delivered_at: (row) => row.last_delivered_at,
};
