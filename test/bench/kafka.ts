/**
 * The consumers' numbers on a real broker on this machine: `npm run bench -- kafka`. Prints the machine, the sizes, and
 * every figure beside its goal, the backlog's beside what a file of the same events takes. Broker, engine and consumer share
 * the cores.
 *
 * CTWA_BENCH_THREADS (default 35,000: about 1,000,000 events) is the size of the backlog and of the ledger under live
 * traffic. CTWA_BENCH_LARGE_THREADS (350,000: about 10,000,000 events) adds live traffic on a ledger of that many; by default
 * there is none. CTWA_BENCH_LIVE_SECONDS (default 90) is how long live traffic lasts.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Kafka } from 'kafkajs';
import { pino } from 'pino';
import { z } from 'zod';
import { installKafka, startBroker } from '../../scripts/kafka/broker.js';
import { Database } from '../../services/clickhouse/database.ts';
import { readValue } from '../../services/ingest/value.ts';
import { connectKafka } from '../../services/kafka/connection.ts';
import { RecordProducer, type OutgoingRecord } from '../../services/kafka/record-producer.ts';
import { eventRecord } from '../../services/kafka/records.ts';
import { createTopics, topicNames, type TopicNames } from '../../services/kafka/topics.ts';
import { settleSummaries } from '../../services/ledger/derived/summaries.ts';
import { settleCharges } from '../../services/rating/charges.ts';
import { judge, median, percentile, rate, say, sayMachine, secondsSince } from './figures.ts';
import { engineUse, floorOf, ingest, prepareLedger, stopEngine, useOf } from './processes.ts';
import { END_AT, QUARTER_DAYS, writeTraffic } from './traffic.ts';

const CONSUMER = fileURLToPath(new URL('consumer-process.ts', import.meta.url));
const THREADS = Number(process.env['CTWA_BENCH_THREADS'] ?? 35_000);
const LARGE_THREADS = Number(process.env['CTWA_BENCH_LARGE_THREADS'] ?? 0);
const PARTITIONS = 12;
const LIVE_PER_SECOND = 2_000;
const LIVE_SECONDS = Number(process.env['CTWA_BENCH_LIVE_SECONDS'] ?? 90);
/** While caches fill and files of the ledger come into memory. */
const WARM_SECONDS = LIVE_SECONDS / 6;
const PRODUCE_BATCH = 5_000;
const MAX_MEMORY_MIB = 1_536;

const home = mkdtempSync(join(tmpdir(), 'ctwa-bench-kafka-'));
const silent = pino({ level: 'silent' });

const batchSchema = z.object({
  at: z.number(),
  read: z.number(),
  stored: z.number(),
  duplicate: z.number(),
  rejected: z.number(),
  emitted: z.number(),
  seconds: z.number(),
  marked: z.array(z.number()),
  emitted_after: z.array(z.number()),
});
type Batch = z.infer<typeof batchSchema>;

/** A consumer process; `batches` grows as it works. */
class ConsumerProcess {
  readonly batches: Batch[] = [];
  /** After every batch, MiB. */
  readonly #memory: number[] = [];
  readonly #child;
  readonly #dataDir: string;
  #peakMiB = 0;

