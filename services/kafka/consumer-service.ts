import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import type { Logger } from 'pino';
import { ActionableError, ConfigurationChangedError, LedgerAwayError } from '../clickhouse/errors.ts';
import type { LostRecords } from '../ledger/events/lost-records.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { brokerError } from './connection.ts';
import { ConsumerSession, type SessionOptions } from './consumer-session.ts';
import type { BatchReport } from './gathered-batch.ts';
import type { PartitionLag } from './lag.ts';

/** Receives what the consumer reports, for metrics and logs. */
export interface ConsumerObserver {
  readonly onBatch: (report: BatchReport) => void;
  readonly onRebalance: () => void;
  readonly onLag: (lag: readonly PartitionLag[]) => void;
  /** Called when records are gone from Kafka that were never read. */
  readonly onLost: (lost: LostRecords) => void;
  readonly onFailure: (error: unknown) => void;
}

export interface ConsumerOptions extends SessionOptions {
  /** Forget the group's offsets first and read everything again. */
  readonly fromBeginning: boolean;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** So long at most it waits until the threads that traffic is likely to touch are in memory. */
const READ_AHEAD_MS = 30_000;
/** A loop that did not run for so long hangs. */
const ALIVE_MS = 60_000;

/**
 * The consumers (contract.md 2): read both topics into the ledger until they are stopped. Any failure, also of the
 * broker or ClickHouse, ends the session. After a pause the next session starts from the committed offsets, so nothing
 * is lost, and nothing counts as done that is not.
 */
export class ConsumerService {
  readonly #ledger: Ledger;
  readonly #options: ConsumerOptions;
  readonly #observer: ConsumerObserver;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  #why: string | null = 'The consumer has not joined its group yet.';
  #tickedAt = performance.now();
  #mustRewind: boolean;
  /**
   * Whether it has ever read. Before that, an error that does not pass by trying again is thrown, so that the command
   * ends with it.
   */
  #hasRead = false;
  #done: Promise<void> | null = null;

  /** @param ledger opened for writing */
  constructor(ledger: Ledger, options: ConsumerOptions, observer: ConsumerObserver, log: Logger) {
    this.#ledger = ledger;
    this.#options = options;
    this.#observer = observer;
    this.#log = log;
    this.#mustRewind = options.fromBeginning;
  }

  /** Why it cannot read and write now; null when it can. */
  get notReadyBecause(): string | null {
    return this.#why;
  }

  /** Whether its loop ran within the last minute. */
  get isAlive(): boolean {
    return performance.now() - this.#tickedAt < ALIVE_MS;
  }

  /**
   * Consumes until `stop`.
   * @throws ActionableError when a person must act first: wrong credentials, topics or partition counts
   */
  run(): Promise<void> {
    this.#done ??= this.#supervise();
    return this.#done;
  }

  /** Finishes or abandons the current batch, commits what is done, and leaves the group. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done?.catch(() => undefined);
  }

  /**
   * Of a large ledger live traffic touches threads faster than they can be read one by one. What came meanwhile would be a
   * backlog, after which nothing is remembered.
   */
  async #readAhead(): Promise<void> {
    const joining = this.#why;
    this.#why = 'Conversations of the last days are being read; then the consumer joins its group.';
    const { signal } = this.#stopping;
    const enough = sleep(READ_AHEAD_MS, undefined, { signal, ref: false }).catch(() => undefined);
    await Promise.race([this.#ledger.readAhead(), enough]);
    this.#why = joining;
    this.#tick();
  }

  async #supervise(): Promise<void> {
    await this.#readAhead();
    let pause = FIRST_PAUSE_MS;
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#live(() => {
          pause = FIRST_PAUSE_MS;
        });
      } catch (thrown) {
        const error = brokerError(thrown, this.#options.kafka);
        this.#why = error instanceof Error ? error.message : String(error);
        if (!this.#hasRead && error instanceof ActionableError && !(error instanceof LedgerAwayError)) throw error;
        this.#observer.onFailure(error);
        this.#log.warn(
          { err: error, pause_ms: Math.round(pause) },
          'consuming was interrupted; it goes on after a pause',
        );
        if (error instanceof ConfigurationChangedError) await this.#ledger.takeOver().catch(() => undefined);
        await this.#sleep(pause * (0.5 + Math.random()));
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
  }

  #tick(): void {
    this.#tickedAt = performance.now();
  }

  async #sleep(milliseconds: number): Promise<void> {
    this.#tick();
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#stopping.signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      this.#stopping.signal.addEventListener('abort', end);
    });
    this.#tick();
  }

  /** One session: from the check of the topics until it is stopped or fails. */
  #live(onWorking: () => void): Promise<void> {
    const session = new ConsumerSession(
      this.#ledger,
      this.#options,
      {
        onTopicsChecked: async (admin) => {
          if (this.#mustRewind) await this.#rewind(admin);
          this.#mustRewind = false;
        },
        onAssigned: () => {
          this.#why = null;
          this.#hasRead = true;
          this.#observer.onRebalance();
        },
        onDraining: () => {
          this.#why = 'The consumer is stopping.';
        },
        onBatch: (report) => {
          onWorking();
          this.#observer.onBatch(report);
        },
        onLag: this.#observer.onLag,
        onLost: this.#observer.onLost,
        onTick: () => {
          this.#tick();
        },
      },
      this.#log,
    );
    return session.run(this.#stopping.signal);
  }

  /** Deletes the offsets of a group without members. A group with members is joined at its offsets. */
  async #rewind(admin: Admin): Promise<void> {
    const { group } = this.#options;
    const { groups } = await admin.describeGroups([group, `${group}-dead-letters`]);
    if (groups.some((known) => known.members.length > 0)) {
      this.#log.warn(
        { group },
        'the group has members, so it is joined where it is and not taken back to the beginning',
      );
      return;
    }
    const { groups: known } = await admin.listGroups();
    if (known.some(({ groupId }) => groupId === group)) await admin.deleteGroups([group]);
  }
}
