import { crc32 } from 'node:zlib';
import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { ThreadKey } from './thread-key.ts';

/** Hash of a thread. Two threads may share a hash, so equal hashes are compared by their keys. */
export function keyOfThread(thread: ThreadKey): number {
  return crc32(`t${thread.phone_number_id}\0${thread.customer}\0${thread.nameless_id}`);
}

/** Hash of a message. */
export function keyOfMessage(message: Pick<LedgerEvent, 'phone_number_id' | 'id'>): number {
  return crc32(`m${message.phone_number_id}\0${message.id}`);
}

/**
 * The same hashes of all that the ledger holds: threads, messages, and the threads of names that events give their
 * customers besides the one that they are landed under. A thread without a customer is known by its message. A message has
 * its hash once for each of its events, one after the other: leaving out copies here takes longer than reading them.
 */
export const STORED_KEYS = `
SELECT CRC32(concat('m', phone_number_id, char(0), id)) AS key FROM events
UNION ALL
SELECT CRC32(concat('t', phone_number_id, char(0), customer, char(0))) AS key
FROM (SELECT DISTINCT phone_number_id, customer FROM events WHERE customer != '')
UNION ALL
SELECT CRC32(concat('t', phone_number_id, char(0), name, char(0))) AS key
FROM (SELECT DISTINCT phone_number_id, name FROM message_names WHERE name != '' AND name != customer)
SETTINGS max_threads = 1`;

/** About how many different hashes these are: `message_names` has a row for each message and each name of a customer. */
export const STORED_COUNT = 'SELECT count() AS keys FROM message_names';

/**
 * The keys under which `message_names` and `touched` note an event, as an array: that of its message, and those of the names
 * that it gives its customer (sql/0060_names_by_thread.sql).
 */
export const NOTED_KEYS = `arrayPushFront(if(group_id != '' OR customer = '', [],
    arrayMap(part -> sipHash64('name', phone_number_id, part), arrayFilter(part -> part != '', arrayDistinct(arrayConcat(
        [customer, user_id, parent_user_id], arrayMap(part -> part.2, JSONExtractKeysAndValues(identity_change, 'String'))))))),
    sipHash64(phone_number_id, id))`;

/** The hashes of all threads with a customer that share messages or names with others. */
export const LINKED_KEYS = `
SELECT DISTINCT CRC32(concat('t', phone_number_id, char(0), customer, char(0))) AS key
FROM thread_links WHERE customer != ''
SETTINGS max_threads = 1`;

/** At most so many. */
export const LINKED_COUNT = 'SELECT count() AS keys FROM thread_links';
