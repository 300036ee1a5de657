import type { Database } from '../clickhouse/database.ts';
import { stateOf } from '../clickhouse/table-state.ts';

/** Results kept at once; each is of one month of an account. */
const MAX_RESULTS = 64;

/**
 * Remembers results that take long to make of what was read, until one of their tables is written. Answers of single
 * statements are remembered too, by `Memory`.
 */
export class Remembered {
  readonly #results = new Map<string, { readonly state: string; readonly result: Promise<unknown> }>();

  /**
   * @param tables those that the result depends on
   * @param make may depend only on the ledger and on what `key` says
   */
  async ask<T>(database: Database, key: string, tables: readonly string[], make: () => Promise<T>): Promise<T> {
    // Read before the result is made: if something is written in between, it is newer than this state, never older.
    const state = await stateOf(database, tables);
    const known = this.#results.get(key);
    if (known?.state === state) return known.result as Promise<T>;
    const result = make();
    this.#results.delete(key);
    this.#results.set(key, { state, result });
    for (const oldest of this.#results.keys()) {
      if (this.#results.size <= MAX_RESULTS) break;
      this.#results.delete(oldest);
    }
    result.catch(() => {
      if (this.#results.get(key)?.result === result) this.#results.delete(key);
    });
    return result;
  }
}
