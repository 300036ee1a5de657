import type { AdsRow } from '@ctwa-ledger/schemas/reports.ts';

import type { TableSpec, Value } from '../table/table.ts';

/** Columns by which the table of ads can be sorted. */
export const AD_COLUMNS = [
  'ad_id',
  'ad_conversations',
  'replied',
  'mature',
  'pending',
  'reply_rate',
  'median_seconds_to_reply',
  'p90_seconds_to_reply',
  'windows_opened',
  'windows_confirmed',
  'free_messages',
  'first_entry_at',
  'last_entry_at',
] as const;
export type AdColumn = (typeof AD_COLUMNS)[number];

export const AD_TABLE: TableSpec<AdColumn> = {
  id: 'by-ad',
  is_main: true,
  columns: AD_COLUMNS,
  words_first: ['ad_id'],
  default_sort: { column: 'ad_conversations', descending: true },
};

const decimal = (text: string | null): Value => (text === null ? null : Number(text));

/** What the table is sorted by. Rounding decimals only decides which of two equal-looking rows comes first. */
export const AD_VALUES: Readonly<Record<AdColumn, (row: AdsRow) => Value>> = {
  ad_id: (row) => row.ad_id,
  ad_conversations: (row) => row.ad_conversations,
  replied: (row) => row.replied,
  mature: (row) => row.mature,
  pending: (row) => row.pending,
  reply_rate: (row) => decimal(row.reply_rate),
  median_seconds_to_reply: (row) => decimal(row.median_seconds_to_reply),
  p90_seconds_to_reply: (row) => decimal(row.p90_seconds_to_reply),
  windows_opened: (row) => row.windows_opened,
  windows_confirmed: (row) => row.windows_confirmed,
  free_messages: (row) => row.free_messages,
  first_entry_at: (row) => row.first_entry_at,
  last_entry_at: (row) => row.last_entry_at,
};

/** What tells rows of the table apart. */
export const adKey = ({ ad_id, source_type }: Pick<AdsRow, 'ad_id' | 'source_type'>): string =>
  `${source_type}:${ad_id}`;
