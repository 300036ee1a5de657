import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';

/** A thread as it is stored: number and customer, or number and message where no customer is named. */
export interface ThreadKey {
  readonly phone_number_id: string;
  /** Empty for a message of which no event names a customer; then `nameless_id` is the message id. */
  readonly customer: string;
  readonly nameless_id: string;
}

/** A thread's key as text; different keys have different texts. */
export function threadText(thread: ThreadKey): string {
  return `${thread.phone_number_id}\u0000${thread.customer}\u0000${thread.nameless_id}`;
}

/** The thread that an event was landed under: by the customer that it names itself. */
export function landedUnder(event: LedgerEvent): ThreadKey {
  return {
    phone_number_id: event.phone_number_id,
    customer: event.customer,
    nameless_id: event.customer === '' ? event.id : '',
  };
}
