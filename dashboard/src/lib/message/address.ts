import { resolve } from '$app/paths';
import type { MessageRow } from '@ctwa-ledger/schemas/message.ts';

import { search, type FilterState } from '../filters/filters.ts';

type MessageKey = Pick<MessageRow, 'phone_number_id' | 'message_id'>;

/** The parts of the address of a message's page, encoded: Meta's ids have characters with a meaning in addresses. */
export function messageParts({ phone_number_id, message_id }: MessageKey): MessageKey {
  return { phone_number_id: encodeURIComponent(phone_number_id), message_id: encodeURIComponent(message_id) };
}

/**
 * End of the address of a message's page, and of the page that looks one up.
 * @param reveal asks for the customer's full number
 * @param participant_key the participant of a group message; empty = the first, or the only row of another message
 */
export function messageSearch(filters: FilterState, reveal: boolean, participant_key = ''): string {
  return search(filters, { reveal: reveal ? '1' : '', participant: participant_key });
}

/** Address of the page of one message. */
export function messageAddress(message: MessageKey, filters: FilterState, reveal: boolean): string {
  return `${resolve('/messages/[phone_number_id]/[message_id]', messageParts(message))}${messageSearch(filters, reveal)}`;
}
