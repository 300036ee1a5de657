/**
 * The consumers' numbers on a real broker on this machine: `npm run bench -- kafka`. Prints the machine, the sizes and
 * every figure. Broker, engine and consumer share its cores.
 *
 * CTWA_BENCH_THREADS (default 35,000: about 1,000,000 events) is the size of the backlog, CTWA_BENCH_LEDGER_THREADS
 * (default 175,000: about 5,000,000 events) that of the ledger under live traffic.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { z } from 'zod';
import { installKafka, startBroker } from '../../scripts/kafka/broker.js';
import { connectKafka } from '../../services/kafka/connection.ts';
import { RecordProducer, type OutgoingRecord } from '../../services/kafka/producer.ts';
import { eventRecord } from '../../services/kafka/records.ts';
import { createTopics, topicNames } from '../../services/kafka/topics.ts';
import { readValue } from '../../services/ingest/value.ts';
import { simulate } from '../../services/simulate/simulate.ts';

const CLI = fileURLToPath(new URL('../../node_modules/.bin/ctwa-ledger', import.meta.url));
const CONSUMER = fileURLToPath(new URL('consumer-process.ts', import.meta.url));
const THREADS = Number(process.env['CTWA_BENCH_THREADS'] ?? 35_000);
const LEDGER_THREADS = Number(process.env['CTWA_BENCH_LEDGER_THREADS'] ?? 175_000);
const END_AT = Date.UTC(2026, 9, 31) / 1000;
const PARTITIONS = 12;
const LIVE_PER_SECOND = 2_000;
const LIVE_SECONDS = 90;
/** While caches fill and files of the ledger come into memory. */
const WARM_SECONDS = 15;
const PRODUCE_BATCH = 5_000;

const home = mkdtempSync(join(tmpdir(), 'ctwa-bench-kafka-'));
const names = topicNames('');
const silent = pino({ level: 'silent' });

function line(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(64)} ${figure}\n`);
}

function seconds(since: number): number {
  return (performance.now() - since) / 1000;
}

function percentile(sorted: readonly number[], p: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;
}

const batchSchema = z.object({
  at: z.number(),
  read: z.number(),
  stored: z.number(),
  duplicate: z.number(),
  rejected: z.number(),
  emitted: z.number(),
  seconds: z.number(),
  delays: z.array(z.number()),
});
type Batch = z.infer<typeof batchSchema>;

/** A consumer process; `batches` grows as it works. */
class ConsumerProcess {
  readonly batches: Batch[] = [];
  readonly #child;
  #peakKiB = 0;
  /** Most memory of every second or so, MiB. */
  readonly memory: number[] = [];

  constructor(broker: string, dataDir: string, group: string) {
    this.#child = spawn(
      process.execPath,
      ['--max-semi-space-size=64', '--import', 'tsx', CONSUMER, broker, dataDir, group],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, LOG_LEVEL: 'warn' } },
    );
    createInterface({ input: this.#child.stdout }).on('line', (text) => {
      this.batches.push(batchSchema.parse(JSON.parse(text)));
      this.#measure();
    });
  }

  #measure(): void {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
      this.memory.push(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
      this.#peakKiB = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
    } catch {
      // It has ended between two looks.
    }
  }

  get read(): number {
    return this.batches.reduce((sum, batch) => sum + batch.read, 0);
  }

  get peakMiB(): number {
    return this.#peakKiB / 1024;
  }

  async until(read: number): Promise<void> {
    while (this.read < read) {
      if (this.#child.exitCode !== null) throw new Error(`The consumer ended with ${this.#child.exitCode}.`);
      await sleep(20);
    }
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}

function recordsOf(text: string): OutgoingRecord[] {
  return readValue(text, END_AT + 86_400).flatMap((outcome) =>
    outcome.kind === 'event' ? [eventRecord(outcome.event, names)] : [],
  );
}

async function produceFile(producer: RecordProducer, file: string): Promise<number> {
  let waiting: OutgoingRecord[] = [];
  let produced = 0;
  const send = async (): Promise<void> => {
    await producer.send(waiting);
    produced += waiting.length;
    waiting = [];
  };
  for await (const text of createInterface({ input: createReadStream(file) })) {
    waiting.push(...recordsOf(text));
    if (waiting.length >= PRODUCE_BATCH) await send();
  }
  await send();
  return produced;
}

/** Writes simulated traffic, the last `tail` lines to a file of their own. */
async function writeTraffic(path: string, threads: number, seed: number, tailPath = '', tail = 0): Promise<number> {
  const lines: string[] = [];
  const out = createWriteStream(path);
  let count = 0;
  const keep = async (text: string): Promise<void> => {
    if (!out.write(text)) await once(out, 'drain');
  };
  for (const event of simulate({ threads, days: 90, seed, end_at: END_AT })) {
    lines.push(event);
    count += 1;
    if (lines.length >= tail + 20_000) await keep(`${lines.splice(0, 20_000).join('\n')}\n`);
  }
  const rest = lines.splice(0, Math.max(0, lines.length - tail));
  if (rest.length > 0) await keep(`${rest.join('\n')}\n`);
  out.end();
  await once(out, 'finish');
  if (tailPath !== '') {
    const last = createWriteStream(tailPath);
    last.end(`${lines.join('\n')}\n`);
    await once(last, 'finish');
  }
  return count;
}

