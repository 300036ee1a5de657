import { setTimeout as pause } from 'node:timers/promises';
import { writtenUpTo } from '../clickhouse/table-state.ts';
import type { Database } from '../clickhouse/database.ts';
import { underLease, type Lease } from '../clickhouse/lease.ts';
import type { Departure } from './departures.ts';
import { lookAtMonths, seenBefore } from './months.ts';
import { tellDepartures, type ToldWebhook } from './telling.ts';

const LEASE = 'drift';
/** Imports and late events are noticed after so long at most. */
const LOOK_EVERY_MS = 60_000;
/** Pause after a look, as a multiple of its duration, so that the engine has time for others. */
const REST = 9;
/** Tables whose state is cheap to read and shows whether a month may have changed. */
const WATCHED = ['charge_days', 'meta_imports', 'rate_cards', 'configuration', 'accounts'] as const;

export interface DriftObserver {
  readonly onDeparture: (departure: Departure) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Holds months against Meta's numbers in the background of a long-running process, and raises an alarm when a day
 * departs. Of several such processes one does it; when it ends, another continues.
 */
export class DriftWatch {
  readonly #database: Database;
  readonly #webhook: ToldWebhook | null;
  readonly #observer: DriftObserver;
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;

  /** @param webhook the address to tell; null = none, departures are noted all the same */
  constructor(database: Database, webhook: ToldWebhook | null, observer: DriftObserver) {
    this.#database = database;
    this.#webhook = webhook;
    this.#observer = observer;
    this.#done = this.#run();
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #pause(milliseconds: number): Promise<void> {
    await pause(milliseconds, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      try {
        await underLease(this.#database, LEASE, (lease) => this.#keep(lease));
      } catch (error) {
        if (!this.#isStopping) this.#observer.onError(error);
      }
      await this.#pause(LOOK_EVERY_MS);
    }
  }

  /** Looks until the lease is lost or the process stops. */
  async #keep(lease: Lease): Promise<void> {
    const seen = await seenBefore(this.#database);
    let written = '';
    let lookAt = 0;
    while (!this.#isStopping && (await lease.holds())) {
      if (performance.now() >= lookAt) {
        const began = performance.now();
        const now = await writtenUpTo(this.#database, WATCHED);
        if (now !== written) {
          const noted = await lookAtMonths(this.#database, seen, Date.now(), () => this.#isStopping);
          written = now;
          for (const departure of noted) this.#observer.onDeparture(departure);
        }
        lookAt = performance.now() + Math.max(LOOK_EVERY_MS, (performance.now() - began) * REST);
      }
      const due =
        this.#webhook === null
          ? Infinity
          : await tellDepartures(this.#database, this.#webhook, Date.now(), this.#stopping.signal);
      const rest = Math.min(lookAt - performance.now(), Math.max(0, due - Date.now()), LOOK_EVERY_MS);
      await this.#pause(Math.max(rest, 0));
    }
  }

  /** Resolves when the current look has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }
}
