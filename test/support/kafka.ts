import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CompressionTypes,
  Kafka,
  KafkaJSProtocolError,
  logLevel,
  Partitioners,
  type Admin,
  type EachBatchPayload,
  type IHeaders,
  type KafkaConfig,
} from 'kafkajs';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { kafkaUnavailable, startBroker, type Broker, type BrokerOptions } from '../../scripts/kafka/broker.js';
import { createWithLeaders } from '../../services/kafka/topics.ts';
import { until } from './product.ts';

/** Before `ledger.ts` takes it away, or as `npm test` hands it on: a broker that runs already. */
const external = process.env['TEST_KAFKA_BROKERS'] ?? process.env['KAFKA_BROKERS'] ?? null;
/** Quick, because what there is to wait for is on this machine: some five seconds in all. */
const RETRY = { retries: 20, initialRetryTime: 50, maxRetryTime: 250 };
/** Until a broker that was ended in the middle is back, however long that takes. */
const PATIENT = { ...RETRY, retries: 2_000 };
const LEADERLESS = ['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE'];
const BATCH = 1_000;

/** What a suite needs beyond any broker; with one of these it gets its own even where one runs already. */
export interface BrokerNeeds extends Omit<BrokerOptions, 'dataDir'> {
  /** To end it and start it again. */
  readonly own?: true;
}

function isOwn(needs: BrokerNeeds): boolean {
  return Object.keys(needs).length > 0;
}

let unavailable: string | null | undefined;

function reasonAgainst(needs: BrokerNeeds): string | null {
  if (!isOwn(needs) && external !== null) return null;
  if (unavailable === undefined) unavailable = kafkaUnavailable();
  return unavailable;
}

/**
 * A suite on a Kafka broker, which starts before its first test and is gone after its last. Where there can be none the
 * suite is left out, loudly; in CI, where nobody reads that, it fails.
 */
export function describeKafka(name: string, needs: BrokerNeeds, suite: (kafka: TestBroker) => void): void {
  const reason = reasonAgainst(needs);
  if (reason !== null && process.env['CI'] === 'true') {
    describe(name, () => {
      it('has a Kafka broker', () => {
        throw new Error(reason);
      });
    });
    return;
  }
  if (reason !== null) {
    const advice = isOwn(needs) ? 'Install it.' : 'Install it, or set KAFKA_BROKERS.';
    process.stderr.write(`LEFT OUT: "${name}". ${reason} ${advice}\n`);
  }
  describe.runIf(reason === null)(name, () => {
    const kafka = new TestBroker(needs);
    beforeAll(() => kafka.start());
    afterAll(() => kafka.end());
    suite(kafka);
  });
}

export interface RecordToSend {
  readonly key: string | null;
  readonly value: string | Buffer | null;
  readonly partition?: number;
  readonly headers?: IHeaders;
}

export interface RecordRead {
  readonly partition: number;
  readonly offset: number;
  /** When the broker appended it, in milliseconds. */
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  /** The value as it is, where it may be no text. */
  readonly bytes: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** A client as tests want it: silent, because what matters is thrown. */
export function kafkaClient(brokers: string, config: Partial<KafkaConfig> = {}): Kafka {
  const { sasl } = config;
  return new Kafka({
    clientId: 'test',
    logLevel: logLevel.NOTHING,
    retry: RETRY,
    brokers: brokers.split(','),
    ...config,
    // A copy: kafkajs writes into it how to log in, and who reuses the object logs in with the first password for ever.
    ...(sasl === undefined ? {} : { sasl: { ...sasl } }),
  });
}

function byPartition(entries: readonly { readonly partition: number; readonly offset: string }[]): number[] {
  const offsets: number[] = [];
  for (const { partition, offset } of entries) offsets[partition] = Number(offset);
  return offsets;
}

function textOf(bytes: Buffer | null | undefined): string | null {
  return bytes?.toString('utf8') ?? null;
}

function headersOf(headers: IHeaders | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]));
}

/** The broker of a suite, and what tests ask of a broker past everything of ours. */
export class TestBroker {
  readonly #needs: BrokerNeeds;
  readonly #created = new Set<string>();
  #directory: string | null = null;
  #own: Broker | null = null;

  constructor(needs: BrokerNeeds) {
    this.#needs = needs;
  }

