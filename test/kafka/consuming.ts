import { expandEnvelope } from '@ctwa-ledger/schemas/envelope.ts';
import { DEFAULT_POLICY_SETTINGS } from '@ctwa-ledger/schemas/config.ts';
import { parseEvent } from '@ctwa-ledger/schemas/event.ts';
import { expect } from 'vitest';
import { z } from 'zod';
import { ingestFile } from '../../services/ingest/file.ts';
import { eventRecord } from '../../services/kafka/records.ts';
import { topicNames, type TopicNames } from '../../services/kafka/topics.ts';
import type { Database } from '../../services/clickhouse/database.ts';
import { randomTraffic } from '../oracle/arbitraries.ts';
import { oracleReports } from '../oracle/oracle.ts';
import type { RecordRead, RecordToSend, TestBroker } from '../support/kafka.ts';
import {
  begin,
  drop,
  EVERYTHING,
  inOrder,
  reportTexts,
  rowsOf,
  withLedger,
  writeNdjson,
  type ReportTexts,
  type Running,
} from '../support/ledger.ts';
import { until, type DataDirectory, type Env, type Finished } from '../support/product.ts';

const NOW = Math.floor(Date.now() / 1000);

/** Short, so that a killed member is missed soon. */
const SESSION_MS = '2000';

/** A value as a producer sends it: an event or an envelope as an object, anything else as it is. */
export type Value = object | string | Buffer | null;

function textOf(value: Value): string | Buffer | null {
  return value === null || typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value);
}

/** The raw events that a value holds. */
function eventsOf(value: unknown): unknown[] {
  const expanded = expandEnvelope(value);
  if (expanded === null) return [value];
  const [rejection] = expanded.rejections;
  if (rejection !== undefined) throw new Error(rejection.message);
  return expanded.events;
}

/** Random traffic whose messages nobody else's traffic has. */
export function traffic(seed: number, size: number): object[] {
  return randomTraffic(seed, size) as object[];
}

/** A `ctwa-ledger consume` under way. */
export class ConsumerProcess {
  readonly #running: Running;
  #stdout = '';
  #stderr = '';
  #hasEnded = false;

