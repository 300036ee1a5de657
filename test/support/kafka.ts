import { spawn } from 'node:child_process';
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
  ConfigResourceTypes,
  type Admin,
  type EachBatchPayload,
  type IHeaders,
  type KafkaConfig,
} from 'kafkajs';
import { afterAll, beforeAll, describe, it } from 'vitest';
import {
  installKafka,
  kafkaUnavailable,
  startBroker,
  type Broker,
  type BrokerOptions,
} from '../../scripts/kafka/broker.js';
// For reading what is compressed.
import '../../services/kafka/codecs.ts';
import { createWithLeaders, DEFAULT_RECORD_BYTES } from '../../services/kafka/topics.ts';
import { until } from './product.ts';

/** Before `ledger.ts` takes it away, or as `npm test` hands it on: a broker that runs already. */
const external = process.env['TEST_KAFKA_BROKERS'] ?? process.env['KAFKA_BROKERS'] ?? null;
/** Quick, because what there is to wait for is on this machine: some five seconds in all. */
const RETRY = { retries: 20, initialRetryTime: 50, maxRetryTime: 250 };
/** Until a broker that was ended in the middle is back, however long that takes. */
const PATIENT = { ...RETRY, retries: 2_000 };
const LEADERLESS = ['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE'];
const BATCH = 1_000;

/** How topics are configured: as `ctwa-ledger topics create` makes them, or not at all, as an administrator may. */
export type Lap = 'own' | 'defaults';

const CONFIGS: Readonly<Record<Lap, Readonly<Record<string, string>>>> = {
  own: { 'message.timestamp.type': 'LogAppendTime', 'max.message.bytes': String(8 * 1024 * 1024) },
  defaults: {},
};
/** The full run takes every suite through both laps; so does `CTWA_KAFKA_DEFAULTS=1`, at the size of the normal run. */
const takesBothLaps = process.env['CTWA_FULL'] === '1' || process.env['CTWA_KAFKA_DEFAULTS'] === '1';
/** What the topics of a lap take at once. */
const MAX_BYTES: Readonly<Record<Lap, number>> = { own: 8 * 1024 * 1024, defaults: DEFAULT_RECORD_BYTES };

/** What a suite needs beyond any broker; with one that is not `laps` it gets its own even where one runs already. */
export interface BrokerNeeds extends Omit<BrokerOptions, 'dataDir'> {
  /** To end it and start it again. */
  readonly own?: true;
  /** How the topics are configured, one lap of the suite each. When nothing is said: as we make them, or both ways. */
  readonly laps?: readonly Lap[];
}

function isOwn({ laps: _, ...needs }: BrokerNeeds): boolean {
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
    const { laps = takesBothLaps ? (['own', 'defaults'] as const) : (['own'] as const) } = needs;
    for (const lap of laps)
      describe(`topics ${lap === 'own' ? 'as we make them' : 'with the defaults of the broker'}`, () => {
        beforeAll(() => {
          kafka.lap = lap;
        });
        suite(kafka);
      });
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
  /** Of the tests that run now. */
  lap: Lap = 'own';
  #directory: string | null = null;
  #own: Broker | null = null;

  constructor(needs: BrokerNeeds) {
    this.#needs = needs;
  }

  /** @internal */
  async start(): Promise<void> {
    if (!isOwn(this.#needs) && external !== null) return;
    const { own: _, laps: _laps, ...options } = this.#needs;
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

  /** What topics take at once, in bytes. */
  get maxBytes(): number {
    return MAX_BYTES[this.lap];
  }

  /** Creates topics of the same size; `config` is Kafka's, `retention.ms` for instance, beside that of the lap. */
  async createTopics(
    names: readonly string[],
    partitions: number,
    config: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const configEntries = Object.entries({ ...CONFIGS[this.lap], ...config }).map(([name, value]) => ({ name, value }));
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

  /** Changes the configuration of a topic. */
  async configure(topic: string, config: Readonly<Record<string, string>>): Promise<void> {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await this.#admin((admin) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
      }),
    );
  }

  /** Deletes the records of a partition before an offset, as retention does. */
  async deleteBefore(topic: string, partition: number, offset: number): Promise<void> {
    await this.#admin(async (admin) => {
      // It knows topics by what was asked before.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
    });
  }

  /** Sets where a group without members goes on in a partition. */
  async commit(groupId: string, topic: string, partition: number, offset: number): Promise<void> {
    await this.#admin((admin) =>
      admin.setOffsets({ groupId, topic, partitions: [{ partition, offset: String(offset) }] }),
    );
  }

  /** Sends a transaction that is aborted: the offsets are taken, and hold nothing. */
  async produceAndAbort(topic: string, records: readonly RecordToSend[]): Promise<void> {
    const producer = kafkaClient(this.brokers, { retry: PATIENT }).producer({
      transactionalId: this.unique('transaction'),
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    try {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: records.map((record) => ({ ...record })) });
      await transaction.abort();
    } finally {
      await producer.disconnect();
    }
  }

  /** Sends lines as Kafka's own client in Java does, in batches that it compresses itself. Keys have no tabs. */
  async produceInJava(
    topic: string,
    records: readonly { readonly key: string; readonly value: string }[],
    codec: 'gzip' | 'snappy' | 'lz4' | 'zstd',
  ): Promise<void> {
    const options = ['--bootstrap-server', this.brokers, '--topic', topic, '--compression-codec', codec];
    const reader = ['--reader-property', 'parse.key=true', '--reader-property', 'key.separator=\t'];
    const java = process.env['JAVA_HOME'] === undefined ? 'java' : join(process.env['JAVA_HOME'], 'bin', 'java');
    const producer = spawn(
      java,
      [
        ...['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', join(installKafka(), '*')],
        ...['org.apache.kafka.tools.ConsoleProducer', ...options, ...reader],
        // Many records to a batch, so that there is something to compress.
        ...['--command-property', 'batch.size=200000', '--command-property', 'linger.ms=200'],
      ],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    let said = '';
    for (const output of [producer.stdout, producer.stderr])
      output.on('data', (text: Buffer) => (said += String(text)));
    const ended = new Promise<number | null>((resolve, reject) => {
      producer.once('error', reject);
      producer.once('exit', resolve);
    });
    producer.stdin.end(records.map(({ key, value }) => `${key}\t${value}\n`).join(''));
    const status = await ended;
    if (status !== 0) throw new Error(`The producer in Java ended with ${String(status)}: ${said}`);
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
