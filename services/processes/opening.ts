import { setTimeout as pause } from 'node:timers/promises';
import { ActionableError, LedgerNotThereError } from '../clickhouse/errors.ts';

const LOOK_EVERY_MS = 2_000;

/**
 * Opens something that needs a ledger which other processes make, and tries again until it succeeds. A process that
 * only reads must not end and be restarted meanwhile.
 */
export class Opening<T extends { readonly close: () => Promise<void> }> {
  readonly #stopping = new AbortController();
  #waitingFor = 'The ledger is being opened.';
  #opened: T | null = null;
  /** Resolves when it is open, or was stopped before. */
  readonly over: Promise<void>;

  /**
   * @param open opens it, and closes everything when it fails
   * @param onWaiting called once for each new reason
   */
  constructor(open: () => Promise<T>, onWaiting: (reason: string) => void) {
    this.over = this.#open(open, onWaiting);
  }

  /** What was opened; null when it is not open yet. */
  get opened(): T | null {
    return this.#opened;
  }

  /** Why it is not open yet; null when it is. */
  get waitingFor(): string | null {
    return this.#opened === null ? this.#waitingFor : null;
  }

  /** @throws LedgerNotThereError with the reason for waiting */
  demand(): T {
    if (this.#opened === null) throw new LedgerNotThereError(this.#waitingFor);
    return this.#opened;
  }

  async #open(open: () => Promise<T>, onWaiting: (reason: string) => void): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        this.#opened = await open();
        return;
      } catch (error) {
        const reason =
          error instanceof ActionableError
            ? error.message
            : error instanceof Error
              ? (error.stack ?? '')
              : String(error);
        if (reason !== this.#waitingFor) onWaiting(reason);
        this.#waitingFor = reason;
      }
      await pause(LOOK_EVERY_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
  }

  /** Stops waiting, and closes what is open. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.over;
    await this.#opened?.close();
  }
}
