import type { TableSpec, Value } from '../table/table.ts';
import type { Bucket } from './buckets.ts';

/** Columns by which the table of hours, days or weeks can be sorted. */
const BUCKET_COLUMNS = [
  'time',
  'ad_conversations',
  'conversations_change',
  'replied',
  'mature',
  'pending',
  'reply_rate',
  'median_seconds_to_reply',
  'windows_opened',
  'windows_confirmed',
  'delivered',
  'billable',
  'free_entry',
  'saved_from_charge',
  'mismatches',
] as const;
export type BucketColumn = (typeof BUCKET_COLUMNS)[number];

export const BUCKET_TABLE: TableSpec<BucketColumn> & { readonly page_rows: number } = {
  id: 'by-day',
  columns: BUCKET_COLUMNS,
  words_first: ['time'],
  default_sort: { column: 'time', descending: false },
  page_rows: 50,
};

const decimal = (text: string | null): Value => (text === null ? null : Number(text));

/**
 * The values by which the table is sorted. The key cannot be used for time: it begins with the local time, which
 * repeats an hour when clocks go back.
 */
export const BUCKET_VALUES: Readonly<Record<BucketColumn, (row: Bucket) => Value>> = {
  time: (row) => Date.parse(row.key),
  ad_conversations: (row) => row.ad_conversations,
  conversations_change: ({ ad_conversations, before }) => before && ad_conversations - before.ad_conversations,
  replied: (row) => row.replied,
  mature: (row) => row.mature,
  pending: (row) => row.pending,
  reply_rate: (row) => decimal(row.reply_rate),
  median_seconds_to_reply: (row) => decimal(row.median_seconds_to_reply),
  windows_opened: (row) => row.windows_opened,
  windows_confirmed: (row) => row.windows_confirmed,
  delivered: (row) => row.delivered,
  billable: (row) => row.billable,
  free_entry: (row) => row.free_entry,
  saved_from_charge: (row) => row.saved_from_charge,
  mismatches: (row) => row.mismatches,
};

export const bucketKey = ({ key }: Bucket): string => key;
