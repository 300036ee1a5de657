import type { AdsRow } from '@ctwa-ledger/schemas/figures.ts';

import { rounded } from '../format/amounts.ts';
import type { TableSpec, Value } from '../table/table.ts';
import { CHANGE_VALUES } from './changes.ts';
import type { AdAmounts } from './figures.ts';
import { allMessages, messageCosts, perOne, type MessageCosts } from './full-cost.ts';
import type { TableLine } from './rollup.ts';

/** Columns with the name of an ad and its counts. */
const COUNT_COLUMNS = [
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
type CountColumn = (typeof COUNT_COLUMNS)[number];

const decimal = (text: string | null): Value => (text === null ? null : Number(text));

/** The values by which counts are sorted. Rounding decimals affects only the order of rows that look equal. */
const COUNT_VALUES: Readonly<Record<CountColumn, (row: AdsRow) => Value>> = {
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

/** Key of a row. */
export const adKey = ({ ad_id, source_type }: Pick<AdsRow, 'ad_id' | 'source_type'>): string =>
  `${source_type}:${ad_id}`;

/** Columns of amounts. */
const AMOUNT_COLUMNS = ['spend', 'cost_per_conversation', 'cost_per_replied', 'savings', 'savings_per_spend'] as const;
/** Columns of messages and of the full cost, which are read on request. */
const FULL_COLUMNS = [
  'messages_per_conversation',
  'charges_per_conversation',
  'full_cost_per_conversation',
  'full_cost_per_replied',
] as const;
/** Columns of changes since the compared days. */
const CHANGE_COLUMNS = [
  'conversations_change',
  'reply_rate_change',
  'spend_change',
  'cost_per_conversation_change',
] as const;
export type AdLineColumn =
  CountColumn | (typeof AMOUNT_COLUMNS)[number] | (typeof FULL_COLUMNS)[number] | (typeof CHANGE_COLUMNS)[number];

/** The table of ads, and the columns by which it can be sorted. */
export const AD_LINES: TableSpec<AdLineColumn> = {
  id: 'by-ad',
  is_main: true,
  columns: [...COUNT_COLUMNS, ...AMOUNT_COLUMNS, ...FULL_COLUMNS, ...CHANGE_COLUMNS],
  words_first: ['ad_id'],
  default_sort: { column: 'ad_conversations', descending: true },
};

/** The first amount of an ad, after its currency: amounts of two currencies cannot be compared. */
function amountValue(line: TableLine, column: keyof AdAmounts & (typeof AMOUNT_COLUMNS)[number]): Value {
  const first = line.amounts.find((amounts) => amounts[column] !== null);
  const decimal = first?.[column];
  return first === undefined || decimal == null ? null : `${first.currency} ${rounded(decimal, 8)}`;
}

/** The first known amount per conversation, after its currency. */
function fullValue(line: TableLine, of: (costs: MessageCosts) => string | null): Value {
  for (const costs of messageCosts(line.messages)) {
    const amount = of(costs);
    if (amount !== null) return `${costs.currency} ${rounded(amount, 8)}`;
  }
  return null;
}

export const AD_LINE_VALUES: Readonly<Record<AdLineColumn, (line: TableLine) => Value>> = {
  ...COUNT_VALUES,
  ad_id: (line) => line.group?.name ?? line.ad_id,
  spend: (line) => amountValue(line, 'spend'),
  cost_per_conversation: (line) => amountValue(line, 'cost_per_conversation'),
  cost_per_replied: (line) => amountValue(line, 'cost_per_replied'),
  savings: (line) => amountValue(line, 'savings'),
  savings_per_spend: (line) =>
    decimal(line.amounts.find((row) => row.savings_per_spend !== null)?.savings_per_spend ?? null),
  messages_per_conversation: (line) =>
    line.ad_conversations === 0 || line.messages.length === 0
      ? null
      : allMessages(messageCosts(line.messages)) / line.ad_conversations,
  charges_per_conversation: (line) => fullValue(line, (costs) => perOne(costs.charges, costs.conversations)),
  full_cost_per_conversation: (line) => fullValue(line, (costs) => perOne(costs.full_cost, costs.full_conversations)),
  full_cost_per_replied: (line) => fullValue(line, (costs) => perOne(costs.full_cost, costs.full_replied)),
  ...CHANGE_VALUES,
};
