import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import type { Logger } from 'pino';
import { coPartitions } from './assigner.ts';

/** Records of one partition, in order, as one fetch brought them. */
export interface FetchedRecords {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly KafkaMessage[];
  /** Where to go on after the last of them: behind whatever a transaction left there that is no record. */
  readonly endOffset: string;
  /** Of this member's time with the partition: a commit for an older one is refused here, before the broker hears it. */
  readonly generation: number;
}

/** The offset to go on from, of one partition. */
export interface Position {
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
  /** The loop went round: something was fetched, or nothing was there. */
  readonly onTick: () => void;
}

/** Fetched at once, of all partitions and of one: what is held in memory before it is parsed. */
const MAX_FETCH_BYTES = 24 * 1024 * 1024;
const MAX_PARTITION_BYTES = 4 * 1024 * 1024;
/** An idle member does not see a rebalance before its fetch returns. */
const MAX_WAIT_MS = 100;

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
  readonly #ended: Promise<unknown>;

  constructor(kafka: Kafka, options: GroupOptions, handlers: GroupHandlers, log: Logger) {
    this.#topics = options.topics;
    this.#handlers = handlers;
    this.#consumer = kafka.consumer({
      groupId: options.group,
      partitionAssigners: [coPartitions],
      sessionTimeout: options.sessionTimeoutMs,
      heartbeatInterval: Math.floor(options.sessionTimeoutMs / 10),
      rebalanceTimeout: Math.max(options.sessionTimeoutMs, 30_000),
      maxWaitTimeInMs: MAX_WAIT_MS,
      maxBytes: MAX_FETCH_BYTES,
      maxBytesPerPartition: MAX_PARTITION_BYTES,
      // Whoever runs the member starts a new one: half-restarted consumers are where kafkajs loses its way.
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
      handlers.onAssigned(new Map(Object.entries(payload.memberAssignment)));
    });
    this.#consumer.on(events.FETCH, () => {
      handlers.onTick();
    });
    this.#ended = new Promise((resolve) => {
      this.#consumer.on(events.CRASH, ({ payload }) => {
        this.#generation = -Math.abs(this.#generation);
        resolve(payload.error);
      });
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

  async #each(payload: EachBatchPayload): Promise<void> {
    const { batch, resolveOffset, heartbeat, isRunning, isStale, commitOffsetsIfNecessary } = payload;
    if (this.#stopping || !isRunning() || isStale() || this.#generation < 0) return;
    this.#commit = commitOffsetsIfNecessary;
    const { topic, partition, messages } = batch;
    const endOffset = (BigInt(batch.lastOffset()) + 1n).toString();
    const fetched = { topic, partition, records: messages, endOffset, generation: this.#generation };
    const hasTakenAll = await this.#handlers.take(fetched, heartbeat);
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
    if (own.length === 0 || this.#commit === null) return;
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
