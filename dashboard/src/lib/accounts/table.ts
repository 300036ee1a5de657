import type { ListedAccount } from '@ctwa-ledger/schemas/changes.ts';

import type { TableSpec, Value } from '../table/table.ts';

const ACCOUNT_COLUMNS = [
  'waba_id',
  'name',
  'currency',
  'time_zone',
  'portfolio_id',
  'delivered_messages',
  'set_by',
] as const;
export type AccountColumn = (typeof ACCOUNT_COLUMNS)[number];

export const ACCOUNT_TABLE: TableSpec<AccountColumn> = {
  id: 'accounts',
  columns: ACCOUNT_COLUMNS,
  words_first: ['waba_id', 'name', 'currency', 'time_zone', 'portfolio_id', 'set_by'],
  default_sort: { column: 'waba_id', descending: false },
};

export const ACCOUNT_VALUES: Readonly<Record<AccountColumn, (row: ListedAccount) => Value>> = {
  waba_id: ({ account }) => account.waba_id,
  name: ({ account }) => account.name ?? null,
  currency: ({ account }) => account.currency ?? null,
  time_zone: ({ account }) => account.time_zone ?? null,
  portfolio_id: ({ account }) => account.portfolio_id ?? null,
  delivered_messages: ({ delivered_messages }) => delivered_messages,
  set_by: ({ set_by }) => set_by,
};

/** Key of a row. One row stands for messages that name no account. */
export const accountKey = ({ account }: ListedAccount): string => account.waba_id || '-';
