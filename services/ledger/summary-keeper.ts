import type { Database } from './database.ts';
import { recomputeSummaries } from './summaries.ts';

/** At most this share of the time is spent on recomputing, so that live traffic keeps the engine. */
const DUTY = 0.2;
const SHORTEST_PAUSE_MS = 1_000;
/** Other processes soil cells too: look for them now and then. */
const LOOK_EVERY_MS = 5_000;

/** Recomputes summaries in the background of a long-running process, soon after rows changed. */
export class SummaryKeeper {
  readonly #database: Database;
  readonly #onError: (error: unknown) => void;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #pause = SHORTEST_PAUSE_MS;
  #stopped = false;

  constructor(database: Database, onError: (error: unknown) => void) {
    this.#database = database;
    this.#onError = onError;
  }

  /** Asks for a recomputation soon. */
  nudge(): void {
    this.#schedule(this.#pause, true);
  }

  #schedule(milliseconds: number, isSooner: boolean): void {
    if (this.#stopped || this.#running !== null) return;
    if (this.#timer !== null) {
      if (!isSooner) return;
      clearTimeout(this.#timer);
    }
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#running = this.#run();
    }, milliseconds);
  }

  async #run(): Promise<void> {
    const began = performance.now();
    let next = LOOK_EVERY_MS;
    try {
      const outcome = await recomputeSummaries(this.#database);
      this.#pause = Math.max(SHORTEST_PAUSE_MS, (performance.now() - began) * (1 / DUTY - 1));
      if (outcome === 'done') next = this.#pause;
    } catch (error) {
      this.#onError(error);
    }
    this.#running = null;
    this.#schedule(next, false);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#running;
  }
}
