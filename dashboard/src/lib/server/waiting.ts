import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { AdConversationRow } from '@ctwa-ledger/schemas/conversations.ts';
import type { Reports } from '@ctwa-ledger/schemas/reports.ts';

import { shownCustomer } from '../conversation/masking.ts';

/** Conversations that are read: a later entry may give a conversation more time than its first entry does. */
const READ = 50;

/** Conversations that can still be answered within 24 h. */
export interface Waiting {
  /** Sorted by the time left, with customers as they are shown. */
  readonly waiting: readonly AdConversationRow[];
  readonly is_more_waiting: boolean;
}

/**
 * The conversations of a range that have least time left.
 * @param most how many are listed
 */
export async function readWaiting(
  reports: Pick<Reports, 'conversations'>,
  asked: ReportFilters,
  most: number,
): Promise<Waiting> {
  const pending = await reports.conversations({
    filters: { ...asked, state: 'pending' },
    page: { sort: { column: 'entry_at', descending: false }, after: '', limit: READ },
  });
  const waiting = pending.rows.toSorted((one, other) => one.last_entry_at - other.last_entry_at);
  return {
    waiting: waiting.slice(0, most).map((row) => ({ ...row, customer: shownCustomer(row.customer, false) })),
    is_more_waiting: waiting.length > most || pending.next !== null,
  };
}
