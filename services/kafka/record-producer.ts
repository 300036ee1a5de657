import kafkajs, {
  CompressionTypes,
  Partitioners,
  type ICustomPartitioner,
  type IHeaders,
  type Kafka,
  type Message,
  type Producer,
} from 'kafkajs';
import { causesOf } from './connection.ts';
import { DEFAULT_RECORD_BYTES, topicSettings } from './topics.ts';

// Node does not find this name among the exports of the package by itself.
const { KafkaJSProtocolError } = kafkajs;

/** A record to be sent to a topic. */
export interface OutgoingRecord {
  readonly topic: string;
  readonly key: string | Buffer | null;
  readonly value: string | Buffer;
  readonly headers?: IHeaders;
}

/** A record that its topic refuses even alone and compressed: sending it again would change nothing. */
export interface RefusedRecord {
  readonly record: OutgoingRecord;
  /** Its size in a request, uncompressed. */
  readonly bytes: number;
  /** What the broker said. */
  readonly reason: string;
}

interface Waiting {
  readonly records: readonly OutgoingRecord[];
  readonly bytes: number;
  readonly resolve: (refused: readonly RefusedRecord[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Size limit of one request, even if the topic takes more. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
/** kafkajs copies the list of a partition for each record of a request. With 10,000 that takes longer than sending them. */
const MAX_REQUEST_RECORDS = 1_500;
/** Topic limits are read again after this time: an administrator may have changed them. */
const LIMITS_HOLD_MS = 60_000;
/** Overhead around all records of a request, and at most around one record and one header. */
const BYTES_AROUND_A_REQUEST = 61;
const BYTES_AROUND_A_RECORD = 36;
const BYTES_AROUND_A_HEADER = 10;

/** Size of a record in a request, uncompressed, rounded up. */
function bytesOf(record: OutgoingRecord): number {
  let bytes = BYTES_AROUND_A_RECORD + Buffer.byteLength(record.value);
  if (record.key !== null) bytes += Buffer.byteLength(record.key);
  for (const [name, value] of Object.entries(record.headers ?? {}))
    bytes += BYTES_AROUND_A_HEADER + Buffer.byteLength(name) + Buffer.byteLength(String(value));
  return bytes;
}

/** Errors that a broker gives because of a record itself: its size, or a requirement of its topic. */
const REFUSALS = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD']);

function refusalOf(error: unknown): Error | null {
  return causesOf(error).find((cause) => cause instanceof KafkaJSProtocolError && REFUSALS.has(cause.type)) ?? null;
}

/**
 * Sends records with acks=all, idempotently, one request at a time. Records that arrive during a request are sent
 * together in the next one. A request never holds more for a topic than the topic takes for one partition. A producer
 * that failed is replaced, because its sequence numbers may be wrong for good.
 */
export class RecordProducer {
  readonly #kafka: Kafka;
  #producer: Promise<Producer> | null = null;
  /** The known limits of topics for one partition and request, in bytes. */
  #limits = new Map<string, number>();
  #limitsAskedAt = -Infinity;
  #waiting: Waiting[] = [];
  #busy: Promise<void> | null = null;
  #isClosed = false;

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
  }

  /**
   * Resolves when all in-sync replicas have the records. The records of one call and topic stay in order.
   * @returns the records that their topic refuses; all others are stored
   * @throws what the broker said, after some attempts; some of the records may have been stored
   */
  send(records: readonly OutgoingRecord[]): Promise<readonly RefusedRecord[]> {
    if (records.length === 0) return Promise.resolve([]);
    if (this.#isClosed) return Promise.reject(new Error('The producer is closed.'));
    return new Promise((resolve, reject) => {
      const bytes = records.reduce((sum, record) => sum + bytesOf(record), 0);
      this.#waiting.push({ records, bytes, resolve, reject });
      this.#busy ??= this.#work();
    });
  }

  #connected(): Promise<Producer> {
    this.#producer ??= (async () => {
      const producer = this.#kafka.producer({
        idempotent: true,
        // Kafka would create a missing topic with one partition, however many the other topics have.
        allowAutoTopicCreation: false,
        createPartitioner: partitionOfKey,
        retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 8 },
      });
      try {
        await producer.connect();
      } catch (error) {
        await producer.disconnect().catch(() => undefined);
        throw error;
      }
      return producer;
    })();
    return this.#producer;
  }

  #replace(): void {
    const failed = this.#producer;
    this.#producer = null;
    void failed?.then((producer) => producer.disconnect()).catch(() => undefined);
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      let bytes = 0;
      let records = 0;
      const fits = this.#waiting.findIndex((next, i) => {
        bytes += next.bytes;
        records += next.records.length;
        return i > 0 && (bytes > MAX_REQUEST_BYTES || records > MAX_REQUEST_RECORDS);
      });
      const batch = this.#waiting.splice(0, fits === -1 ? this.#waiting.length : fits);
      try {
        const refused = await this.#sendAll(batch.flatMap((waiting) => waiting.records));
        for (const { records: own, resolve } of batch) resolve(refused.filter(({ record }) => own.includes(record)));
      } catch (error) {
        this.#replace();
        for (const { reject } of batch) reject(error);
      }
    }
    this.#busy = null;
  }

  async #sendAll(records: readonly OutgoingRecord[]): Promise<RefusedRecord[]> {
    const byTopic = new Map<string, OutgoingRecord[]>();
    for (const record of records) {
      const known = byTopic.get(record.topic);
      if (known === undefined) byTopic.set(record.topic, [record]);
      else known.push(record);
    }
    await this.#askLimits([...byTopic.keys()]);
    const refused: RefusedRecord[] = [];
    for (const [topic, own] of byTopic)
      for (const some of inRequests(own, this.#limitOf(topic))) refused.push(...(await this.#sendOrSplit(topic, some)));
    return refused;
  }

  #limitOf(topic: string): number {
    return Math.min(MAX_REQUEST_BYTES, this.#limits.get(topic) ?? DEFAULT_RECORD_BYTES);
  }

  async #askLimits(topics: readonly string[]): Promise<void> {
    if (performance.now() - this.#limitsAskedAt > LIMITS_HOLD_MS) {
      this.#limits = new Map();
      this.#limitsAskedAt = performance.now();
    }
    const unknown = topics.filter((topic) => !this.#limits.has(topic));
    if (unknown.length === 0) return;
    const admin = this.#kafka.admin({ retry: { retries: 1 } });
    try {
      await admin.connect();
      for (const [topic, { max_record_bytes }] of await topicSettings(admin, unknown))
        this.#limits.set(topic, max_record_bytes);
    } catch {
      // A user who may not read limits gets the refusal when sending.
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
    for (const topic of unknown) if (!this.#limits.has(topic)) this.#limits.set(topic, DEFAULT_RECORD_BYTES);
  }

  /** Sends records of one topic in one request. Halves the list until the records that the broker refuses are found. */
  async #sendOrSplit(topic: string, records: readonly OutgoingRecord[]): Promise<RefusedRecord[]> {
    try {
      await this.#sendNow(topic, records, CompressionTypes.None);
      return [];
    } catch (error) {
      if (refusalOf(error) === null) throw error;
      this.#replace();
    }
    const [only] = records;
    if (records.length === 1 && only !== undefined) return this.#sendCompressed(topic, only);
    const middle = records.length >> 1;
    const refused = await this.#sendOrSplit(topic, records.slice(0, middle));
    refused.push(...(await this.#sendOrSplit(topic, records.slice(middle))));
    const limit = this.#limitOf(topic);
    const bytes = requestBytes(records);
    // No record was refused, so the request was too large: the next ones are smaller.
    if (refused.length === 0 && bytes <= limit) this.#limits.set(topic, Math.ceil(bytes / 2));
    return refused;
  }

  /** A record that is too large as it is may fit when compressed. */
  async #sendCompressed(topic: string, record: OutgoingRecord): Promise<RefusedRecord[]> {
    try {
      await this.#sendNow(topic, [record], CompressionTypes.GZIP);
      return [];
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === null) throw error;
      this.#replace();
      return [{ record, bytes: requestBytes([record]), reason: refusal.message }];
    }
  }

  async #sendNow(topic: string, records: readonly OutgoingRecord[], compression: CompressionTypes): Promise<void> {
    const messages = records.map(({ key, value, headers }): Message => ({
      key,
      value,
      ...(headers === undefined ? {} : { headers }),
    }));
    const producer = await this.#connected();
    await producer.send({ topic, messages, acks: -1, compression });
  }

  /** Waits for the current request and disconnects. Nothing can be sent afterwards. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#busy !== null) await this.#busy;
    const producer = await this.#producer?.catch(() => null);
    this.#producer = null;
    await producer?.disconnect();
  }
}

/** Kafka's partition of a key. Marks of one thread come one after another: its key is hashed once. */
function partitionOfKey(): ReturnType<ICustomPartitioner> {
  const partitionOf = Partitioners.DefaultPartitioner();
  let known: {
    readonly topic: string;
    readonly key: Message['key'];
    readonly count: number;
    readonly partition: number;
  } | null = null;
  return (given) => {
    const { topic, message, partitionMetadata } = given;
    const { key } = message;
    const count = partitionMetadata.length;
    // A record without a key may go anywhere, so each is asked for.
    if (
      known === null ||
      typeof key !== 'string' ||
      known.key !== key ||
      known.topic !== topic ||
      known.count !== count
    )
      known = { topic, key, count, partition: partitionOf(given) };
    return known.partition;
  };
}

function requestBytes(records: readonly OutgoingRecord[]): number {
  return records.reduce((sum, record) => sum + bytesOf(record), BYTES_AROUND_A_REQUEST);
}

/**
 * Splits the records of one topic into requests that the topic takes, even if all are of one partition. A larger record
 * goes alone.
 */
function* inRequests(records: readonly OutgoingRecord[], limit: number): Generator<OutgoingRecord[]> {
  let request: OutgoingRecord[] = [];
  let bytes = BYTES_AROUND_A_REQUEST;
  for (const record of records) {
    const own = bytesOf(record);
    if (request.length > 0 && (bytes + own > limit || request.length >= MAX_REQUEST_RECORDS)) {
      yield request;
      request = [];
      bytes = BYTES_AROUND_A_REQUEST;
    }
    request.push(record);
    bytes += own;
  }
  if (request.length > 0) yield request;
}
