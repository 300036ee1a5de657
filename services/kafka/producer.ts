import kafkajs, { CompressionTypes, Partitioners, type IHeaders, type Kafka, type Producer } from 'kafkajs';

// Not among the names that Node finds in the package by itself.
const { KafkaJSProtocolError } = kafkajs;

/** A record on its way to a topic. */
export interface OutgoingRecord {
  readonly topic: string;
  readonly key: string | Buffer | null;
  readonly value: string | Buffer;
  readonly headers?: IHeaders;
}

interface Waiting {
  readonly records: readonly OutgoingRecord[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Sent at once: with one value of 3 MB over it still within what a topic of ours takes for one partition. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
const MAX_BATCH_RECORDS = 10_000;
const BYTES_AROUND_A_RECORD = 100;

function bytesOf(record: OutgoingRecord): number {
  const keyBytes = record.key === null ? 0 : Buffer.byteLength(record.key);
  return Buffer.byteLength(record.value) + keyBytes + BYTES_AROUND_A_RECORD;
}

/** Whether a broker refused a record for its size: sending it again changes nothing. */
export function isTooLarge(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if (
      cause instanceof KafkaJSProtocolError &&
      (cause.type === 'MESSAGE_TOO_LARGE' || cause.type === 'RECORD_LIST_TOO_LARGE')
    )
      return true;
  return false;
}

/**
 * Sends records with acks=all, idempotently. One request at a time: what waits meanwhile goes together as the next. A
 * producer that failed is replaced, because its sequence numbers may be beyond repair.
 */
export class RecordProducer {
  readonly #kafka: Kafka;
  #producer: Promise<Producer> | null = null;
  #waiting: Waiting[] = [];
  #busy: Promise<void> | null = null;
  #isClosed = false;

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
  }

  /**
   * Resolves when all in-sync replicas have the records; of one call they stay in order.
   * @throws what the broker said, after some attempts; some of the records may have been stored
   */
  send(records: readonly OutgoingRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve();
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

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      let bytes = 0;
      let records = 0;
      const fits = this.#waiting.findIndex((next, i) => {
        bytes += next.bytes;
        records += next.records.length;
        return i > 0 && (bytes > MAX_BATCH_BYTES || records > MAX_BATCH_RECORDS);
      });
      const batch = this.#waiting.splice(0, fits === -1 ? this.#waiting.length : fits);
      try {
        for (const some of inRequests(batch.flatMap((waiting) => waiting.records))) await this.#sendNow(some);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        const failed = this.#producer;
        this.#producer = null;
        void failed?.then((producer) => producer.disconnect()).catch(() => undefined);
        for (const { reject } of batch) reject(error);
      }
    }
    this.#busy = null;
  }

  async #sendNow(records: readonly OutgoingRecord[]): Promise<void> {
    const byTopic = new Map<string, OutgoingRecord[]>();
    for (const record of records) {
      const known = byTopic.get(record.topic);
      if (known === undefined) byTopic.set(record.topic, [record]);
      else known.push(record);
    }
    const producer = await this.#connected();
    await producer.sendBatch({
      acks: -1,
      compression: CompressionTypes.None,
      topicMessages: [...byTopic].map(([topic, messages]) => ({
        topic,
        messages: messages.map(({ key, value, headers }) => ({
          key,
          value,
          ...(headers === undefined ? {} : { headers }),
        })),
      })),
    });
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

function* inRequests(records: readonly OutgoingRecord[]): Generator<OutgoingRecord[]> {
  let request: OutgoingRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const own = bytesOf(record);
    if (request.length > 0 && (bytes + own > MAX_BATCH_BYTES || request.length >= MAX_BATCH_RECORDS)) {
      yield request;
      request = [];
      bytes = 0;
    }
    request.push(record);
    bytes += own;
  }
  if (request.length > 0) yield request;
}