  constructor(broker: string, dataDir: string, prefix: string) {
    this.#dataDir = dataDir;
    this.#child = spawn(
      process.execPath,
      ['--max-semi-space-size=64', '--import', 'tsx', CONSUMER, broker, dataDir, prefix],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, LOG_LEVEL: 'warn' } },
    );
    createInterface({ input: this.#child.stdout }).on('line', (text) => {
      this.batches.push(batchSchema.parse(JSON.parse(text)));
      const use = useOf(this.#child.pid);
      if (use === null) return;
      this.#memory.push(use.memoryMiB);
      this.#peakMiB = use.peakMiB;
    });
  }

  get read(): number {
    return this.batches.reduce((sum, batch) => sum + batch.read, 0);
  }

  async until(read: number): Promise<void> {
    while (this.read < read) {
      if (this.#child.exitCode !== null) throw new Error(`The consumer ended with ${this.#child.exitCode}.`);
      await sleep(20);
    }
  }

  async stop(): Promise<void> {
    const third = Math.ceil(this.#memory.length / 3);
    const most = (figures: readonly number[]): string => Math.max(0, ...figures).toFixed(0);
    const thirds = [0, third, 2 * third].map((from) => most(this.#memory.slice(from, from + third)));
    say('  memory in the thirds of the run', `${thirds.join(', ')} MiB`);
    judge('  peak memory of the consumer', this.#peakMiB, ' MiB', { sign: '<', figure: MAX_MEMORY_MIB });
    judge('  peak memory of the engine', engineUse(this.#dataDir).peakMiB, ' MiB', {
      sign: '<',
      figure: MAX_MEMORY_MIB,
    });
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
    await stopEngine(this.#dataDir);
  }
}

function recordsOf(text: string, names: TopicNames): OutgoingRecord[] {
  return readValue(text, END_AT + 86_400).flatMap((outcome) =>
    outcome.kind === 'event' ? [eventRecord(outcome.event, names)] : [],
  );
}

async function produceFile(producer: RecordProducer, file: string, names: TopicNames): Promise<void> {
  let waiting: OutgoingRecord[] = [];
  for await (const text of createInterface({ input: createReadStream(file) })) {
    waiting.push(...recordsOf(text, names));
    if (waiting.length < PRODUCE_BATCH) continue;
    await producer.send(waiting);
    waiting = [];
  }
  await producer.send(waiting);
}

/** The records of a file, made before they are sent: making them must not take the cores of what is measured. */
async function recordsOfFile(file: string, names: TopicNames): Promise<OutgoingRecord[]> {
  const records: OutgoingRecord[] = [];
  for await (const text of createInterface({ input: createReadStream(file) })) records.push(...recordsOf(text, names));
  return records;
}

/** Sends records at the pace of live traffic. */
async function sendLive(producer: RecordProducer, records: readonly OutgoingRecord[]): Promise<void> {
  const sending: Promise<unknown>[] = [];
  const began = performance.now();
  for (let sent = 0; sent < records.length;) {
    const due = records.slice(sent, sent + LIVE_PER_SECOND / 20);
    sent += due.length;
    sending.push(producer.send(due));
    const ahead = (sent / LIVE_PER_SECOND) * 1000 - (performance.now() - began);
    if (ahead > 0) await sleep(ahead);
  }
  await Promise.all(sending);
}

/** What kafkajs reaches when it reads both topics, settings as ours, and drops what it reads. */
async function readAndDrop(kafka: Kafka, names: TopicNames, total: number): Promise<number> {
  const consumer = kafka.consumer({
    groupId: `bench-drop-${Date.now()}`,
    maxWaitTimeInMs: 100,
    maxBytes: 24 * 1024 * 1024,
    maxBytesPerPartition: 4 * 1024 * 1024,
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [names.messages, names.statuses], fromBeginning: true });
  let read = 0;
  let began = 0;
  const took = await new Promise<number>((resolve) => {
    void consumer.run({
      autoCommit: false,
      eachBatch: ({ batch }) => {
        if (began === 0) began = performance.now();
        read += batch.messages.length;
        if (read >= total) resolve(secondsSince(began));
        return Promise.resolve();
      },
    });
  });
  await consumer.disconnect();
  return took;
}

installKafka();
const broker = await startBroker({ dataDir: join(home, 'kafka') });
const kafka = connectKafka({ brokers: [broker.brokers], tls: null, sasl: null, topicPrefix: '' }, silent);
const admin = kafka.admin();
const producer = new RecordProducer(kafka);

/** Topics of their own, so that nothing else is read before them. */
async function topicsOf(prefix: string): Promise<TopicNames> {
  const names = topicNames(prefix);
  await createTopics(admin, names, { partitions: PARTITIONS, replication: 1 });
  return names;
}

async function measureBacklog(): Promise<void> {
  const file = join(home, 'backlog.ndjson');
  const events = await writeTraffic(file, { threads: THREADS, days: QUARTER_DAYS, seed: 7 });
  const floor = await floorOf(file, join(home, 'floor'));
  const fileDir = join(home, 'file');
  await prepareLedger(fileDir);
  const { seconds: fileTook } = await ingest(fileDir, file);
  await stopEngine(fileDir);
  const names = await topicsOf('backlog.');
  const producing = performance.now();
  await produceFile(producer, file, names);
  rmSync(file);
  say(
    'backlog',
    `${events} events in 2 × ${PARTITIONS} partitions, produced in ${rate(events, secondsSince(producing))}`,
  );
  say('  floor: the same events from a file, folded roughly', rate(events, floor));
  say('  file → marked ledger', rate(events, fileTook));
  const dropped = await readAndDrop(kafka, names, events);
  say('  kafkajs reads and drops', rate(events, dropped));

  const dataDir = join(home, 'backlog');
  await prepareLedger(dataDir);
  const consumer = new ConsumerProcess(broker.brokers, dataDir, 'backlog.');
  await consumer.until(1);
  // From when the first batch began: joining the group is not reading.
  const opening = consumer.batches[0];
  const began = (opening?.at ?? 0) - (opening?.seconds ?? 0) * 1000;
  await consumer.until(events);
  const took = ((consumer.batches.at(-1)?.at ?? 0) - began) / 1000;
  const emitted = consumer.batches.reduce((sum, batch) => sum + batch.emitted, 0);
  say('  one consumer: landed, marked, emitted, committed', `${took.toFixed(2)} s, ${emitted} marks emitted`);
  judge('  rate of one consumer', events / took, '/s', { sign: '≥', figure: 80_000 });
  judge('    ÷ rate of the file', fileTook / took, ' ×', { sign: '≥', figure: 0.7 });
  say('    ÷ read and drop', `${(dropped / took).toFixed(2)} ×`);
  say('    ÷ floor', `${(floor / took).toFixed(2)} ×`);
  await consumer.stop();
}

/** Recomputes all that the import of a ledger left to be recomputed: live traffic is measured without it. */
async function settleLedger(dataDir: string): Promise<void> {
  const database = new Database({ kind: 'embedded', dataDir }, 'ctwa_ledger');
  try {
    await settleSummaries(database);
    await settleCharges(database);
  } finally {
    await database.close();
  }
}

interface Delays {
  readonly p50: number;
  readonly p99: number;
}

async function measureLive(name: string, threads: number): Promise<Delays> {
  const file = join(home, `${name}.ndjson`);
  const tail = join(home, `${name}-tail.ndjson`);
  const traffic = { threads, days: QUARTER_DAYS, seed: 11 };
  await writeTraffic(file, traffic, { path: tail, events: LIVE_PER_SECOND * LIVE_SECONDS });
  const dataDir = join(home, name);
  await prepareLedger(dataDir);
  const { stored } = await ingest(dataDir, file);
  rmSync(file);
  const settling = performance.now();
  await settleLedger(dataDir);
  say('settled after the import', `${secondsSince(settling).toFixed(1)} s`);
  const names = await topicsOf(`${name}.`);
  const consumer = new ConsumerProcess(broker.brokers, dataDir, `${name}.`);
  const records = await recordsOfFile(tail, names);
  const joining = performance.now();
  const first = records.slice(0, 1);
  await producer.send(first);
  await consumer.until(first.length);
  const joined = secondsSince(joining).toFixed(1);
  say('live traffic', `onto a ledger of ${stored} events; the first batch ${joined} s after the start`);
  const began = performance.now();
  await sendLive(producer, records);
  say('  sent at', rate(records.length, secondsSince(began)));
  await consumer.until(first.length + records.length);
  const from = (consumer.batches[0]?.at ?? 0) + WARM_SECONDS * 1000;
  const warm = consumer.batches.filter((batch) => batch.at >= from);
  const delays = warm.flatMap((batch) => batch.marked);
  const [p50, p99] = [median(delays), percentile(delays, 0.99)];
  judge(`  event to ledger, p50, after ${WARM_SECONDS.toFixed(0)} s`, p50, ' ms', { sign: '<', figure: 150 });
  judge('  event to ledger, p99', p99, ' ms', { sign: '<', figure: 500 });
  const emitted = warm.flatMap((batch) => batch.emitted_after);
  say('  event to emitted mark, p50, p99', `${median(emitted).toFixed(0)}, ${percentile(emitted, 0.99).toFixed(0)} ms`);
  const cycle = median(consumer.batches.map((batch) => batch.seconds * 1000));
  say('  batches', `${consumer.batches.length}, median ${cycle.toFixed(0)} ms`);
  await consumer.stop();
  return { p50, p99 };
}

try {
  sayMachine();
  await admin.connect();
  await measureBacklog();
  const usual = await measureLive('live', THREADS);
  if (LARGE_THREADS > 0) {
    const large = await measureLive('large', LARGE_THREADS);
    judge('  p50 ÷ that of the smaller ledger', large.p50 / usual.p50, ' ×', { sign: '≤', figure: 1.3 });
    judge('  p99 ÷ that of the smaller ledger', large.p99 / usual.p99, ' ×', { sign: '≤', figure: 1.3 });
  }
} finally {
  await producer.close().catch(() => undefined);
  await admin.disconnect();
  await broker.stop();
  rmSync(home, { recursive: true, force: true });
}
