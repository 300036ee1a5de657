import { z } from 'zod';
import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Database } from './database.ts';
import { EVENT_SELECTION, eventOf } from './event-rows.ts';

/** A thread as it is stored: number and customer, or number and message where no customer is named. */
export interface ThreadKey {
  readonly phone_number_id: string;
  /** Empty for a message that nothing names a customer of; then `nameless_id` is the message id. */
  readonly customer: string;
  readonly nameless_id: string;
}

/** Events by thread, under `threadText`. */
export type EventsByThread = Map<string, readonly LedgerEvent[]>;

/** What is read of threads at once. */
export interface ThreadEvents {
  readonly byThread: EventsByThread;
  /** How many of the events the asking landing was the first to store. */
  readonly landed: number;
}

/** Rank of no landing, for readers that do not ask which events are theirs. */
const NO_RANK = 0n;

// Not ordered: putting rows together by thread is cheaper here than sorting them there.
const EVENTS_OF_NAMED = `
SELECT ${EVENT_SELECTION}, landing_rank = {rank:UInt64}
FROM events FINAL
WHERE (phone_number_id, customer) IN (SELECT arrayJoin(arrayZip({numbers:Array(String)}, {names:Array(String)})))
SETTINGS do_not_merge_across_partitions_select_final = 1`;

const EVENTS_OF_NAMELESS = `
SELECT ${EVENT_SELECTION}, landing_rank = {rank:UInt64}
FROM events FINAL
WHERE (phone_number_id, customer, id) IN
    (SELECT tupleElement(pair, 1), '', tupleElement(pair, 2)
     FROM (SELECT arrayJoin(arrayZip({numbers:Array(String)}, {names:Array(String)})) AS pair))
SETTINGS do_not_merge_across_partitions_select_final = 1`;

const linkRow = z.object({
  phone_number_id: z.string(),
  customer: z.string(),
  other_customer: z.string(),
  nameless_id: z.string(),
});

const LINKS_OF_NAMED = `
SELECT DISTINCT phone_number_id, customer, other_customer, nameless_id
FROM thread_links
WHERE (phone_number_id, customer) IN (SELECT arrayJoin(arrayZip({numbers:Array(String)}, {names:Array(String)})))`;

/** A thread's key as text; parts cannot run into each other. */
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

/**
 * All events that were landed under the given threads.
 * @param rank of the landing that asks
 */
export async function readThreads(
  database: Database,
  threads: readonly ThreadKey[],
  rank: bigint = NO_RANK,
): Promise<ThreadEvents> {
  const byThread = new Map<string, LedgerEvent[]>();
  let landed = 0;
  const read = async (sql: string, some: readonly ThreadKey[], name: (thread: ThreadKey) => string): Promise<void> => {
    if (some.length === 0) return;
    const parameters = {
      rank: rank.toString(),
      numbers: some.map((thread) => thread.phone_number_id),
      names: some.map(name),
    };
    for await (const rows of database.stream(sql, parameters))
      for (const row of rows) {
        const event = eventOf(row);
        if (row.at(-1) === 1) landed += 1;
        const key = threadText(landedUnder(event));
        const known = byThread.get(key);
        if (known === undefined) byThread.set(key, [event]);
        else known.push(event);
      }
  };
  await Promise.all([
    read(
      EVENTS_OF_NAMED,
      threads.filter((thread) => thread.customer !== ''),
      (thread) => thread.customer,
    ),
    read(
      EVENTS_OF_NAMELESS,
      threads.filter((thread) => thread.customer === ''),
      (thread) => thread.nameless_id,
    ),
  ]);
  return { byThread, landed };
}

/** Threads put together because they share messages: union-find over thread keys. */
class Components {
  readonly #parent = new Map<string, string>();

  find(key: string): string {
    let root = key;
    for (let next = this.#parent.get(root); next !== undefined && next !== root; next = this.#parent.get(root))
      root = next;
    this.#parent.set(key, root);
    return root;
  }

  join(a: string, b: string): void {
    this.#parent.set(this.find(a), this.find(b));
  }
}

/**
 * The events of threads and of all threads that they share messages with, however far that reaches, component by
 * component.
 * @param seeds named threads, or nameless ones that nothing links
 * @param known events that were read already; they are not read again
 */
export async function readComponents(
  database: Database,
  seeds: readonly ThreadKey[],
  known: EventsByThread = new Map(),
): Promise<LedgerEvent[][]> {
  const components = new Components();
  const threads = new Map<string, ThreadKey>();
  let frontier = [...seeds];
  while (frontier.length > 0) {
    for (const thread of frontier) threads.set(threadText(thread), thread);
    const named = frontier.filter((thread) => thread.customer !== '');
    const links =
      named.length === 0
        ? []
        : await database.query(linkRow, LINKS_OF_NAMED, {
            numbers: named.map((thread) => thread.phone_number_id),
            names: named.map((thread) => thread.customer),
          });
    const found = new Map<string, ThreadKey>();
    for (const { phone_number_id, customer, other_customer, nameless_id } of links) {
      const other: ThreadKey = { phone_number_id, customer: other_customer, nameless_id };
      const key = threadText(other);
      components.join(threadText({ phone_number_id, customer, nameless_id: '' }), key);
      if (!threads.has(key)) found.set(key, other);
    }
    frontier = [...found.values()];
  }
  const { byThread: missing } = await readThreads(
    database,
    [...threads.values()].filter((thread) => !known.has(threadText(thread))),
  );
  const byComponent = new Map<string, LedgerEvent[]>();
  for (const key of threads.keys()) {
    const events = known.get(key) ?? missing.get(key) ?? [];
    const component = components.find(key);
    const together = byComponent.get(component);
    if (together === undefined) byComponent.set(component, [...events]);
    else together.push(...events);
  }
  return [...byComponent.values()];
}
