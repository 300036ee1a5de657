import { createHash } from 'node:crypto';
import type { IHeaders, KafkaMessage } from 'kafkajs';
import { canonicalEvent, type LedgerEvent, type Rejection } from '@ctwa-ledger/schemas/event.ts';
import type { DeadLetter } from '../ledger/events/dead-letters.ts';
import type { EmittedMark } from '../ledger/marks/marks.ts';
import { unreadableBecause } from './codecs.ts';
import type { OutgoingRecord } from './record-producer.ts';
import type { TopicNames } from './topics.ts';

/** An event as a record of its topic, with its thread as the key (contract.md 1). */
export function eventRecord(event: LedgerEvent, names: TopicNames): OutgoingRecord {
  return {
    topic: event.event === 'message' ? names.messages : names.statuses,
    key: `${event.phone_number_id}:${event.customer}`,
    value: canonicalEvent(event),
  };
}

/**
 * A record with the unchanged bytes of a value that could not be used. Its origin and the reason are in the headers.
 */
export function deadLetterRecord(letter: DeadLetter, firstSeenMs: number, names: TopicNames): OutgoingRecord {
  const hash = createHash('sha256').update(letter.raw).digest('hex').slice(0, 16);
  return {
    topic: names.deadLetter,
    // Unique for each letter: a compacted topic refuses a record without a key, and keeps one of those with the same
    // key.
    key: `${letter.source}:${letter.partition}:${letter.position}:${hash}`,
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
const MAX_PARTITION = 2 ** 31 - 1;
const REASON_CODE = /^[a-z0-9_]{1,60}$/;
/** Longer than any path or topic. */
const MAX_SOURCE_CHARS = 4_096;
const MAX_MESSAGE_CHARS = 4_096;
/** Kafka's first release: no letter can be older. */
const EARLIEST_MS = Date.UTC(2011, 0, 1);
const DAY_MS = 24 * 60 * 60 * 1000;

function wholeNumber(text: string | null, most: number): number | null {
  if (text === null || !WHOLE_NUMBER.test(text)) return null;
  const value = Number(text);
  return value <= most ? value : null;
}

/**
 * Reads a record of the dead-letter topic; null when its headers are not those of `deadLetterRecord`. Anybody may write
 * to the topic: a number that does not fit its column makes it no letter, and an impossible time is replaced by now.
 */
export function letterOf(
  record: { readonly value: Buffer | null; readonly headers?: IHeaders | undefined },
  nowMs: number,
): { readonly letter: DeadLetter; readonly firstSeenMs: number } | null {
  const source = text(record.headers, 'source_topic');
  const partition = wholeNumber(text(record.headers, 'partition'), MAX_PARTITION);
  const position = wholeNumber(text(record.headers, 'offset'), Number.MAX_SAFE_INTEGER);
  const code = text(record.headers, 'reason_code');
  const message = text(record.headers, 'message');
  const firstSeenMs = Date.parse(text(record.headers, 'first_seen') ?? '');
  if (source === null || source.length > MAX_SOURCE_CHARS || message === null) return null;
  if (code === null || !REASON_CODE.test(code) || partition === null || position === null) return null;
  const isPossible = firstSeenMs >= EARLIEST_MS && firstSeenMs <= nowMs + DAY_MS;
  return {
    firstSeenMs: isPossible ? firstSeenMs : nowMs,
    letter: {
      source,
      partition,
      position,
      code: code as Rejection['code'],
      message: message.slice(0, MAX_MESSAGE_CHARS),
      raw: record.value ?? Buffer.alloc(0),
    },
  };
}

/** Why a record cannot hold events, whatever its value: it has no value, or could not be unpacked. Null when it may. */
export function rejectionOfRecord(record: Pick<KafkaMessage, 'headers' | 'value'>): Rejection | null {
  const unreadable = unreadableBecause(record);
  if (unreadable !== null) return { code: 'unreadable_batch', message: unreadable };
  if (record.value !== null) return null;
  const message = 'The record has no value (a tombstone), so it holds no event. Send events only.';
  return { code: 'tombstone', message };
}

/** The provider log's name for the origin of a message, by Meta's `source_type`. */
const ORIGINS: ReadonlyMap<string, string> = new Map([
  ['ad', 'click_to_whatsapp_ad'],
  ['post', 'facebook_page_call_to_action'],
]);

const ONLY_DIGITS = /^\d+$/;

/** The provider log's form of a customer: a phone number with its plus, or the business-scoped user id. */
function customerOf(customer: string): Readonly<Record<string, string>> | undefined {
  if (customer === '') return undefined;
  return ONLY_DIGITS.test(customer) ? { wa_id: `+${customer}` } : { user_id: customer };
}

/**
 * A group message has a record for each participant, with the participant in this field; other messages have no such
 * field.
 */
function participantOf(participant: string): { readonly participant?: string } {
  return participant === '' ? {} : { participant };
}

/**
 * A mark in the shape of the provider log (contract.md 1): what inboxes need for the badge and the countdown. It has no
 * amounts, because one late event can move the tiers of a whole month. A higher version of a message replaces a lower
 * one; of a group message, for each participant.
 */
export function billingRecord(emitted: EmittedMark, names: TopicNames): OutgoingRecord {
  if (emitted.kind === 'retraction') {
    const { phone_number_id, id, customer, participant } = emitted.retraction;
    const value = {
      event: 'message',
      message_id: id,
      phone_number_id,
      ...participantOf(participant),
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
    ...participantOf(mark.participant),
    conversation: isFreeEntry
      ? {
          type: 'FREE_ENTRY',
          origin: mark.window === null ? undefined : (ORIGINS.get(mark.window.source_type) ?? mark.window.source_type),
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
