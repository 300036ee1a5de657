import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import type { Logger } from 'pino';
import type { LostRecords } from '../ledger/events/lost-records.ts';
import { coPartitions } from './assigner.ts';
import type { Standing } from './lag.ts';

/** Records of one partition, in order, as one fetch brought them. */
export interface FetchedRecords {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly KafkaMessage[];
  /** The offset to go on from: after the last record, and after markers of transactions, which are no records. */
  readonly endOffset: string;
  /** Records of the partition that come after them, as the broker said with the fetch. */
  readonly behind: number;
  /** Of this member's time with the partition: a commit for an older one is refused here, before the broker hears it. */
  readonly generation: number;
}

/** The offset to go on from, of one partition. */
interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

/** A position that this member reached, and in which of its times with the partition. */
export interface OwnPosition extends Position {
  readonly generation: number;
}

export interface GroupOptions {
  readonly group: string;
  readonly topics: readonly string[];
  /** A member that is silent for so long is taken for dead by the broker. */
  readonly sessionTimeoutMs: number;
}

export interface GroupHandlers {
  /**
   * Takes records; resolves when there is room for more, which is the back-pressure, with whether it took them all. Call
   * `heartbeat` while waiting: it throws when the group takes the partitions away.
   */
  readonly take: (fetched: FetchedRecords, heartbeat: () => Promise<void>) => Promise<boolean>;
  /** The group gave partitions out anew. */
  readonly onAssigned: (partitions: ReadonlyMap<string, readonly number[]>) => void;
  /** Asks where the group stands in partitions. */
  readonly standings: (partitions: ReadonlyMap<string, readonly number[]>) => Promise<readonly Standing[]>;
  /** Told of records that were deleted before they were read; resolves when that is kept. */
  readonly onLost: (lost: LostRecords) => Promise<void>;
  /** The loop went round: something was fetched, or nothing was there. */
  readonly onTick: () => void;
}

/** Fetched at once, of all partitions and of one: what is held in memory before it is parsed. */
const MAX_FETCH_BYTES = 24 * 1024 * 1024;
const MAX_PARTITION_BYTES = 4 * 1024 * 1024;
/** An idle member does not see a rebalance before its fetch returns. */
export const MAX_WAIT_MS = 100;

function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

/**
 * One life of a group member: from joining until it is stopped or kafkajs gives up. Offsets are committed by hand, of
 * what the ledger has; reading runs ahead of that by as much as `take` lets it.
 */
export class GroupMember {
  readonly #consumer: Consumer;
  readonly #topics: readonly string[];
  readonly #handlers: GroupHandlers;
  /** Counts the times that partitions were given out; negative while they are being given out anew. */
  #generation = -1;
  #commit: EachBatchPayload['commitOffsetsIfNecessary'] | null = null;
  #stopping = false;
  /** The offset that the next record of a partition has, unless some are missing. */
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
      // A topic that nobody made would come with one partition, whatever the others have.
      allowAutoTopicCreation: false,
      // The owner starts a new member: kafkajs goes wrong when a consumer is restarted half-way.
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
    // A group without offsets reads from the beginning: a ledger that skips what was there before it is wrong.
    await this.#consumer.subscribe({ topics: [...this.#topics], fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => this.#each(payload),
    });
  }

  /**
   * Looks where the group stands before anything of new partitions is read: kafkajs would go on from the first record
   * that there is, and tell nobody what is gone before it.
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
      // Committed although nothing may follow: else it is noticed again at every start.
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

  /** Compares where a batch begins with where it should: records may have been deleted while they waited. */
  async #checkGap(topic: string, partition: number, first: bigint): Promise<void> {
    const next = this.#next.get(keyOf(topic, partition));
    if (next === undefined || first === next) return;
    if (first < next) {
      this.#sayRewound(topic, partition, next);
      return;
    }
    // Compaction leaves gaps too, but moves no beginning.
    const [standing] = await this.#handlers.standings(new Map([[topic, [partition]]]));
    const low = standing?.low ?? 0n;
    const to = low < first ? low : first;
    if (to > next) await this.#handlers.onLost({ topic, partition, from: next, to });
  }

  /** Offsets that hold no record for us, those of aborted transactions for instance, are done all the same. */
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
    // Read on from here. What is committed is another matter.
    const last = messages.at(-1);
    if (hasTakenAll && last !== undefined && !isStale()) resolveOffset(last.offset);
  }

  /**
   * Commits positions that the ledger has reached. Those of partitions that were given out anew since are left alone:
   * whoever has them now reads the same records again, and finds them stored.
   * @throws what the broker said; try again later
   */
  async commit(positions: readonly OwnPosition[]): Promise<void> {
    const own = positions.filter(({ generation }) => generation === this.#generation);
    if (own.length === 0) return;
    // Before the first batch there may be something to commit already: that nothing is to be read.
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

  /** No more records are taken from here on; heartbeats go on. */
  pause(): void {
    this.#stopping = true;
    this.#consumer.pause(this.#topics.map((topic) => ({ topic })));
  }

  /** Resolves with the reason when kafkajs has given up. */
  get ended(): Promise<unknown> {
    return this.#ended;
  }

  /** Leaves the group and lets go of the broker. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#consumer.disconnect().catch(() => undefined);
  }
}
