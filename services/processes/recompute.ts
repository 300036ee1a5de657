import type { Database } from '../clickhouse/database.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Recomputation } from '../ledger/derived/derived.ts';
import { recomputeSummaries } from '../ledger/derived/summaries.ts';
import { recomputeCharges } from '../rating/charges.ts';

const SHORTEST_PAUSE_MS = 250;
/**
 * Longest pauses between recomputations. Figures on screen are at most this, plus one recomputation, behind. One of charges takes
 * ten seconds on a ledger of ten million events: after a shorter pause it would take more than its share.
 */
const LONGEST_PAUSE_MS = { summaries: 10_000, charges: 60_000 } as const;
/** So long a backlog has the engine to itself at most: what it changes last would be recomputed again. */
const BACKLOG_WAIT_MS = 30_000;
/** Other processes also make dirt, so the tables are checked at this interval. */
const LOOK_EVERY_MS = 5_000;

/** Recomputes one thing in the background of a long-running process, soon after rows changed. */
class Keeper {
  readonly #recompute: () => Promise<Recomputation>;
  readonly #duty: number;
  readonly #longestPause: number;
  readonly #hasBacklog: () => boolean;
  readonly #onError: (error: unknown) => void;
  /** When the last recomputation ended, by `performance.now()`. */
  #endedAt = performance.now();
  #timer: NodeJS.Timeout | null = null;
  /** When the timer fires, by `performance.now()`. */
  #due = Infinity;
  #running: Promise<void> | null = null;
  /** Whether a recomputation was requested during one, which may have begun before the rows changed. */
  #isNudged = false;
  #pause = SHORTEST_PAUSE_MS;
  #stopped = false;

  /**
   * @param duty at most this share of the time is spent on it, so that the engine has time for live traffic
   * @param longestPause in milliseconds, even if more than that share is spent
   * @param hasBacklog whether the process is taking in a backlog, which goes first for a while
   */
  constructor(
    recompute: () => Promise<Recomputation>,
    duty: number,
    longestPause: number,
    hasBacklog: () => boolean,
    onError: (error: unknown) => void,
  ) {
    this.#recompute = recompute;
    this.#duty = duty;
    this.#longestPause = longestPause;
    this.#hasBacklog = hasBacklog;
    this.#onError = onError;
  }

  /** Requests a recomputation soon. */
  nudge(): void {
    if (this.#running === null) this.#schedule(this.#pause);
    else this.#isNudged = true;
  }

  /** Sets the timer, unless it fires sooner: under constant traffic it would otherwise be postponed for ever. */
  #schedule(milliseconds: number): void {
    const due = performance.now() + milliseconds;
    if (this.#stopped || this.#due <= due) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#due = Infinity;
      if (this.#hasBacklog() && performance.now() - this.#endedAt < BACKLOG_WAIT_MS) this.#schedule(SHORTEST_PAUSE_MS);
      else this.#running = this.#run();
    }, milliseconds);
  }

  async #run(): Promise<void> {
    const began = performance.now();
    this.#isNudged = false;
    let isMore = false;
    try {
      const outcome = await this.#recompute();
      const rest = (performance.now() - began) * (1 / this.#duty - 1);
      this.#pause = Math.min(Math.max(SHORTEST_PAUSE_MS, rest), this.#longestPause);
      isMore = outcome === 'done';
    } catch (error) {
      this.#onError(error);
    }
    this.#running = null;
    this.#endedAt = performance.now();
    this.#schedule(isMore || this.#isNudged ? this.#pause : LOOK_EVERY_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#running;
  }
}

/** Keeps up to date what is derived from marks while a process runs: summaries, and charges a little later. */
export class Keepers {
  readonly #database: Database;
  readonly #keepers: readonly Keeper[];

  /** @param ledger its summaries and charges are kept up to date */
  constructor(ledger: Pick<Ledger, 'database' | 'hasBacklog'>, onError: (what: string, error: unknown) => void) {
    const database = (this.#database = ledger.database.forBackground());
    const hasBacklog = (): boolean => ledger.hasBacklog;
    this.#keepers = [
      new Keeper(
        () => recomputeSummaries(database),
        0.2,
        LONGEST_PAUSE_MS.summaries,
        hasBacklog,
        (error) => {
          onError('Summaries could not be recomputed; it is tried again', error);
        },
      ),
      new Keeper(
        () => recomputeCharges(database),
        0.1,
        LONGEST_PAUSE_MS.charges,
        hasBacklog,
        (error) => {
          onError('Charges could not be recomputed; it is tried again', error);
        },
      ),
    ];
  }

  /** Requests recomputations soon. */
  nudge(): void {
    for (const keeper of this.#keepers) keeper.nudge();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#keepers.map((keeper) => keeper.stop()));
    await this.#database.close();
  }
}
