import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import type { Logger } from 'pino';
import type { LostRecords } from '../ledger/events/lost-records.ts';
import { coPartitions } from './assigner.ts';
import type { Standing } from './lag.ts';

/** Records of one partition in order, from one fetch. */
export interface FetchedRecords {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly KafkaMessage[];
  /** The offset after the last record, and after markers of transactions, which are not records. */
  readonly endOffset: string;
  /** How many records of the partition come after them, as the broker reported with the fetch. */
  readonly behind: number;
  /**
   * The member's assignment in which they were read. A commit for an older one is refused here and not sent to the
   * broker.
   */
  readonly generation: number;
}

/** The offset after the last record of a partition. */
interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

/** A position that this member reached, and in which of its assignments. */
export interface OwnPosition extends Position {
  readonly generation: number;
}

export interface GroupOptions {
  readonly group: string;
  readonly topics: readonly string[];
  /** The broker takes a member for dead that is silent for so long. */
  readonly sessionTimeoutMs: number;
}

export interface GroupHandlers {
  /**
   * Takes records; resolves when there is room for more, which is the back-pressure, with whether all were taken. Call
   * `heartbeat` while waiting: it throws when the group takes the partitions away.
   */
  readonly take: (fetched: FetchedRecords, heartbeat: () => Promise<void>) => Promise<boolean>;
  /** Called when the group assigned partitions again. */
  readonly onAssigned: (partitions: ReadonlyMap<string, readonly number[]>) => void;
  /** Asks where the group is in partitions. */
  readonly standings: (partitions: ReadonlyMap<string, readonly number[]>) => Promise<readonly Standing[]>;
  /** Called for records that were deleted before they were read; resolves when the loss is stored. */
  readonly onLost: (lost: LostRecords) => Promise<void>;
  /** Called each time the loop runs, with or without records. */
  readonly onTick: () => void;
}

/** Bytes of one fetch, of all partitions and of one: they are in memory before they are parsed. */
const MAX_FETCH_BYTES = 6 * 1024 * 1024;
const MAX_PARTITION_BYTES = 1024 * 1024;
/** An idle member does not see a rebalance before its fetch returns. */
export const MAX_WAIT_MS = 100;

function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

/**
 * One membership in a group: from joining until it is stopped or kafkajs gives up. Offsets are committed by hand, for
 * what the ledger has stored. Reading may be ahead of that by as much as `take` allows.
 */
export class GroupMember {
  readonly #consumer: Consumer;
  readonly #topics: readonly string[];
  readonly #handlers: GroupHandlers;
  /** Counts the assignments; negative while partitions are being assigned. */
  #generation = -1;
  #commit: EachBatchPayload['commitOffsetsIfNecessary'] | null = null;
  #stopping = false;
  /** By partition, the offset that the next record has if none are missing. */
  #next = new Map<string, bigint>();
  readonly #log: Logger;
  readonly #ended: Promise<unknown>;
  #end: (error: unknown) => void = () => undefined;