/** What kafkajs reaches when it reads both topics, settings as ours, and drops what it reads. */
async function readAndDrop(broker: string, total: number): Promise<number> {
  const kafka = connectKafka({ brokers: [broker], tls: null, sasl: null, topicPrefix: '' }, silent);
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
        if (read >= total) resolve(seconds(began));
        return Promise.resolve();
      },
    });
  });
  await consumer.disconnect();
  return took;
}

async function run(command: readonly string[]): Promise<void> {
  const child = spawn(CLI, command, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}`);
}

installKafka();
const broker = await startBroker({ dataDir: join(home, 'kafka') });
const kafka = connectKafka({ brokers: [broker.brokers], tls: null, sasl: null, topicPrefix: '' }, silent);
const admin = kafka.admin();
const producer = new RecordProducer(kafka);
try {
  line(
    'machine',
    `${cpus().length} × ${cpus()[0]?.model ?? '?'}, ${(totalmem() / 1024 ** 3).toFixed(0)} GiB, Node ${process.version}`,
  );
  await admin.connect();
  await createTopics(admin, names, { partitions: PARTITIONS, replication: 1 });

  const backlog = join(home, 'backlog.ndjson');
  await writeTraffic(backlog, THREADS, 7);
  const producing = performance.now();
  const events = await produceFile(producer, backlog);
  line(
    'backlog',
    `${events} events in 2 × ${PARTITIONS} partitions, produced at ${Math.round(events / seconds(producing))}/s`,
  );

  const dropped = await readAndDrop(broker.brokers, events);
  line('kafkajs reads and drops', `${dropped.toFixed(2)} s, ${Math.round(events / dropped)}/s`);
  const dataDir = join(home, 'ledger');
  await run(['doctor', '--data', dataDir]);
  const first = new ConsumerProcess(broker.brokers, dataDir, 'bench');
  await first.until(1);
  // From when the first batch began: joining the group is not reading.
  const opening = first.batches[0];
  const began = (opening?.at ?? 0) - (opening?.seconds ?? 0) * 1000;
  await first.until(events);
  const took = ((first.batches.at(-1)?.at ?? 0) - began) / 1000;
  const emitted = first.batches.reduce((sum, batch) => sum + batch.emitted, 0);
  line(
    'one consumer: landed, folded, marked, emitted, committed',
    `${took.toFixed(2)} s, ${Math.round(events / took)}/s (≥ 80,000 wanted), ${emitted} marks emitted`,
  );
  line('  ÷ read and drop (≥ 0.3 wanted)', (dropped / took).toFixed(2));
  await first.stop();
  line('  memory of the process, first third and last third of the batches, peak', memoryOf(first));

  const large = join(home, 'large.ndjson');
  const tail = join(home, 'tail.ndjson');
  const live = LIVE_PER_SECOND * LIVE_SECONDS;
  const stored = await writeTraffic(large, LEDGER_THREADS, 11, tail, live);
  const largeDir = join(home, 'large');
  await run(['ingest', large, '--data', largeDir]);
  const consumer = new ConsumerProcess(broker.brokers, largeDir, 'bench-live');
  // The backlog of before comes first, into the same ledger: more than five million events pass through one process or lie in it.
  await consumer.until(events);
  const before = consumer.batches.length;
  line('ledger under live traffic', `${stored - live + events} events`);
  let due: OutgoingRecord[] = [];
  let sent = 0;
  const start = performance.now();
  const sending: Promise<unknown>[] = [];
  for await (const text of createInterface({ input: createReadStream(tail) })) {
    due.push(...recordsOf(text));
    if (due.length < LIVE_PER_SECOND / 20) continue;
    sent += due.length;
    sending.push(producer.send(due));
    due = [];
    const ahead = (sent / LIVE_PER_SECOND) * 1000 - (performance.now() - start);
    if (ahead > 0) await sleep(ahead);
  }
  await Promise.all(sending);
  await consumer.until(events + sent);
  const batches = consumer.batches.slice(before);
  const from = (batches[0]?.at ?? 0) + WARM_SECONDS * 1000;
  const delays = batches
    .filter((batch) => batch.at >= from)
    .flatMap((batch) => batch.delays)
    .sort((a, b) => a - b);
  line(
    `event to ledger at ${Math.round(sent / (LIVE_SECONDS || 1))}/s, after ${WARM_SECONDS} s`,
    `p50 ${percentile(delays, 0.5)} ms, p99 ${percentile(delays, 0.99)} ms, most ${delays.at(-1) ?? Number.NaN} ms (p50 < 300, p99 < 1,000 wanted)`,
  );
  const cycles = batches.map((batch) => batch.seconds * 1000).sort((a, b) => a - b);
  line('  batches', `${batches.length}, median ${percentile(cycles, 0.5).toFixed(0)} ms`);
  await consumer.stop();
  line('  memory of the process, first third and last third of the batches, peak', memoryOf(consumer));
} finally {
  await producer.close().catch(() => undefined);
  await admin.disconnect();
  await broker.stop();
  rmSync(home, { recursive: true, force: true });
}

function memoryOf(consumer: ConsumerProcess): string {
  const { memory } = consumer;
  const third = Math.ceil(memory.length / 3);
  const most = (figures: readonly number[]): string => Math.max(0, ...figures).toFixed(0);
  return `${most(memory.slice(0, third))} MiB, ${most(memory.slice(-third))} MiB, ${consumer.peakMiB.toFixed(0)} MiB`;
}
