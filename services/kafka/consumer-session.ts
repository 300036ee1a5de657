import type { Admin, Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { keepLostRecords, type LostRecords } from '../ledger/events/lost-records.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { connectKafka, type KafkaSettings } from './connection.ts';
import { Consumption, type ConsumptionParts } from './consumption.ts';
import { DeadLetterMirror } from './dead-letter-mirror.ts';
import type { BatchReport } from './gathered-batch.ts';
import { GroupMember } from './group-member.ts';
import { lagOf, standingsOf, type PartitionLag } from './lag.ts';
import { RecordProducer } from './record-producer.ts';
import {
  checkSources,
  compactionWarning,
  ensureOutputs,
  topicNames,
  topicSettings,
  type TopicNames,
  type TopicSettings,
} from './topics.ts';

export interface SessionOptions {
  readonly kafka: KafkaSettings;
  readonly group: string;
  readonly sessionTimeoutMs: number;
}

/** Receives what a session reports while it runs. */
export interface SessionObserver {
  /** The topics are correct; nothing was read yet. */
  readonly onTopicsChecked: (admin: Admin) => Promise<void>;
  /** Partitions were assigned, for the first time or again; it reads. */
  readonly onAssigned: () => void;
  /** It takes no more records, and finishes those that it has. */
  readonly onDraining: () => void;
  readonly onBatch: (report: BatchReport) => void;
  readonly onLag: (lag: readonly PartitionLag[]) => void;
  /** Records are gone from Kafka that were never read. */
  readonly onLost: (lost: LostRecords) => void;
  /** One of its loops ran. */
  readonly onTick: () => void;
}

/**
 * How long a batch may take to finish after the process was asked to stop. After that, the next reader gets its
 * records.
 */
const GRACE_MS = 20_000;
const LAG_EVERY_MS = 5_000;

/**
 * One life of a consumer in its group. It ends for good: the next life is another session, from the committed offsets.
 *
 * ```
 *        run
 *         ▼
 *   ┌ checking ┐  the broker answers; source topics are there, output topics are made
 *   │     ▼    │
 *   ├ joining  ├────────────────┐  in the group; no partition yet
 *   │     ▼    │                │
 *   │ reading ◀┐ given out anew │
 *   │   │ └────┘                │
 *   │   │ asked to stop         │ asked to stop
 *   │   ▼                       │
 *   │ draining ◀────────────────┘  nothing more is taken; what is gathered is finished and committed
 *   │   │
 *   ▼   ▼         from every state: the broker, the ledger or the mirror failed
 *   closing       the batch under way alone is finished, then all is let go
 *      ▼
 *   run resolves (was asked to stop), or throws (failed)
 * ```
 *
 * Draining and closing together wait for batches 20 seconds at most: what is not committed then is read again by whoever
 * has the partitions next. What is opened last is closed first, so a batch never outlives the member that commits it.
 */
export class ConsumerSession {
  readonly #ledger: Ledger;
  readonly #options: SessionOptions;
  readonly #observer: SessionObserver;
  readonly #log: Logger;
  readonly #names: TopicNames;
  readonly #kafka: Kafka;
  readonly #admin: Admin;
  readonly #producer: RecordProducer;
  /** Functions that close what was opened, in the order of opening. */
  readonly #closing: (() => Promise<void>)[] = [];
  #assigned: ReadonlyMap<string, readonly number[]> = new Map();

  /** @param ledger opened for writing */
  constructor(ledger: Ledger, options: SessionOptions, observer: SessionObserver, log: Logger) {
    this.#ledger = ledger;
    this.#options = options;
    this.#observer = observer;
    this.#log = log;
    this.#names = topicNames(options.kafka.topicPrefix);
    this.#kafka = connectKafka(options.kafka, log);
    this.#admin = this.#kafka.admin();
    this.#producer = new RecordProducer(this.#kafka);
  }

  /**
   * Reads both topics into the ledger until it is asked to stop.
   * @throws errors of the broker, the topics or the ledger; only what was committed counts as done
   */
  async run(stop: AbortSignal): Promise<void> {
    this.#closing.push(
      () => this.#admin.disconnect(),
      () => this.#producer.close(),
    );
    try {
      await this.#admin.connect();
      await ensureOutputs(this.#admin, this.#names, await checkSources(this.#admin, this.#names));
      await this.#observer.onTopicsChecked(this.#admin);
      await this.#read(stop);
    } finally {
      for (const close of this.#closing.reverse()) await close().catch(() => undefined);
    }
  }

  /** Joins, reads and drains. */
  async #read(stop: AbortSignal): Promise<void> {
    const sources = [this.#names.messages, this.#names.statuses];
    const settings = await this.#settingsOf(sources);
    const consumption: Consumption = this.#consumption(settings, (positions) => member.commit(positions));
    const member: GroupMember = this.#member(sources, consumption);
    this.#closing.push(() => member.stop());
    const mirrorFailed = this.#startMirror();
    this.#watchLag();

    const stopped = whenAborted(stop);
    const memberFailed = failing(member.ended);
    const finished = consumption.run();
    finished.catch(() => undefined);
    let ending: Promise<unknown> | null = null;
    const grace = (): Promise<unknown> =>
      (ending ??= Promise.race([finished, new Promise((resolve) => setTimeout(resolve, GRACE_MS).unref())]));
    this.#closing.push(async () => {
      // However this session ends, its consumption must not run beside the next one.
      consumption.abandon();
      await grace();
    });
    // The end of a session also ends the wait for the member to join.
    await Promise.race([member.start(), memberFailed, stopped]);
    await Promise.race([finished, memberFailed, mirrorFailed, stopped]);
    this.#observer.onDraining();
    member.pause();
    consumption.drain();
    await grace();
  }

  #consumption(settings: ReadonlyMap<string, TopicSettings>, commit: ConsumptionParts['commit']): Consumption {
    return new Consumption({
      ledger: this.#ledger,
      producer: this.#producer,
      names: this.#names,
      appendTimed: new Set([...settings].filter(([, { is_append_timed }]) => is_append_timed).map(([topic]) => topic)),
      commit,
      onBatch: (report) => {
        this.#observer.onBatch(report);
        const { appended_at_ms: _, codes: _codes, refused: _refused, ...figures } = report;
        this.#log.debug(figures, 'batch');
      },
      onTick: this.#observer.onTick,
      log: this.#log,
    });
  }

  #member(sources: readonly string[], consumption: Consumption): GroupMember {
    const { group, sessionTimeoutMs } = this.#options;
    return new GroupMember(
      this.#kafka,
      { group, topics: sources, sessionTimeoutMs },
      {
        take: (fetched, heartbeat) => consumption.take(fetched, heartbeat),
        standings: (partitions) => standingsOf(this.#admin, group, partitions),
        onLost: (lost) => this.#keepLost(lost),
        onAssigned: (partitions) => {
          this.#assigned = partitions;
          this.#observer.onAssigned();
        },
        onTick: this.#observer.onTick,
      },
      this.#log,
    );
  }

  /** @returns a promise that never resolves: it rejects when the mirror cannot go on */
  #startMirror(): Promise<never> {
    const { deadLetter } = this.#names;
    const mirror = new DeadLetterMirror(this.#kafka, this.#options, deadLetter, this.#ledger.database, this.#log);
    this.#closing.push(() => mirror.stop());
    const failed = new Promise<never>((_, reject) => {
      void mirror.start(reject).catch(reject);
    });
    failed.catch(() => undefined);
    return failed;
  }

  #watchLag(): void {
    const timer = setInterval(() => {
      lagOf(this.#admin, this.#options.group, this.#assigned).then(this.#observer.onLag, () => undefined);
    }, LAG_EVERY_MS);
    this.#closing.push(() => Promise.resolve(clearInterval(timer)));
  }

  /** The settings of the sources; empty when this user may not read them. */
  async #settingsOf(sources: readonly string[]): Promise<ReadonlyMap<string, TopicSettings>> {
    let settings: ReadonlyMap<string, TopicSettings>;
    try {
      settings = await topicSettings(this.#admin, sources);
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
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
  });
}

/** @returns a promise that never resolves: it rejects with the value that `ended` resolves with */
function failing(ended: Promise<unknown>): Promise<never> {
  const failed = ended.then((error) => {
    throw error;
  });
  failed.catch(() => undefined);
  return failed;
}
