import type { Database } from '../../clickhouse/database.ts';

/** Within this time the last answer is given again: each check writes to disk, which would be a load of its own. */
const KEPT_MS = 5_000;

/** Whether a ledger takes writes now. Reading still works on a full disk, so that only a write can tell. */
export class Readiness {
  readonly #database: Database;
  #asked: Promise<void> | null = null;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Writes a little, and waits until it is on disk as the events of a delivery would be. The answer is kept for a few
   * seconds.
   * @throws ActionableError with the reason when the ledger does not take it
   */
  check(): Promise<void> {
    this.#asked ??= this.#write();
    return this.#asked;
  }

  async #write(): Promise<void> {
    try {
      await this.#database.command("INSERT INTO readiness SELECT 'write', now64(3)");
    } finally {
      setTimeout(() => {
        this.#asked = null;
      }, KEPT_MS).unref();
    }
  }
}