  /** @internal */
  async start(): Promise<void> {
    if (!isOwn(this.#needs) && external !== null) return;
    const { own: _, ...options } = this.#needs;
    this.#directory = mkdtempSync(join(tmpdir(), 'ctwa-kafka-'));
    this.#own = await startBroker({ ...options, dataDir: this.#directory });
  }

  /** @internal */
  async end(): Promise<void> {
    if (this.#directory !== null) {
      await this.#own?.kill();
      rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    } else {
      await this.deleteTopics([...this.#created]);
    }
  }

  /** What goes into `KAFKA_BROKERS`. */
  get brokers(): string {
    if (this.#own !== null) return this.#own.brokers;
    if (external === null) throw new Error('The broker does not run yet: it starts before the first test.');
    return external;
  }

  /** To end it and start it again; only in a suite that asked for its own. */
  get own(): Broker {
    if (!isOwn(this.#needs)) throw new Error('This suite runs on any broker, which is not its to end.');
    if (this.#own === null) throw new Error('The broker does not run yet: it starts before the first test.');
    return this.#own;
  }

  /** A name that no other test has, for a topic or a group: the broker may be shared. */
  unique(name: string): string {
    return `${name}-${randomBytes(4).toString('hex')}`;
  }

  async #admin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = kafkaClient(this.brokers).admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  }

  /** Creates topics of the same size; `config` is Kafka's, `retention.ms` for instance. */
  async createTopics(
    names: readonly string[],
    partitions: number,
    config: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await this.#admin(async (admin) => {
      await createWithLeaders(
        admin,
        names.map((topic) => ({ topic, numPartitions: partitions, configEntries })),
      );
    });
    for (const name of names) this.#created.add(name);
  }

  async deleteTopics(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    await this.#admin((admin) => admin.deleteTopics({ topics: [...names] }));
    for (const name of names) this.#created.delete(name);
  }

  /**
   * Sends records, in their order, and resolves when the broker has acknowledged every one. `batch` is how many go in
   * one call; `acknowledged` hears after each call how many are safe.
   */
  async produce(
    topic: string,
    records: readonly RecordToSend[],
    options: {
      readonly batch?: number;
      readonly gzip?: boolean;
      readonly acknowledged?: (count: number) => void;
    } = {},
  ): Promise<void> {
    const { batch = BATCH, gzip = false, acknowledged } = options;
    const producer = kafkaClient(this.brokers, { retry: PATIENT }).producer({
      idempotent: true,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    try {
      for (let i = 0; i < records.length; i += batch) {
        const messages = records.slice(i, i + batch).map((record) => ({ ...record }));
        await producer.send({
          topic,
          messages,
          compression: gzip ? CompressionTypes.GZIP : CompressionTypes.None,
        });
        acknowledged?.(i + messages.length);
      }
    } finally {
      await producer.disconnect();
    }
  }

  /** Everything that is in a topic now, by partition and offset; leaves no group behind. */
  async readAll(topic: string): Promise<RecordRead[]> {
    const ends = await this.endOffsets(topic);
    const starts = await this.#offsets(topic, 'low');
    const missing = new Set(ends.keys());
    for (const [partition, end] of ends.entries()) if (end === starts[partition]) missing.delete(partition);
    if (missing.size === 0) return [];
    const records: RecordRead[] = [];
    const groupId = this.unique('read-all');
    const consumer = kafkaClient(this.brokers).consumer({ groupId, maxWaitTimeInMs: 100 });
    await consumer.connect();
    try {
      await consumer.subscribe({ topic, fromBeginning: true });
      await new Promise<void>((resolve, reject) => {
        consumer.on(consumer.events.CRASH, ({ payload }) => {
          if (!payload.restart) reject(payload.error);
        });
        // The event, because a batch of nothing but a transaction's marks is not handed over.
        consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
          if (Number(payload.lastOffset) + 1 >= (ends[payload.partition] ?? 0)) missing.delete(payload.partition);
          if (missing.size === 0) resolve();
        });
        const eachBatch = ({ batch }: EachBatchPayload): Promise<void> => {
          for (const message of batch.messages)
            records.push({
              partition: batch.partition,
              offset: Number(message.offset),
              timestamp: Number(message.timestamp),
              key: textOf(message.key),
              value: textOf(message.value),
              bytes: message.value,
              headers: headersOf(message.headers),
            });
          return Promise.resolve();
        };
        consumer.run({ autoCommit: false, eachBatch }).catch(reject);
      });
    } finally {
      await consumer.disconnect();
    }
    await this.#admin((admin) => admin.deleteGroups([groupId]));
    return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
  }

  async #offsets(topic: string, edge: 'low' | 'high'): Promise<number[]> {
    // A broker that has just started answers before it leads its partitions, and kafkajs does not ask this again.
    const entries = await until('the broker leads its partitions', async () => {
      try {
        return await this.#admin((admin) => admin.fetchTopicOffsets(topic));
      } catch (error) {
        if (error instanceof KafkaJSProtocolError && LEADERLESS.includes(error.type)) return null;
        throw error;
      }
    });
    return byPartition(entries.map((entry) => ({ partition: entry.partition, offset: entry[edge] })));
  }

  /** The offset of the next record, partition by partition. */
  endOffsets(topic: string): Promise<number[]> {
    return this.#offsets(topic, 'high');
  }

  /** What a group has committed, partition by partition: the offset it would go on at, -1 where there is none. */
  async committedOffsets(group: string, topic: string): Promise<number[]> {
    const [entry] = await this.#admin((admin) => admin.fetchOffsets({ groupId: group, topics: [topic] }));
    return byPartition(entry?.partitions ?? []);
  }
}
