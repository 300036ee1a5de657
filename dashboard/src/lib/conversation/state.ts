import { REPLY_WITHIN_SECONDS } from '@ctwa-ledger/schemas/durations.ts';
import type { AdConversationRow, ConversationState } from '@ctwa-ledger/schemas/conversations.ts';

import { duration } from '../format/durations.ts';

/** The state of an ad conversation (rules.md 6) at a time in Unix seconds. */
export function replyState(
  row: Pick<AdConversationRow, 'is_replied' | 'seconds_to_reply' | 'last_entry_at'>,
  as_of: number,
): string {
  if (row.is_replied) return `answered in ${duration(String(row.seconds_to_reply ?? 0))}`;
  const left = row.last_entry_at + REPLY_WITHIN_SECONDS - as_of;
  return left > 0 ? `pending, ${duration(String(left))} left` : 'not answered within 24 h';
}

const NAMES: Readonly<Record<ConversationState, string>> = {
  replied: 'Answered',
  pending: 'Pending',
  not_replied: 'Not answered within 24 h',
  open: 'Window open',
};

/** The state filter of the list, in words; null = no filter. */
export function stateName(state: ConversationState | null): string {
  return state === null ? 'All' : NAMES[state];
}
