import kafkajs, {
  CompressionTypes,
  Partitioners,
  type IHeaders,
  type Kafka,
  type Message,
  type Producer,
} from 'kafkajs';
import { causesOf } from './connection.ts';
import { DEFAULT_RECORD_BYTES, topicSettings } from './topics.ts';

// Not among the names that Node finds in the package by itself.
const { KafkaJSProtocolError } = kafkajs;

/** A record on its way to a topic. */
export interface OutgoingRecord {
  readonly topic: string;
  readonly key: string | Buffer | null;
  readonly value: string | Buffer;
  readonly headers?: IHeaders;
}

/** A record that its topic does not take, alone and compressed: sending it again changes nothing. */
export interface RefusedRecord {
  readonly record: OutgoingRecord;
  /** As it stands in a request, uncompressed. */
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

/** Sent in one request at most, even if the topic takes more. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
const MAX_REQUEST_RECORDS = 10_000;
/** Asked again after so long: an administrator may have changed it. */
const LIMITS_HOLD_MS = 60_000;
/** Around all records of a request, and at most around one of them and around one header. */
const BYTES_AROUND_A_REQUEST = 61;
const BYTES_AROUND_A_RECORD = 36;
const BYTES_AROUND_A_HEADER = 10;

/** What a record adds to a request, uncompressed, rounded up. */
function bytesOf(record: OutgoingRecord): number {
  let bytes = BYTES_AROUND_A_RECORD + Buffer.byteLength(record.value);
  if (record.key !== null) bytes += Buffer.byteLength(record.key);
  for (const [name, value] of Object.entries(record.headers ?? {}))
    bytes += BYTES_AROUND_A_HEADER + Buffer.byteLength(name) + Buffer.byteLength(String(value));
  return bytes;
}

/** What a broker refuses for a record's own sake: its size, or what its topic demands of it. */
const REFUSALS = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD']);

function refusalOf(error: unknown): Error | null {
  return causesOf(error).find((cause) => cause instanceof KafkaJSProtocolError && REFUSALS.has(cause.type)) ?? null;
}

/**
 * Sends records with acks=all, idempotently. One request at a time: what waits meanwhile goes together as the next. A
 * request holds no more of a topic than that takes for one partition. A producer that failed is replaced, because its
 * sequence numbers may be beyond repair.
 */
export class RecordProducer {
  readonly #kafka: Kafka;
  #producer: Promise<Producer> | null = null;
  /** What topics take for one partition at once, in bytes, as far as it is known. */
  #limits = new Map<string, number>();
  #limitsAskedAt = -Infinity;
  #waiting: Waiting[] = [];
  #busy: Promise<void> | null = null;
  #isClosed = false;

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
  }

  /**
   * Resolves when all in-sync replicas have the records; of one call and topic they stay in order.
   * @returns those that their topic does not take; all others are stored
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
        // A topic that nobody made would come with one partition, whatever the others have.
        allowAutoTopicCreation: false,
        createPartitioner: Partitioners.DefaultPartitioner,
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
      // A user without the right to ask is refused when it sends.
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
    for (const topic of unknown) if (!this.#limits.has(topic)) this.#limits.set(topic, DEFAULT_RECORD_BYTES);
  }

  /** Sends records of one topic in one request; those that the broker refuses are found by halving. */
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
    // Nothing was wrong with any of them: it was the request, so the next ones are smaller.
    if (refused.length === 0 && bytes <= limit) this.#limits.set(topic, Math.ceil(bytes / 2));
    return refused;
  }

  /** A record that does not fit as it is may fit compressed. */
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

  /** Waits for what is being sent and lets go of the broker; nothing can be sent any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#busy !== null) await this.#busy;
    const producer = await this.#producer?.catch(() => null);
    this.#producer = null;
    await producer?.disconnect();
  }
}

function requestBytes(records: readonly OutgoingRecord[]): number {
  return records.reduce((sum, record) => sum + bytesOf(record), BYTES_AROUND_A_REQUEST);
}

/** Records of one topic in requests that it takes, even when all are of one partition; what is larger goes alone. */
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
