import type { SavedTrigger } from '@ctwa-ledger/schemas/triggers.ts';
import type { Database } from '../clickhouse/database.ts';
import { underLease, type Lease } from '../clickhouse/lease.ts';
import { Deliveries, type DeliveryParts } from './delivery.ts';
import { Firings } from './firing.ts';
import { latestOf, readHistories, type History } from './register.ts';

const LEASE = 'triggers';
/** How often to ask whether there is a trigger, while there is none. */
const IDLE_MS = 2_000;
/** How often to look for messages that other processes landed. */
const LOOK_EVERY_MS = 1_000;
/** Batches in quick succession are examined together. */
const LINGER_MS = 50;

/**
 * Fires triggers and delivers firings in the background of a long-running process. Of several such processes one does
 * it; when it ends, another continues.
 */
export class TriggerKeeper {
  readonly #database: Database;
  readonly #parts: DeliveryParts;
  readonly #onError: (error: unknown) => void;
  readonly #done: Promise<void>;
  #isStopping = false;
  #wake: () => void = () => undefined;
  #isNudged = false;
  #hasChanged = false;

  constructor(database: Database, parts: DeliveryParts, onError: (error: unknown) => void) {
    this.#database = database;
    this.#parts = parts;
    this.#onError = onError;
    this.#done = this.#run();
  }

  /** Called when something has landed. */
  nudge(): void {
    this.#isNudged = true;
    this.#wake();
  }

  /** Called when triggers changed, or a delivery should be tried again. */
  changed(): void {
    this.#hasChanged = true;
    this.nudge();
  }

  async #pause(milliseconds: number): Promise<void> {
    if (this.#isStopping || this.#isNudged) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      this.#hasChanged = false;
      try {
        if ((await readHistories(this.#database)).size > 0)
          await underLease(this.#database, LEASE, (lease) => this.#keep(lease));
      } catch (error) {
        this.#onError(error);
      }
      await this.#rest();
    }
  }

  /**
   * Waits without being woken by new batches: without a trigger, or while another process fires, there is nothing to
   * do.
   */
  async #rest(): Promise<void> {
    const until = performance.now() + IDLE_MS;
    while (!this.#isStopping && !this.#hasChanged && performance.now() < until) {
      this.#isNudged = false;
      await this.#pause(until - performance.now());
    }
  }

  /** Works until there is no trigger and nothing to deliver, the lease is lost, or the process stops. */
  async #keep(lease: Lease): Promise<void> {
    const firings = new Firings(this.#database);
    const deliveries = new Deliveries(this.#database, this.#parts);
    try {
      await deliveries.recall();
      while (!this.#isStopping && (await lease.holds())) {
        this.#isNudged = false;
        const histories = await readHistories(this.#database);
        const triggers = new Map([...histories].map(([id, history]) => [id, latestOf(history)]));
        if (!deliveries.isWaiting && ![...triggers.values()].some(({ state }) => state !== 'deleted')) break;
        await this.#look(firings, deliveries, [...histories.values()], triggers);
        await this.#pause(Math.min(LOOK_EVERY_MS, Math.max(LINGER_MS, deliveries.dueIn)));
        if (this.#isNudged) await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
      }
    } finally {
      await deliveries.stop();
    }
  }

  async #look(
    firings: Firings,
    deliveries: Deliveries,
    histories: readonly History[],
    triggers: ReadonlyMap<string, SavedTrigger>,
  ): Promise<void> {
    await deliveries.takeOrders();
    deliveries.begin(triggers);
    for (;;) {
      const fired = await firings.ofArrivals(histories);
      if (fired === null || this.#isStopping) break;
      deliveries.take(fired);
      deliveries.begin(triggers);
    }
    deliveries.take(await firings.ofDeadlines(histories, Date.now()));
    deliveries.begin(triggers);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#wake();
    await this.#done;
  }
}
