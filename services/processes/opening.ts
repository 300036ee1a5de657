import { setTimeout as pause } from 'node:timers/promises';
import { ActionableError, LedgerNotThereError } from '../clickhouse/errors.ts';

const LOOK_EVERY_MS = 2_000;

/**
 * Something that stands on a ledger which other processes make: tried again until it opens, because who only reads must
 * not end and begin again meanwhile.
 */
export class Opening<T extends { readonly close: () => Promise<void> }> {
  readonly #stopping = new AbortController();
  #waitingFor = 'The ledger is being opened.';
  #opened: T | null = null;
  /** Resolves when it is open, or stopped before it was. */
  readonly over: Promise<void>;

  /**
   * @param open opens it, and lets go of everything when it fails
   * @param onWaiting told once for each new reason
   */
  constructor(open: () => Promise<T>, onWaiting: (reason: string) => void) {
    this.over = this.#open(open, onWaiting);
  }

  /** What was opened; null when it is not there yet. */
  get opened(): T | null {
    return this.#opened;
  }

  /** Why it is not open yet; null when it is. */
  get waitingFor(): string | null {
    return this.#opened === null ? this.#waitingFor : null;
  }

  /** @throws LedgerNotThereError with what is waited for */
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

  /** Waits no longer, and closes what is open. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.over;
    await this.#opened?.close();
  }
}
