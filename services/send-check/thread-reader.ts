import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Database } from '../clickhouse/database.ts';
import { landedUnder, threadText, type ThreadKey } from '../ledger/events/thread-key.ts';
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

  /** All events of a thread and of those that it shares messages with; none for a new thread. */
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
    // Few threads share messages with others. Those are read again, together with the others.
    const linked = all.filter((thread) => read.linked.has(threadText(thread)));
    for (const component of linked.length === 0 ? [] : await readComponents(this.#database, linked))
      for (const event of component) byThread.set(threadText(landedUnder(event)), component);
    for (const { thread, resolve } of asked) resolve(byThread.get(threadText(thread)) ?? []);
  }
}
