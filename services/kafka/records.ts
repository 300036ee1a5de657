import type { IHeaders } from 'kafkajs';
import { canonicalEvent, type LedgerEvent, type Rejection } from '@ctwa-ledger/schemas/event.ts';
import type { DeadLetter } from '../ledger/dead-letters.ts';
import type { EmittedMark } from '../ledger/marks.ts';
import type { OutgoingRecord } from './producer.ts';
import type { TopicNames } from './topics.ts';

/** An event as a record of its topic: keyed by its thread (contract.md 1). */
export function eventRecord(event: LedgerEvent, names: TopicNames): OutgoingRecord {
  return {
    topic: event.event === 'message' ? names.messages : names.statuses,
    key: `${event.phone_number_id}:${event.customer}`,
    value: canonicalEvent(event),
  };
}

/** A value that could not be used, its bytes untouched, with where it came from and why in the headers. */
export function deadLetterRecord(letter: DeadLetter, firstSeenMs: number, names: TopicNames): OutgoingRecord {
  return {
    topic: names.deadLetter,
    key: null,
    value: letter.raw,
    headers: {
      source_topic: letter.source,
      partition: String(letter.partition),
      offset: String(letter.position),
      reason_code: letter.code,
      message: letter.message,
      first_seen: new Date(firstSeenMs).toISOString(),
    },
  };
}

function text(headers: IHeaders | undefined, name: string): string | null {
  const value = headers?.[name];
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? value.toString('utf8') : null;
}

const WHOLE_NUMBER = /^\d{1,16}$/;

/** A record of the dead-letter topic read back; null when its headers are not those of `deadLetterRecord`. */
export function letterOf(record: {
  readonly value: Buffer | null;
  readonly headers?: IHeaders | undefined;
}): { readonly letter: DeadLetter; readonly firstSeenMs: number } | null {
  const source = text(record.headers, 'source_topic');
  const partition = text(record.headers, 'partition');
  const position = text(record.headers, 'offset');
  const code = text(record.headers, 'reason_code');
  const message = text(record.headers, 'message');
  const firstSeenMs = Date.parse(text(record.headers, 'first_seen') ?? '');
  if (source === null || code === null || message === null || Number.isNaN(firstSeenMs)) return null;
  if (partition === null || position === null || !WHOLE_NUMBER.test(partition) || !WHOLE_NUMBER.test(position))
    return null;
  return {
    firstSeenMs,
    letter: {
      source,
      partition: Number(partition),
      position: Number(position),
      code: code as Rejection['code'],
      message,
      raw: record.value ?? Buffer.alloc(0),
    },
  };
}

/** What the provider's log calls the way in, by Meta's `source_type`. */
const ORIGINS: Readonly<Record<string, string>> = { ad: 'click_to_whatsapp_ad', post: 'facebook_page_call_to_action' };

const ONLY_DIGITS = /^\d+$/;

/** The provider log's customer: a phone number with its plus, or the business-scoped user id. */
function customerOf(customer: string): Readonly<Record<string, string>> | undefined {
  if (customer === '') return undefined;
  return ONLY_DIGITS.test(customer) ? { wa_id: `+${customer}` } : { user_id: customer };
}

/**
 * A mark in the provider log's shape (contract.md 1): what inboxes need for the badge and the countdown. No amounts: one
 * late event can move the tiers of a whole month. Higher versions of a message replace lower ones.
 */
export function billingRecord(emitted: EmittedMark, names: TopicNames): OutgoingRecord {
  if (emitted.kind === 'retraction') {
    const { phone_number_id, id, customer, participant } = emitted.retraction;
    const value = {
      event: 'message',
      message_id: id,
      phone_number_id,
      // Of a group message this participant's row alone stands no more.
      customer: customerOf(participant),
      billing: null,
      version: emitted.version,
    };
    return { topic: names.billing, key: `${phone_number_id}:${customer}`, value: JSON.stringify(value) };
  }
  const { mark, version, window_expires_at } = emitted;
  const isFreeEntry = mark.billing === 'FREE_ENTRY';
  const value = {
    event: 'message',
    message_id: mark.message_id,
    phone_number_id: mark.phone_number_id,
    conversation: isFreeEntry
      ? {
          type: 'FREE_ENTRY',
          origin: mark.window === null ? undefined : (ORIGINS[mark.window.source_type] ?? mark.window.source_type),
          expires_at:
            window_expires_at === null
              ? undefined
              : new Date(window_expires_at * 1000).toISOString().replace('.000Z', 'Z'),
        }
      : undefined,
    pricing: {
      category: isFreeEntry ? 'FREE_ENTRY' : mark.category.toUpperCase(),
      billable: mark.billing === 'BILLABLE',
    },
    customer: customerOf(mark.customer),
    billing: mark.billing,
    version,
  };
  return {
    topic: names.billing,
    key: `${mark.phone_number_id}:${mark.customer}`,
    value: JSON.stringify(value),
  };
}
