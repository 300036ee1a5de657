import type { Admin, Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { ConfigurationChangedError, LedgerAwayError, ActionableError } from '../clickhouse/errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { keepLostRecords, type LostRecords } from '../ledger/events/lost-records.ts';
import { brokerError, connectKafka, type KafkaSettings } from './connection.ts';
import { Consumption, type BatchReport } from './consumption.ts';
import { GroupMember } from './consumer.ts';
import { lagOf, standingsOf, type PartitionLag } from './lag.ts';
import { DeadLetterMirror } from './letters.ts';
import { RecordProducer } from './producer.ts';
import {
  checkSources,
  compactionWarning,
  ensureOutputs,
  topicNames,
  topicSettings,
  type TopicNames,
  type TopicSettings,
} from './topics.ts';

/** What is reported of the work, for metrics and logs. */
export interface ConsumerObserver {
  readonly onBatch: (report: BatchReport) => void;
  readonly onRebalance: () => void;
  readonly onLag: (lag: readonly PartitionLag[]) => void;
  /** Records are gone from Kafka that were never read. */
  readonly onLost: (lost: LostRecords) => void;
  readonly onFailure: (error: unknown) => void;
}

export interface ConsumerOptions {
  readonly kafka: KafkaSettings;
  readonly group: string;
  /** Forget the group's offsets first and read everything again. */
  readonly fromBeginning: boolean;
  readonly sessionTimeoutMs: number;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** How long a batch may take to be finished when the process is asked to stop; then it is left to the next reader. */
const GRACE_MS = 20_000;
const LAG_EVERY_MS = 5_000;
/** A loop that has not gone round for so long hangs. */
const ALIVE_MS = 60_000;

/**
 * The consumers (contract.md 2): reads both topics into the ledger until it is stopped. Whatever fails on the way, the
 * broker or ClickHouse being away included, ends this life of the member; the next one begins after a pause, from the
 * committed offsets, so nothing is lost and nothing is believed done that is not.
 */
export class ConsumerService {
  readonly #ledger: Ledger;
  readonly #options: ConsumerOptions;
  readonly #observer: ConsumerObserver;
  readonly #log: Logger;
  readonly #names: TopicNames;
  readonly #stopping = new AbortController();
  #why: string | null = 'The consumer has not joined its group yet.';
  #tickedAt = performance.now();
  #mustRewind: boolean;
  /** Whether it has ever read. Until then an error that trying again cannot mend is thrown, so that the command ends with it. */
  #hasRead = false;
  #done: Promise<void> | null = null;

  /** @param ledger opened for writing */
  constructor(ledger: Ledger, options: ConsumerOptions, observer: ConsumerObserver, log: Logger) {
    this.#ledger = ledger;
    this.#options = options;
    this.#observer = observer;
    this.#log = log;
    this.#names = topicNames(options.kafka.topicPrefix);
    this.#mustRewind = options.fromBeginning;
  }

  /** Why it cannot read and write now; null when it can. */
  get notReadyBecause(): string | null {
    return this.#why;
  }

  /** Whether its loop went round within the last minute. */
  get isAlive(): boolean {
    return performance.now() - this.#tickedAt < ALIVE_MS;
  }

  /**
   * Consumes until `stop`.
   * @throws ActionableError for what a person must mend first: credentials, topics, partition counts
   */
  run(): Promise<void> {
    this.#done ??= this.#supervise();
    return this.#done;
  }

  /** Finishes or abandons the batch under way, commits what is done, and leaves the group. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done?.catch(() => undefined);
  }

  async #supervise(): Promise<void> {
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

  /** One life: from the check of the topics until it is stopped or something fails. */
  async #live(onWorking: () => void): Promise<void> {
    const kafka = connectKafka(this.#options.kafka, this.#log);
    const admin = kafka.admin();
    const producer = new RecordProducer(kafka);
    const closing: (() => Promise<void>)[] = [() => admin.disconnect(), () => producer.close()];
    try {
      await admin.connect();
      await ensureOutputs(admin, this.#names, await checkSources(admin, this.#names));
      if (this.#mustRewind) await this.#rewind(admin);
      this.#mustRewind = false;
      await this.#consume(kafka, admin, producer, closing, onWorking);
    } finally {
      for (const close of closing.reverse()) await close().catch(() => undefined);
    }
  }

  async #consume(
    kafka: Kafka,
    admin: Admin,
    producer: RecordProducer,
    closing: (() => Promise<void>)[],
    onWorking: () => void,
  ): Promise<void> {
    const sources = [this.#names.messages, this.#names.statuses];
    const tick = (): void => {
      this.#tick();
    };
    const settings = await this.#settingsOf(admin, sources);
    let assigned: ReadonlyMap<string, readonly number[]> = new Map();
    const consumption: Consumption = new Consumption({
      ledger: this.#ledger,
      producer,
      names: this.#names,
      appendTimed: new Set(sources.filter((topic) => settings.get(topic)?.is_append_timed === true)),
      commit: (positions) => member.commit(positions),
      onBatch: (report) => {
        onWorking();
        this.#observer.onBatch(report);
        const { appended_at_ms: _, codes: _codes, refused: _refused, ...figures } = report;
        this.#log.debug(figures, 'batch');
      },
      onTick: tick,
      log: this.#log,
    });
    const member: GroupMember = new GroupMember(
      kafka,
      { group: this.#options.group, topics: sources, sessionTimeoutMs: this.#options.sessionTimeoutMs },
      {
        take: (fetched, heartbeat) => consumption.take(fetched, heartbeat),
        standings: (partitions) => standingsOf(admin, this.#options.group, partitions),
        onLost: (lost) => this.#keepLost(lost),
        onAssigned: (partitions) => {
          assigned = partitions;
          this.#why = null;
          this.#hasRead = true;
          this.#observer.onRebalance();
        },
        onTick: tick,
      },
      this.#log,
    );
    closing.push(() => member.stop());
    const mirror = new DeadLetterMirror(kafka, this.#options, this.#names.deadLetter, this.#ledger.database, this.#log);
    closing.push(() => mirror.stop());
    const mirrorEnded = new Promise<never>((_, reject) => {
      void mirror.start(reject).catch(reject);
    });
    mirrorEnded.catch(() => undefined);
    const lagTimer = setInterval(() => {
      lagOf(admin, this.#options.group, assigned).then(this.#observer.onLag, () => undefined);
    }, LAG_EVERY_MS);
    closing.push(() => Promise.resolve(clearInterval(lagTimer)));

    const stopped = new Promise<void>((resolve) => {
      if (this.#stopping.signal.aborted) resolve();
      else
        this.#stopping.signal.addEventListener(
          'abort',
          () => {
            resolve();
          },
          { once: true },
        );
    });
    const memberEnded = member.ended.then((error) => {
      throw error;
    });
    memberEnded.catch(() => undefined);
    const settled = consumption.run();
    settled.catch(() => undefined);
    let ending: Promise<unknown> | null = null;
    const grace = (): Promise<unknown> =>
      (ending ??= Promise.race([settled, new Promise((resolve) => setTimeout(resolve, GRACE_MS).unref())]));
    closing.push(async () => {
      // However this life ends, it does not go on beside the next one.
      consumption.abandon();
      await grace();
    });
    // What ends a life wakes whoever waits for the member to join, too.
    await Promise.race([member.start(), memberEnded, stopped]);
    await Promise.race([settled, memberEnded, mirrorEnded, stopped]);
    this.#why = 'The consumer is stopping.';
    member.pause();
    consumption.drain();
    await grace();
  }

  /** What the sources are configured to do; nothing is known of them where this user may not ask. */
  async #settingsOf(admin: Admin, sources: readonly string[]): Promise<ReadonlyMap<string, TopicSettings>> {
    let settings: ReadonlyMap<string, TopicSettings>;
    try {
      settings = await topicSettings(admin, sources);
    } catch (error) {
      this.#log.debug(
        { err: error },
        'the configuration of the topics cannot be read; times of records are not believed',
      );
      return new Map();
    }
    for (const [topic, { is_compacted }] of settings) if (is_compacted) this.#log.warn(compactionWarning(topic));
    return settings;
  }

  async #keepLost(lost: LostRecords): Promise<void> {
    await keepLostRecords(this.#ledger.database, lost);
    this.#log.error(
      { topic: lost.topic, partition: lost.partition, first_offset: lost.from.toString() },
      `${lost.to - lost.from} records of ${lost.topic}, partition ${lost.partition}, were deleted in Kafka before they were read. Kafka cannot give them back: ingest them from a file if you have one, and raise retention.ms of the topic.`,
    );
    this.#observer.onLost(lost);
  }

  /** Forgets the offsets of a group without members. A group that has members is joined at its offsets. */
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
