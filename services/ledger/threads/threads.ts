import { z } from 'zod';
import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Block } from '../../clickhouse/columns/reader.ts';
import type { Database, Parameters } from '../../clickhouse/database.ts';
import { EVENT_SELECTION, EventCells } from '../events/event-rows.ts';
import { landedUnder, threadText, type ThreadKey } from '../events/thread-key.ts';
import { givenRows, givenTuples } from '../../clickhouse/sql.ts';

/** Events by thread, under `threadText`. */
export type EventsByThread = Map<string, readonly LedgerEvent[]>;

/**
 * The condition that selects the rows of some threads. It asks for named or nameless threads only where there are any:
 * either condition alone uses the key of the table.
 */
export function ofThreads(threads: readonly ThreadKey[]): { readonly where: string; readonly parameters: Parameters } {
  const byName = threads.filter((thread) => thread.customer !== '');
  const nameless = threads.filter((thread) => thread.customer === '');
  const named = `(phone_number_id, customer) IN (${givenTuples({ numbers: 'String', customers: 'String' })})`;
  const unnamed = `(phone_number_id, customer, id) IN
    (SELECT given_number, '', given_id
     FROM (${givenRows({ given_number: ['nameless_numbers', 'String'], given_id: ['nameless_ids', 'String'] })}))`;
  const both = `${named} OR ${unnamed}`;
  return {
    where: nameless.length === 0 ? named : byName.length === 0 ? unnamed : both,
    parameters: {
      numbers: byName.map((thread) => thread.phone_number_id),
      customers: byName.map((thread) => thread.customer),
      nameless_numbers: nameless.map((thread) => thread.phone_number_id),
      nameless_ids: nameless.map((thread) => thread.nameless_id),
    },
  };
}

const linkRow = z.object({
  phone_number_id: z.string(),
  customer: z.string(),
  other_customer: z.string(),
  nameless_id: z.string(),
});

const LINKS_OF_NAMED = `
SELECT DISTINCT phone_number_id, customer, other_customer, nameless_id
FROM thread_links
WHERE (phone_number_id, customer) IN (${givenTuples({ numbers: 'String', names: 'String' })})`;

/** @param seen called for each row, with the thread that its event was landed under */
function addEvents(
  byThread: Map<string, LedgerEvent[]>,
  block: Block,
  seen: (thread: string, row: number) => void = () => undefined,
): void {
  const cells = new EventCells(block);
  for (let row = 0; row < block.rows; row++) {
    const event = cells.at(row);
    const key = threadText(landedUnder(event));
    seen(key, row);
    const known = byThread.get(key);
    if (known === undefined) byThread.set(key, [event]);
    else known.push(event);
  }
}

/** All events that were landed under the given threads. */
export async function readThreads(database: Database, threads: readonly ThreadKey[]): Promise<EventsByThread> {
  const byThread = new Map<string, LedgerEvent[]>();
  if (threads.length === 0) return byThread;
  const { where, parameters } = ofThreads(threads);
  // Not ordered: grouping rows by thread is cheaper here than sorting them in ClickHouse.
  const blocks = database.streamBlocks(
    `SELECT ${EVENT_SELECTION} FROM events FINAL WHERE ${where}
     SETTINGS do_not_merge_across_partitions_select_final = 1`,
    parameters,
  );
  for await (const block of blocks) addEvents(byThread, block);
  return byThread;
}

/** Threads as they are read while a request is answered. */
export interface QuicklyRead {
  /**
   * Some events come twice, which changes no fold. Merging the copies in ClickHouse would take a quarter of the time.
   */
  readonly events: EventsByThread;
  /**
   * Threads that share messages with others, under `threadText`. The others, which must be folded with them, are not
   * read.
   */
  readonly linked: ReadonlySet<string>;
}

/**
 * All events of few threads, and whether they are alone, in one question.
 * @param threads with a customer each
 */
export async function readThreadsQuickly(database: Database, threads: readonly ThreadKey[]): Promise<QuicklyRead> {
  const { where, parameters } = ofThreads(threads);
  const events = new Map<string, LedgerEvent[]>();
  const linked = new Set<string>();
  const blocks = database.streamBlocks(
    `SELECT ${EVENT_SELECTION},
        (phone_number_id, customer) IN (SELECT phone_number_id, customer FROM thread_links WHERE ${where}) AS is_linked
     FROM events WHERE ${where} SETTINGS max_threads = 1`,
    parameters,
  );
  for await (const block of blocks) {
    const isLinked = block.number('is_linked');
    addEvents(events, block, (thread, row) => {
      if (isLinked.at(row) === 1) linked.add(thread);
    });
  }
  return { events, linked };
}

/** Groups threads that share messages: union-find over thread keys. */
export class Components {
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
  const missing = await readThreads(
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