  constructor(running: Running) {
    this.#running = running;
    running.child.stdout?.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString('utf8')));
    running.child.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString('utf8')));
    void running.finished.then(() => (this.#hasEnded = true));
  }

  get log(): string {
    return this.#stderr;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get finished(): Promise<Finished> {
    return this.#running.finished;
  }

  /** Where it answers, once it says so. */
  url(): Promise<string> {
    return until('the consumer says where it answers', () => {
      if (this.#hasEnded) throw new Error(`It has ended: ${this.#stderr}`);
      return /^ctwa-ledger (?:is running|answers at): (http:\S+)$/m.exec(this.#stdout)?.[1] ?? null;
    });
  }

  /** The status of one of its pages; 0 when it takes too long to say, as a probe would have it. */
  async status(path: string): Promise<number> {
    try {
      const response = await fetch(`${await this.url()}${path}`, { signal: AbortSignal.timeout(3_000) });
      await response.arrayBuffer();
      return response.status;
    } catch {
      return 0;
    }
  }

  /** Waits until it is in its group and reaches its ledger. */
  async untilReady(): Promise<void> {
    await until('the consumer is ready', async () => (await this.status('/readyz')) === 200);
  }

  async untilNotReady(): Promise<void> {
    await until('the consumer is not ready', async () => (await this.status('/readyz')) !== 200);
  }

  /** Waits until it has logged something. */
  async says(words: string): Promise<void> {
    await until(`it says "${words}"`, () => {
      if (this.#stderr.includes(words)) return true;
      if (this.#hasEnded) throw new Error(`It has ended: ${this.#stderr}`);
      return false;
    });
  }

  /** Events by outcome, of one moment; that the sum is right is checked wherever they are read. */
  async counts(): Promise<Record<'read' | 'stored' | 'duplicate' | 'rejected', number>> {
    const response = await fetch(`${await this.url()}/metrics`);
    const lines = (await response.text()).matchAll(/^ctwa_events_total\{outcome="(\w+)"\} (\d+)$/gm);
    const counted = Object.fromEntries([...lines].map(([, outcome, count]) => [outcome, Number(count)]));
    const { read = 0, stored = 0, duplicate = 0, rejected = 0, produced = 0 } = counted;
    // A receiver before a broker has produced what it read, and it is read again when it is consumed.
    expect(stored + duplicate + rejected + produced).toBe(read);
    return { read, stored, duplicate, rejected };
  }

  /** The partitions that it has, by what it says of their lag: `topic/partition`. */
  async partitions(): Promise<string[]> {
    const response = await fetch(`${await this.url()}/metrics`);
    const lines = (await response.text()).matchAll(/^ctwa_consumer_lag\{topic="([^"]+)",partition="(\d+)"\}/gm);
    return [...lines].map(([, topic, partition]) => `${topic}/${partition}`);
  }

  signal(name: NodeJS.Signals): void {
    this.#running.child.kill(name);
  }

  /** As a container is stopped; it must go cleanly. */
  async stop(): Promise<Finished> {
    this.signal('SIGTERM');
    const finished = await this.finished;
    expect(finished.code, finished.stderr).toBe(0);
    return finished;
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.finished;
  }
}

let worlds = 0;

/** Topics, a group and a ledger of one test. */
export class World {
  readonly kafka: TestBroker;
  readonly data: DataDirectory;
  readonly prefix: string;
  readonly names: TopicNames;
  readonly group: string;
  readonly database: string;
  readonly #processes: ConsumerProcess[] = [];

  private constructor(kafka: TestBroker, data: DataDirectory) {
    this.kafka = kafka;
    this.data = data;
    this.prefix = `${kafka.unique('world')}.`;
    this.names = topicNames(this.prefix);
    this.group = kafka.unique('group');
    this.database = `world_${(worlds += 1)}`;
  }

  static async create(kafka: TestBroker, data: DataDirectory, partitions = 12): Promise<World> {
    const world = new World(kafka, data);
    await kafka.createTopics(Object.values(world.names), partitions);
    return world;
  }

  get env(): Env {
    return {
      KAFKA_BROKERS: this.kafka.brokers,
      KAFKA_TOPIC_PREFIX: this.prefix,
      KAFKA_SESSION_TIMEOUT_MS: SESSION_MS,
      CLICKHOUSE_DATABASE: this.database,
    };
  }

  /** Starts a consumer, on the engine of the data directory unless `env` names a server. */
  consume(options: { readonly args?: readonly string[]; readonly env?: Env } = {}): ConsumerProcess {
    const { args = [], env = {} } = options;
    const where = env['CLICKHOUSE_URL'] === undefined ? ['--data', this.data.path] : [];
    return this.command(['consume', '--group', this.group, '--port', '0', ...where, ...args], env);
  }

  /** Starts any command that serves, with the broker and ledger of this world. */
  command(args: readonly string[], env: Env = {}): ConsumerProcess {
    const process = new ConsumerProcess(begin(this.data, args, { env: { ...this.env, ...env } }));
    this.#processes.push(process);
    return process;
  }

  /** Sends values as the webhook receiver would: events to their topic and partition, envelopes to either topic. */
  async produce(values: readonly Value[], options: { readonly batch?: number } = {}): Promise<void> {
    const byTopic = new Map<string, RecordToSend[]>();
    values.forEach((value, i) => {
      const text = textOf(value);
      const parsed = value !== null && typeof value === 'object' ? parseEvent(value, NOW) : null;
      const { topic, key } =
        parsed?.ok === true
          ? eventRecord(parsed.event, this.names)
          : { topic: i % 2 === 0 ? this.names.messages : this.names.statuses, key: `unknown ${i}` };
      byTopic.set(topic, [...(byTopic.get(topic) ?? []), { key: key as string, value: text }]);
    });
    for (const [topic, records] of byTopic) await this.kafka.produce(topic, records, options);
  }

  /** Partitions of the sources that are not committed to their end: `topic/partition committed/end`. */
  async behind(): Promise<string[]> {
    const behind: string[] = [];
    for (const topic of [this.names.messages, this.names.statuses]) {
      const ends = await this.kafka.endOffsets(topic);
      const committed = await this.kafka.committedOffsets(this.group, topic);
      for (const [partition, end] of ends.entries())
        if (Math.max(0, committed[partition] ?? 0) !== end)
          behind.push(`${topic}/${partition} ${String(committed[partition])}/${end}`);
    }
    return behind;
  }

  /** Waits until the group has committed everything. */
  async untilCaughtUp(): Promise<void> {
    let behind: string[] = [];
    try {
      await until('the group has committed everything', async () => {
        // Others may be about to be asked of a broker that is about to be there.
        behind = await this.behind().catch((error: unknown) => [String(error)]);
        return behind.length === 0;
      });
    } catch (error) {
      const logs = this.#processes.map((process) => process.log.split('\n').slice(-15).join('\n')).join('\n----\n');
      throw new Error(`${String(error)} Behind: ${behind.join(', ')}\n${logs}`, { cause: error });
    }
  }

  /** Waits until the partitions are given out to these alone: each to one, and each number of both topics to the same. */
  async untilShared(members: readonly ConsumerProcess[]): Promise<void> {
    const { messages, statuses } = this.names;
    const count = (await this.kafka.endOffsets(messages)).length;
    const all = Array.from({ length: count }, (_, i) => `${messages}/${i} ${statuses}/${i}`).sort();
    await until('every partition has one member', async () => {
      const given: string[] = [];
      for (const member of members) {
        const own = await member.partitions();
        const ofMessages = own.filter((name) => name.startsWith(messages));
        const ofStatuses = new Set(own.filter((name) => name.startsWith(statuses)));
        if (ofMessages.length !== ofStatuses.size) return false;
        for (const name of ofMessages) {
          const other = name.replace(messages, statuses);
          if (!ofStatuses.has(other)) return false;
          given.push(`${name} ${other}`);
        }
      }
      return given.sort().join() === all.join();
    });
  }

  reports(): Promise<ReportTexts> {
    return withLedger(this.data, this.database, (ledger) => reportTexts(ledger.database));
  }

  /** Compares the ledger with one that has the same values from a file, and both with the naive rules. */
  async expectAsFromFile(values: readonly object[]): Promise<ReportTexts> {
    const file = writeNdjson(this.data, `${this.database}.ndjson`, values);
    const fromFile = await withLedger(this.data, `${this.database}_file`, async (ledger) => {
      await ingestFile(ledger, file, () => undefined);
      const texts = await reportTexts(ledger.database);
      await drop(ledger);
      return texts;
    });
    const actual = await this.reports();
    const expected = oracleReports({
      events: values.flatMap(eventsOf),
      accounts: [],
      policy: DEFAULT_POLICY_SETTINGS,
      tz: 'UTC',
      as_of: EVERYTHING.as_of,
    });
    expect(inOrder(rowsOf(fromFile))).toEqual(inOrder(expected));
    for (const [name, text] of Object.entries(fromFile))
      if (actual[name as keyof ReportTexts] !== text) expect(inOrder(rowsOf(actual))).toEqual(inOrder(expected));
    expect(actual.messages.split('\n').length).toBeGreaterThan(1);
    return fromFile;
  }

  /** What the billing topic says of each message last: the record of its highest version. */
  async lastBilling(): Promise<Map<string, Billing>> {
    const last = new Map<string, Billing>();
    for (const record of await this.kafka.readAll(this.names.billing)) {
      const billing = billingOf(record);
      const known = last.get(billing.id);
      if (known === undefined || BigInt(known.version) <= BigInt(billing.version)) last.set(billing.id, billing);
    }
    return last;
  }

  /** Every message of the ledger is on the billing topic, as the ledger has it. */
  async expectBillingComplete(): Promise<void> {
    const expected = await withLedger(this.data, this.database, (ledger) => billingOfLedger(ledger.database));
    const actual = await this.lastBilling();
    expect(Object.fromEntries([...actual].sort())).toEqual(Object.fromEntries([...expected].sort()));
  }

  /** Ends what a failed test left running. */
  async close(): Promise<void> {
    for (const process of this.#processes) if (!process.hasEnded) await process.kill();
  }
}

/** What a billing record and a row of the ledger have in common. */
export interface Billing {
  readonly id: string;
  readonly key: string;
  readonly version: string;
  readonly billing: string | null;
  readonly customer: string | null;
  readonly expires_at: string | null;
  readonly is_billable: boolean | null;
}

const billingSchema = z.strictObject({
  event: z.literal('message'),
  message_id: z.string(),
  phone_number_id: z.string(),
  participant: z.string().optional(),
  conversation: z
    .strictObject({ type: z.literal('FREE_ENTRY'), origin: z.string().optional(), expires_at: z.string().optional() })
    .optional(),
  pricing: z.strictObject({ category: z.string(), billable: z.boolean() }).optional(),
  customer: z.union([z.strictObject({ wa_id: z.string() }), z.strictObject({ user_id: z.string() })]).optional(),
  billing: z.string().nullable(),
  version: z.string(),
});

/** A group message has a record for each participant. */
function billingId(row: { phone_number_id: string; message_id: string; participant?: string | undefined }): string {
  return `${row.phone_number_id}/${row.message_id}/${row.participant ?? ''}`;
}

export function billingOf(record: Pick<RecordRead, 'key' | 'value'>): Billing {
  const value = billingSchema.parse(JSON.parse(record.value ?? 'null'));
  const { customer } = value;
  return {
    id: billingId(value),
    key: record.key ?? '',
    version: value.version,
    billing: value.billing,
    customer: customer === undefined ? null : 'wa_id' in customer ? customer.wa_id : customer.user_id,
    expires_at: value.conversation?.expires_at ?? null,
    is_billable: value.pricing?.billable ?? null,
  };
}

const markRow = z.object({
  phone_number_id: z.string(),
  message_id: z.string(),
  participant: z.string(),
  version: z.string(),
  is_retracted: z.number(),
  customer: z.string(),
  billing: z.string(),
  expires_at: z.string(),
});

async function billingOfLedger(database: Database): Promise<Map<string, Billing>> {
  const rows = await database.query(
    markRow,
    // Past the version, a row that was retracted is left out by FINAL; here it counts as one that says so.
    `SELECT m.phone_number_id AS phone_number_id, m.message_id AS message_id, m.participant AS participant, m.version AS version,
        m.is_retracted AS is_retracted, m.customer AS customer, m.billing AS billing,
        ifNull(formatDateTime(e.expires_at, '%FT%TZ'), '') AS expires_at
     FROM (SELECT * FROM message_marks ORDER BY version DESC, is_retracted LIMIT 1 BY phone_number_id, message_id, participant) AS m
     LEFT JOIN (SELECT * FROM entry_marks FINAL) AS e
         ON m.phone_number_id = e.phone_number_id AND m.conversation_id = e.entry_id`,
  );
  return new Map(
    rows.map((row): [string, Billing] => {
      const id = billingId(row);
      if (row.is_retracted === 1)
        return [
          id,
          {
            id,
            key: `${row.phone_number_id}:${row.customer}`,
            version: row.version,
            billing: null,
            customer: null,
            expires_at: null,
            is_billable: null,
          },
        ];
      return [
        id,
        {
          id,
          key: `${row.phone_number_id}:${row.customer}`,
          version: row.version,
          billing: row.billing,
          customer: row.customer === '' ? null : /^\d+$/.test(row.customer) ? `+${row.customer}` : row.customer,
          expires_at: row.billing === 'FREE_ENTRY' && row.expires_at !== '' ? row.expires_at : null,
          is_billable: row.billing === 'BILLABLE',
        },
      ];
    }),
  );
}
