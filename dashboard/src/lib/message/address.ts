import { resolve } from '$app/paths';
import type { MessageRow } from '@ctwa-ledger/schemas/reports.ts';

import { search, type FilterState } from '../filters/filters.ts';

/** Address of the page of one message. Ids of Meta's have characters that mean something in an address. */
export function messageAddress(
  { phone_number_id, message_id }: Pick<MessageRow, 'phone_number_id' | 'message_id'>,
  filters: FilterState,
): string {
  const path = resolve('/messages/[phone_number_id]/[message_id]', {
    phone_number_id: encodeURIComponent(phone_number_id),
    message_id: encodeURIComponent(message_id),
  });
  return `${path}${search(filters)}`;
}
