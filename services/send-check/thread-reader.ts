import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Database } from '../clickhouse/database.ts';
import { landedUnder, threadText, type ThreadKey } from '../ledger/events/thread-key.ts';
import { readNames } from '../ledger/threads/links.ts';
import { readComponents, readThreadsQuickly } from '../ledger/threads/threads.ts';

/** Threads in one query, limited because folding them blocks the process. */
const MAX_THREADS = 500;

interface Waiting {
  readonly thread: ThreadKey;
  readonly resolve: (events: readonly LedgerEvent[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads threads for many callers: requests that arrive during a query are put together into the next one. It reads what
 * has landed, folded or not, so an answer includes a delivery at once.
 */
export class ThreadReader {
  readonly #database: Database;
  readonly #maxQuestions: number;
  #waiting: Waiting[] = [];
  #questions = 0;

  /** @param maxQuestions queries that run at the same time: the next one is collected meanwhile */
  constructor(database: Database, maxQuestions: number) {
    this.#database = database;
    this.#maxQuestions = maxQuestions;
  }

  /**
   * All events of a thread and of those that it shares messages or names with; none for a new thread. The thread may be
   * asked for by any name of its customer (rules.md F9).
   */
  read(thread: ThreadKey): Promise<readonly LedgerEvent[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ thread, resolve, reject });
      // Requests in the same turn of the event loop share one query.
      queueMicrotask(() => {
        this.#ask();
      });
    });
  }

  #ask(): void {
    if (this.#waiting.length === 0 || this.#questions >= this.#maxQuestions) return;
    const asked = this.#waiting.slice(0, MAX_THREADS);
    this.#waiting = this.#waiting.slice(MAX_THREADS);
    this.#questions += 1;
    this.#answer(asked)
      .catch((error: unknown) => {
        for (const { reject } of asked) reject(error);
      })
      .finally(() => {
        this.#questions -= 1;
        this.#ask();
      });
  }

  async #answer(asked: readonly Waiting[]): Promise<void> {
    const threads = new Map(asked.map(({ thread }) => [threadText(thread), thread]));
    const all = [...threads.values()];
    const read = await readThreadsQuickly(this.#database, all);
    const byThread = new Map(read.events);
    // Few threads are linked to others. Those are read again, together with the others.
    const linked = all.filter((thread) => read.linked.has(threadText(thread)));
    // A name that no event is landed under may be another name of a customer.
    const unknown = all.filter((thread) => thread.customer !== '' && !read.events.has(threadText(thread)));
    const bearers = await readNames(
      this.#database,
      unknown.map(({ phone_number_id, customer }) => ({ phone_number_id, kind: 'name', text: customer })),
    );
    const threadsOf = ({ phone_number_id }: ThreadKey, customers: readonly string[] = []): ThreadKey[] =>
      customers.map((customer) => ({ phone_number_id, customer, nameless_id: '' }));
    const seeds = [...linked, ...unknown.flatMap((thread, i) => threadsOf(thread, bearers[i]))];
    for (const component of seeds.length === 0 ? [] : await readComponents(this.#database, seeds))
      for (const event of component) byThread.set(threadText(landedUnder(event)), component);
    for (const [i, thread] of unknown.entries()) {
      const [bearer] = threadsOf(thread, bearers[i]);
      const events = bearer === undefined ? undefined : byThread.get(threadText(bearer));
      if (events !== undefined) byThread.set(threadText(thread), events);
    }
    for (const { thread, resolve } of asked) resolve(byThread.get(threadText(thread)) ?? []);
  }
}