  constructor(kafka: Kafka, options: GroupOptions, handlers: GroupHandlers, log: Logger) {
    this.#topics = options.topics;
    this.#handlers = handlers;
    this.#log = log;
    this.#consumer = kafka.consumer({
      groupId: options.group,
      partitionAssigners: [coPartitions],
      sessionTimeout: options.sessionTimeoutMs,
      heartbeatInterval: Math.floor(options.sessionTimeoutMs / 10),
      rebalanceTimeout: Math.max(options.sessionTimeoutMs, 30_000),
      maxWaitTimeInMs: MAX_WAIT_MS,
      maxBytes: MAX_FETCH_BYTES,
      maxBytesPerPartition: MAX_PARTITION_BYTES,
      // Kafka would create a missing topic with one partition, however many the other topics have.
      allowAutoTopicCreation: false,
      // The owner starts a new member instead: kafkajs fails when a consumer is restarted half-way.
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5, restartOnFailure: () => Promise.resolve(false) },
    });
    const { events } = this.#consumer;
    this.#consumer.on(events.REBALANCING, () => {
      this.#generation = -Math.abs(this.#generation);
      this.#commit = null;
    });
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => {
      this.#generation = Math.abs(this.#generation) + 1;
      this.#commit = null;
      log.debug({ assignment: payload.memberAssignment }, 'partitions assigned');
      const assigned = new Map(Object.entries(payload.memberAssignment));
      handlers.onAssigned(assigned);
      this.#begin(assigned, this.#generation).catch((error: unknown) => {
        this.#end(error);
      });
    });
    this.#consumer.on(events.END_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) this.#skip(payload).catch(this.#end);
    });
    this.#consumer.on(events.FETCH, () => {
      handlers.onTick();
    });
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#consumer.on(events.CRASH, ({ payload }) => {
      this.#generation = -Math.abs(this.#generation);
      this.#end(payload.error);
    });
  }

  /** Joins the group and begins to read. @throws what the broker said */
  async start(): Promise<void> {
    await this.#consumer.connect();
    // A group without offsets reads from the beginning: a ledger without the earlier events is wrong.
    await this.#consumer.subscribe({ topics: [...this.#topics], fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => this.#each(payload),
    });
  }

  /**
   * Reads the offsets of the group before any record of new partitions: kafkajs would start at the first record that
   * still exists, and not report the deleted ones before it.
   */
  async #begin(assigned: ReadonlyMap<string, readonly number[]>, generation: number): Promise<void> {
    const partitions = [...assigned].map(([topic, own]) => ({ topic, partitions: [...own] }));
    this.#consumer.pause(partitions);
    const next = new Map<string, bigint>();
    for (const { topic, partition, committed, low, high } of await this.#handlers.standings(assigned)) {
      const isOutside = committed !== null && (committed < low || committed > high);
      next.set(keyOf(topic, partition), isOutside ? low : (committed ?? low));
      if (generation !== this.#generation) return;
      if (committed === null) {
        if (low > 0n)
          this.#log.warn(
            { topic, partition, first_offset: low.toString() },
            'The group has no offset in this partition, and reads it from its first record. What was deleted before that may never have been read.',
          );
        continue;
      }
      if (!isOutside) continue;
      if (committed < low) await this.#handlers.onLost({ topic, partition, from: committed, to: low });
      else this.#sayRewound(topic, partition, committed);
      this.#consumer.seek({ topic, partition, offset: low.toString() });
      // Committed even if no record follows. Otherwise the loss would be reported again at every start.
      await this.#handlers.take(
        { topic, partition, records: [], endOffset: low.toString(), behind: 0, generation },
        () => Promise.resolve(),
      );
    }
    if (generation !== this.#generation) return;
    this.#next = next;
    if (!this.#stopping) this.#consumer.resume(partitions);
  }

  #sayRewound(topic: string, partition: number, offset: bigint): void {
    this.#log.warn(
      { topic, partition, offset: offset.toString() },
      'The partition ends before the offset that the group has reached: its topic was made anew, or a broker that lacked records became its leader. It is read again from its first record; what is stored already is found stored.',
    );
  }

  /**
   * Compares the first offset of a batch with the expected one: records may have been deleted before they were read.
   */
  async #checkGap(topic: string, partition: number, first: bigint): Promise<void> {
    const next = this.#next.get(keyOf(topic, partition));
    if (next === undefined || first === next) return;
    if (first < next) {
      this.#sayRewound(topic, partition, next);
      return;
    }
    // Compaction also leaves gaps, but does not move the beginning of a partition.
    const [standing] = await this.#handlers.standings(new Map([[topic, [partition]]]));
    const low = standing?.low ?? 0n;
    const to = low < first ? low : first;
    if (to > next) await this.#handlers.onLost({ topic, partition, from: next, to });
  }

  /** Offsets without a record for us, for instance of aborted transactions, count as done. */
  async #skip({
    topic,
    partition,
    lastOffset,
  }: {
    topic: string;
    partition: number;
    lastOffset: string;
  }): Promise<void> {
    const generation = this.#generation;
    if (this.#stopping || generation < 0) return;
    const end = BigInt(lastOffset) + 1n;
    this.#next.set(keyOf(topic, partition), end);
    await this.#handlers.take({ topic, partition, records: [], endOffset: end.toString(), behind: 0, generation }, () =>
      Promise.resolve(),
    );
  }

  async #each(payload: EachBatchPayload): Promise<void> {
    const { batch, resolveOffset, heartbeat, isRunning, isStale, commitOffsetsIfNecessary } = payload;
    if (this.#stopping || !isRunning() || isStale() || this.#generation < 0) return;
    const { topic, partition, messages } = batch;
    const generation = this.#generation;
    this.#commit = commitOffsetsIfNecessary;
    await this.#checkGap(topic, partition, BigInt(batch.firstOffset() ?? batch.lastOffset()));
    const end = BigInt(batch.lastOffset()) + 1n;
    const behind = Math.max(Number(BigInt(batch.highWatermark) - end), 0);
    const fetched = { topic, partition, records: messages, endOffset: end.toString(), behind, generation };
    const hasTakenAll = await this.#handlers.take(fetched, heartbeat);
    if (hasTakenAll && generation === this.#generation) this.#next.set(keyOf(topic, partition), end);
    // Continues reading from here. It does not commit.
    const last = messages.at(-1);
    if (hasTakenAll && last !== undefined && !isStale()) resolveOffset(last.offset);
  }

  /**
   * Commits positions that the ledger has reached. Skips partitions that were assigned again since: their new owner
   * reads the same records again, and finds them stored.
   * @throws what the broker said; try again later
   */
  async commit(positions: readonly OwnPosition[]): Promise<void> {
    const own = positions.filter(({ generation }) => generation === this.#generation);
    if (own.length === 0) return;
    // Before the first batch there may already be something to commit: a position with no records to read.
    if (this.#commit === null) {
      await this.#consumer.commitOffsets(own.map(({ topic, partition, offset }) => ({ topic, partition, offset })));
      return;
    }
    const byTopic = new Map<string, { partition: number; offset: string }[]>();
    for (const { topic, partition, offset } of own) {
      const known = byTopic.get(topic);
      if (known === undefined) byTopic.set(topic, [{ partition, offset }]);
      else known.push({ partition, offset });
    }
    await this.#commit({ topics: [...byTopic].map(([topic, partitions]) => ({ topic, partitions })) });
  }

  /** Takes no more records from now on; heartbeats continue. */
  pause(): void {
    this.#stopping = true;
    this.#consumer.pause(this.#topics.map((topic) => ({ topic })));
  }

  /** Resolves with the reason when kafkajs gives up. */
  get ended(): Promise<unknown> {
    return this.#ended;
  }

  /** Leaves the group and disconnects. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#consumer.disconnect().catch(() => undefined);
  }
}
