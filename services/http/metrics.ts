import type { ProcessFigures } from '@ctwa-ledger/schemas/health.ts';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { WebhookSecrets } from '../ingest/webhook.ts';
import type { ConsumerObserver } from '../kafka/consumer-service.ts';

const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30, 60, 300];

/** The figures of `/metrics`. */
export class Metrics {
  readonly registry = new Registry();
  readonly events = new Counter({
    name: 'ctwa_events_total',
    help: 'Events by outcome; read = stored + duplicate + rejected, and + produced where a webhook feeds a broker.',
    labelNames: ['outcome'],
    registers: [this.registry],
  });
  readonly deliverySeconds = new Histogram({
    name: 'ctwa_webhook_delivery_seconds',
    help: 'From a webhook delivery to its answer, in seconds.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  });
  readonly failures = new Counter({
    name: 'ctwa_failures_total',
    help: 'Work that failed and is tried again, by kind.',
    labelNames: ['work'],
    registers: [this.registry],
  });
  readonly lag = new Gauge({
    name: 'ctwa_consumer_lag',
    help: 'Records that the group has not committed yet, of the partitions that this process has.',
    labelNames: ['topic', 'partition'],
    registers: [this.registry],
  });
  readonly batchSeconds = new Histogram({
    name: 'ctwa_batch_seconds',
    help: 'From the first record of a batch to its marks in the ledger, in seconds.',
    buckets: SECONDS,
    registers: [this.registry],
  });
  readonly rebuildSeconds = new Histogram({
    name: 'ctwa_rebuild_seconds',
    help: 'Landing the last of a batch, folding its threads and writing their marks, in seconds.',
    buckets: SECONDS,
    registers: [this.registry],
  });
  readonly eventToLedgerSeconds = new Histogram({
    name: 'ctwa_event_to_ledger_seconds',
    help: 'From the broker taking a record to its marks in the ledger, in seconds.',
    buckets: SECONDS,
    registers: [this.registry],
  });
  readonly deadLetters = new Counter({
    name: 'ctwa_dead_letters_total',
    help: 'Values that could not be used, by reason.',
    labelNames: ['code'],
    registers: [this.registry],
  });
  readonly rebalances = new Counter({
    name: 'ctwa_rebalances_total',
    help: 'How often the group assigned partitions to this process.',
    registers: [this.registry],
  });
  readonly recordsLost = new Counter({
    name: 'ctwa_records_lost_total',
    help: 'Records that Kafka deleted before they were read.',
    labelNames: ['topic', 'partition'],
    registers: [this.registry],
  });
  readonly recordsRefused = new Counter({
    name: 'ctwa_records_refused_total',
    help: 'Records that a topic of Kafka refuses for their size; the ledger has their contents.',
    labelNames: ['topic'],
    registers: [this.registry],
  });
  readonly marksEmitted = new Counter({
    name: 'ctwa_marks_emitted_total',
    help: 'Marks sent to the billing topic.',
    registers: [this.registry],
  });

  readonly unfinished = new Counter({
    name: 'ctwa_webhook_unfinished_total',
    help: 'Deliveries that ended before their body was complete: late, gone (the sender left), or crowded (others needed the room).',
    labelNames: ['reason'],
    registers: [this.registry],
  });
  readonly downloads = new Counter({
    name: 'ctwa_downloads_total',
    help: 'Downloads that ended: sent, left (the client closed the connection), stalled (it took nothing), busy (refused), or failed.',
    labelNames: ['outcome'],
    registers: [this.registry],
  });

  readonly #started_at = Math.floor(Date.now() / 1000);
  #last_delivery: ProcessFigures['webhook']['last_delivery'] = null;

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Shows a number whose value is read at each request. */
  watch(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** Counts events by outcome, from any way in. */
  countEvents(counts: Readonly<Record<string, number>>): void {
    for (const [outcome, count] of Object.entries(counts)) this.events.inc({ outcome }, count);
  }

  /** Notes the answer to a delivery. @param status of HTTP */
  noteDelivery(status: number): void {
    this.#last_delivery = { at: Math.floor(Date.now() / 1000), status };
  }

  /** The figures of this process that pages show. */
  async process(consumes: boolean, secrets: WebhookSecrets): Promise<ProcessFigures> {
    const [events, failures, lag] = await Promise.all([this.events.get(), this.failures.get(), this.lag.get()]);
    const counted = (outcome: string): number =>
      events.values.find(({ labels }) => labels['outcome'] === outcome)?.value ?? 0;
    return {
      started_at: this.#started_at,
      outcomes: {
        read: counted('read'),
        stored: counted('stored'),
        duplicate: counted('duplicate'),
        rejected: counted('rejected'),
        produced: counted('produced'),
      },
      failures: failures.values.map(({ labels, value }) => ({ work: String(labels['work']), times: value })),
      lag: consumes
        ? lag.values.map(({ labels, value }) => ({
            topic: String(labels['topic']),
            partition: Number(labels['partition']),
            records: value,
          }))
        : null,
      webhook: {
        has_verify_token: secrets.verifyToken !== null,
        has_app_secret: secrets.appSecret !== null,
        last_delivery: this.#last_delivery,
      },
    };
  }

  /** An observer that counts the consumer's work. */
  consumerObserver(): ConsumerObserver {
    return {
      onBatch: (report) => {
        const { read, stored, duplicate, rejected } = report;
        this.countEvents({ read, stored, duplicate, rejected });
        for (const code of report.codes) this.deadLetters.inc({ code });
        this.batchSeconds.observe(report.seconds);
        this.rebuildSeconds.observe(report.rebuild_seconds);
        this.marksEmitted.inc(report.emitted);
        for (const [topic, count] of report.refused) this.recordsRefused.inc({ topic }, count);
        const now = Date.now();
        for (const appended of report.appended_at_ms) this.eventToLedgerSeconds.observe((now - appended) / 1000);
      },
      onRebalance: () => {
        this.rebalances.inc();
      },
      onLag: (lags) => {
        this.lag.reset();
        for (const { topic, partition, lag } of lags) this.lag.set({ topic, partition }, lag);
      },
      onLost: ({ topic, partition, from, to }) => {
        this.recordsLost.inc({ topic, partition }, Number(to - from));
      },
      onFailure: () => {
        this.failures.inc({ work: 'consume' });
      },
    };
  }
}
