import { createHash } from 'node:crypto';
import { canonicalEvent, namesOfCustomer, type LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import { z } from 'zod';
import type { Database } from '../../clickhouse/database.ts';
import { ActionableError } from '../../clickhouse/errors.ts';
import { isLeaseHeld } from '../../clickhouse/lease.ts';
import { givenTuples } from '../../clickhouse/sql.ts';
import { keyOfMessage } from './keys.ts';

/** The lease under which events are removed by age. */
export const REMOVING = 'retention';

/** What begins the id of an event that keeps the names of a customer whose events were removed. */
export const KEEPS_NAMES = 'events_removed:';

/** Removals of which it is decided what goes. */
export const DECIDED_REMOVALS = 'SELECT removal_id FROM removals FINAL WHERE removals.version >= 2';

/**
 * Refuses to write while events are being removed, or were removed half-way.
 * @throws ActionableError that says what to do
 */
export async function checkNobodyRemoves(database: Database): Promise<void> {
  if (await isLeaseHeld(database, REMOVING))
    throw new ActionableError(
      'Old events are being removed from this ledger, and nobody may write meanwhile. Start this again when that is done.',
    );
  const [left] = await database.query(
    z.object({ n: z.coerce.number() }),
    'SELECT count() AS n FROM removals FINAL WHERE ended_at IS NULL',
  );
  if (left !== undefined && left.n > 0)
    throw new ActionableError(
      'The removal of old events was interrupted. Finish it first: ctwa-ledger retention run --finish',
    );
}

/** A key by which an event is recognised when it comes again: no two events are likely to have the same. */
export function keyOfEvent(event: LedgerEvent): string {
  return createHash('sha256').update(canonicalEvent(event)).digest().readBigUInt64BE().toString();
}

/** What an event is to threads whose events were removed. */
export type Standing =
  /** Of none of them, or so much later that nothing of what was removed can matter to it. */
  | 'other'
  /** One of those that were removed. */
  | 'removed'
  /** Of one of their messages, or of their time, and was not there. */
  | 'late';

const keyRow = z.object({ key: z.string() });
const numberRow = z.object({ phone_number_id: z.string(), message_id: z.string() });
const asideRow = z.object({ phone_number_id: z.string(), name: z.string(), aside: z.number(), removed_on: z.string() });

/** A set of 32-bit keys in which few others than those added are found: one bit of each key's low 26 bits. */
class ShortKeys {
  readonly #bits = new Uint8Array(1 << 23);

  add(key: number): void {
    const bit = key & 0x3ff_ffff;
    this.#bits[bit >>> 3] = (this.#bits[bit >>> 3] ?? 0) | (1 << (bit & 7));
  }

  has(key: number): boolean {
    const bit = key & 0x3ff_ffff;
    return (((this.#bits[bit >>> 3] ?? 0) >>> (bit & 7)) & 1) === 1;
  }
}

/**
 * Recognises events of threads whose events were removed by age. Their marks stay as they are, so nothing of their
 * time may be folded without the events that it was folded with.
 */
export class RemovedEvents {
  readonly #database: Database;
  readonly #messages: ShortKeys;
  /** What is not older is of no removed thread; Unix seconds. */
  readonly #asideUntil: number;

  private constructor(database: Database, messages: ShortKeys, asideUntil: number) {
    this.#database = database;
    this.#messages = messages;
    this.#asideUntil = asideUntil;
  }

  /** Those of a ledger; null when none were removed. */
  static async read(database: Database): Promise<RemovedEvents | null> {
    const [until] = await database.query(
      z.object({ until: z.number() }),
      'SELECT toUnixTimestamp(max(aside_until)) AS until FROM removals FINAL WHERE removals.version >= 2 AND threads > 0',
    );
    if (until === undefined || until.until === 0) return null;
    const messages = new ShortKeys();
    const blocks = database.streamBlocks(
      `SELECT short FROM removed_keys WHERE what = 'message' AND removal_id IN (${DECIDED_REMOVALS})`,
    );
    for await (const block of blocks) {
      const short = block.number('short');
      for (let row = 0; row < block.rows; row++) messages.add(short.at(row));
    }
    return new RemovedEvents(database, messages, until.until);
  }

  /** Whether the ledger is to be asked what an event is. Nearly no live traffic is. */
  mayConcern(event: LedgerEvent): boolean {
    return event.timestamp < this.#asideUntil || this.#messages.has(keyOfMessage(event));
  }

  /**
   * What some events are.
   * @param events each as it came, and as it would be landed: without the names of erased customers
   * @returns of each its standing, in their order, with the day on which the events of its thread were removed
   */
  async standings(
    events: readonly { readonly given: LedgerEvent; readonly event: LedgerEvent }[],
  ): Promise<{ readonly standing: Standing; readonly on: string }[]> {
    const both = events.flatMap(({ given, event }) => (given === event ? [event] : [given, event]));
    const [messages, names, known] = await Promise.all([
      this.#removedMessages(both),
      this.#removedNames(events.map(({ event }) => event)),
      this.#removedKeys(both),
    ]);
    const isRemovedMessage = (event: LedgerEvent): boolean => messages.has(textOf(event.phone_number_id, event.id));
    return events.map(({ given, event }) => {
      const removals = namesOf(event).flatMap((name) => names.get(textOf(event.phone_number_id, name)) ?? []);
      const isOfTheirTime = removals.some(({ until }) => event.timestamp < until);
      if (!isOfTheirTime && !isRemovedMessage(given) && !isRemovedMessage(event)) return { standing: 'other', on: '' };
      const on = removals[0]?.on ?? '';
      const isKnown = known.has(keyOfEvent(given)) || known.has(keyOfEvent(event));
      return { standing: isKnown ? 'removed' : 'late', on };
    });
  }

  async #removedMessages(events: readonly LedgerEvent[]): Promise<ReadonlySet<string>> {
    const asked = new Map(events.map((event) => [textOf(event.phone_number_id, event.id), event]));
    const rows = await this.#database.query(
      numberRow,
      `SELECT asked.1 AS phone_number_id, asked.2 AS message_id FROM (${givenTuples({ numbers: 'String', ids: 'String' }, 'asked')})
       WHERE sipHash64(asked.1, asked.2) IN
         (SELECT key FROM removed_keys WHERE what = 'message' AND removal_id IN (${DECIDED_REMOVALS})
            AND key IN (SELECT sipHash64(given.1, given.2) FROM (${givenTuples({ numbers: 'String', ids: 'String' }, 'given')})))`,
      {
        numbers: [...asked.values()].map(({ phone_number_id }) => phone_number_id),
        ids: [...asked.values()].map(({ id }) => id),
      },
    );
    return new Set(rows.map(({ phone_number_id, message_id }) => textOf(phone_number_id, message_id)));
  }

  /** By number and name, until when events are put aside that call a customer so, and the day of the removal. */
  async #removedNames(
    events: readonly LedgerEvent[],
  ): Promise<ReadonlyMap<string, { readonly until: number; readonly on: string }>> {
    const asked = new Map<string, { readonly number: string; readonly name: string }>();
    for (const event of events)
      for (const name of namesOf(event))
        asked.set(textOf(event.phone_number_id, name), { number: event.phone_number_id, name });
    const rows = await this.#database.query(
      asideRow,
      // A name that no event is landed under is noted with the threads that give it.
      `WITH asked AS (${givenTuples({ numbers: 'String', names: 'String' })}),
       bearers AS
       (
         SELECT phone_number_id, customer, name FROM message_names
         WHERE message_key IN (SELECT arrayJoin(arrayMap((number, name) -> sipHash64('name', number, name), {numbers:Array(String)}, {names:Array(String)})))
         UNION DISTINCT SELECT phone_number_id, customer, customer FROM removed_threads
         WHERE (phone_number_id, customer) IN asked
       )
       SELECT toString(bearers.phone_number_id) AS phone_number_id, bearers.name AS name,
         toUnixTimestamp(max(removals.aside_until)) AS aside, toString(toDate(max(removals.began_at))) AS removed_on
       FROM bearers
       INNER JOIN (SELECT phone_number_id, customer, removal_id FROM removed_threads WHERE customer != '') AS removed
         ON bearers.phone_number_id = removed.phone_number_id AND bearers.customer = removed.customer
       INNER JOIN (SELECT removal_id, aside_until, began_at FROM removals FINAL WHERE removals.version >= 2) AS removals
         ON removed.removal_id = removals.removal_id
       GROUP BY phone_number_id, name`,
      {
        numbers: [...asked.values()].map(({ number }) => number),
        names: [...asked.values()].map(({ name }) => name),
      },
    );
    return new Map(
      rows.map(({ phone_number_id, name, aside, removed_on }) => [
        textOf(phone_number_id, name),
        { until: aside, on: removed_on },
      ]),
    );
  }

  async #removedKeys(events: readonly LedgerEvent[]): Promise<ReadonlySet<string>> {
    const rows = await this.#database.query(
      keyRow,
      `SELECT DISTINCT toString(key) AS key FROM removed_keys
       WHERE what = 'event' AND removal_id IN (${DECIDED_REMOVALS})
         AND removed_keys.key IN (SELECT toUInt64(arrayJoin({keys:Array(String)})))`,
      { keys: events.map(keyOfEvent) },
    );
    return new Set(rows.map(({ key }) => key));
  }
}

function textOf(number: string, text: string): string {
  return `${number}\0${text}`;
}

/** The names by which the thread of an event may be removed: of a group the group. */
function namesOf(event: LedgerEvent): readonly string[] {
  if (event.customer === '') return [];
  return event.group_id === '' ? namesOfCustomer(event) : [event.customer];
}
