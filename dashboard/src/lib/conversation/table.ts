import { CONVERSATION_COLUMNS, type ConversationColumn } from '@ctwa-ledger/schemas/conversations.ts';

import type { TableSpec } from '../table/table.ts';

/** Not sortable by customer: the cursor in the address would reveal a customer. */
export const CONVERSATION_TABLE: TableSpec<ConversationColumn> = {
  id: 'conversations',
  is_main: true,
  columns: CONVERSATION_COLUMNS,
  words_first: ['ad', 'phone_number_id'],
  default_sort: { column: 'entry_at', descending: true },
};
