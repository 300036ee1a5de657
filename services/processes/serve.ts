import type { ExportDefinition } from '@ctwa-ledger/schemas/exports.ts';
import type { Logger } from 'pino';
import { DeadLetters } from '../ledger/events/dead-letters.ts';
import { Ledger, type OpenOptions } from '../ledger/ledger.ts';
import { Metrics } from '../http/metrics.ts';
import { createHttpServer, type PageHandler, type ServerParts } from '../http/server.ts';
import { Readiness } from '../ledger/events/readiness.ts';
import { LedgerSink, type WebhookSecrets } from '../ingest/webhook.ts';
import { connectKafka } from '../kafka/connection.ts';
import type { BatchReport } from '../kafka/gathered-batch.ts';
import { RecordProducer } from '../kafka/record-producer.ts';
import { ConsumerService, type ConsumerOptions } from '../kafka/consumer-service.ts';
import { TopicSink } from '../kafka/topic-sink.ts';
import { topicNames } from '../kafka/topics.ts';
import { aboutProduct } from './about.ts';
import { LedgerChanges } from '../pages/changes.ts';
import { toldWebhook, watchDrift } from './drift.ts';
import { Keepers } from './recompute.ts';
import { beginListening, createLog, type Serving } from './listening.ts';
import { hostsOf, loadPages } from './built-pages.ts';
import { keepRetention } from './retention.ts';
import { ScheduledExports } from './scheduled-exports.ts';
import { fireTriggers, type FiringTriggers } from './triggers.ts';
import { ShownLedger } from '../pages/product.ts';

export interface ServeOptions {
  readonly ledger: OpenOptions;
  readonly host: string;
  readonly port: number;
  readonly secrets: WebhookSecrets;
  /** The broker from which events are consumed and to which the webhook sends; null without a broker. */
  readonly consumer: ConsumerOptions | null;
  /** Signs requests of triggers; null = none is sent. */
  readonly triggerSecret: string | null;
  /** The address to tell when a day departs from Meta's numbers; null = none. */
  readonly alarmUrl: string | null;
  /** Whether to serve pages, API and sample data besides the webhook. */
  readonly withDashboard: boolean;
  /** Remove the sample data. */
  readonly empty: boolean;
  /** The directory of scheduled exports; null = an exporter runs them. */
  readonly exportsDirectory: string | null;
  /** The scheduled exports of the configuration file; null = it says nothing about them. */
  readonly configuredExports: readonly ExportDefinition[] | null;
}

/** What runs in one process beside its server. */
interface Running {
  readonly ledger: Ledger;
  readonly product: ShownLedger;
  readonly keepers: Keepers;
  readonly triggers: FiringTriggers;
  /** Null without a broker. */
  readonly broker: Broker | null;
  /** Null when an exporter runs scheduled exports. */
  readonly scheduled: ScheduledExports | null;
  readonly metrics: Metrics;
  readonly onError: (what: string, error: unknown) => void;
}

function changesOf({ ledger, product, keepers, triggers, scheduled, metrics, onError }: Running): LedgerChanges {
  return new LedgerChanges({
    ledger,
    isSample: async (sample) => (await product.source(sample)) === 'sample',
    sample: () => product.sample,
    onEventsTaken: (counts) => {
      metrics.countEvents(counts);
      keepers.nudge();
      triggers.keeper.nudge();
    },
    onRatingChanged: () => {
      keepers.nudge();
    },
    onTriggersChanged: () => {
      triggers.keeper.changed();
    },
    exports: () => scheduled?.open() ?? null,
    onError,
  });
}

/** Pages and API of this process. */
function reportsOf(
  { product, broker, scheduled, metrics }: Running,
  changes: LedgerChanges,
  pages: PageHandler,
  { ledger, secrets }: Pick<ServeOptions, 'ledger' | 'secrets'>,
): ServerParts['reports'] {
  return {
    queries: (sample, isReading) => product.queriesOf(sample, isReading),
    changes: (sample) => changes.of(sample),
    process: () => metrics.process(broker !== null, secrets),
    about: aboutProduct(ledger),
    ledgerFor: (sample) => product.ledgerFor(sample),
    sendCheck: (...asked) => product.sendCheckFor(...asked),
    pages,
    waitingFor: () => null,
    exports: () => scheduled?.open() ?? null,
  };
}

function readinessOf({ ledger, broker }: Running): () => Promise<void> {
  const readiness = new Readiness(ledger.database);
  return async () => {
    await ledger.checkReachable();
    // With a broker it is the broker that takes deliveries.
    if (broker === null) await readiness.check();
    const reason = broker?.consumers.notReadyBecause ?? null;
    if (reason !== null) throw new Error(reason);
  };
}

/** Runs the server until it is stopped. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const log = createLog();
  const onError = (what: string, error: unknown): void => {
    log.error({ err: error }, what);
  };
  const pages = options.withDashboard ? await loadPages() : null;
  const ledger = await Ledger.open(options.ledger);
  await ledger.beginWriting();
  // Consumers do it themselves, and wait for it.
  if (options.consumer === null) void ledger.readAhead();
  const keepers = new Keepers(ledger, onError);
  const triggers = fireTriggers(
    ledger.database,
    { kafka: options.consumer?.kafka ?? null, secret: options.triggerSecret },
    log,
  );
  const onLanded = (): void => {
    keepers.nudge();
    triggers.keeper.nudge();
  };
  const metrics = new Metrics();
  const drift = watchDrift(ledger.database, toldWebhook(options), { metrics, log });
  const ledgerSink = new LedgerSink(ledger, onLanded, (error) => {
    onError('Deliveries are in the ledger, but their marks could not be made; it is tried again', error);
  });
  const broker = options.consumer === null ? null : consumeHere(ledger, options.consumer, metrics, onLanded, log);
  const { exportsDirectory: directory, configuredExports: configured } = options;
  const scheduled =
    directory === null
      ? null
      : new ScheduledExports({ ledger: () => ledger, directory, isExporter: false, configured, metrics, log });
  const product = new ShownLedger(ledger, options.ledger.location, onError);
  const running: Running = { ledger, product, keepers, triggers, broker, scheduled, metrics, onError };
  const changes = changesOf(running);
  const server = createHttpServer({
    secrets: options.secrets,
    sink: (delivery, onDurable) => broker?.sink.take(delivery) ?? ledgerSink.take(delivery, onDurable),
    reports: pages === null ? null : reportsOf(running, changes, pages, options),
    metrics,
    hosts: hostsOf(options.host),
    isAlive: () => broker?.consumers.isAlive ?? true,
    checkReady: readinessOf(running),
    onError,
  });
  const listening = await beginListening(server, options).catch(async (error: unknown) => {
    // Otherwise their timers keep the process alive.
    await Promise.all([triggers.stop(), drift.stop()]);
    throw error;
  });
  if (pages !== null) await product.begin({ empty: options.empty, nowSeconds: Math.floor(Date.now() / 1000) });
  keepers.nudge();
  scheduled?.begin();
  const retention = keepRetention(ledger, { metrics, log });
  return {
    url: listening.url,
    loaded: () => product.loaded(),
    stop: async () => {
      await listening.close();
      await broker?.stop();
      await ledgerSink.idle();
      await changes.idle();
      await scheduled?.stop();
      await retention.stop();
      await triggers.stop();
      await drift.stop();
      await keepers.stop();
      await product.close();
      await ledger.close();
    },
  };
}

interface Broker {
  readonly consumers: ConsumerService;
  readonly sink: TopicSink;
  readonly stop: () => Promise<void>;
}

/** Consumers in this process, and a sink that writes to the topics that they read. */
function consumeHere(
  ledger: Ledger,
  options: ConsumerOptions,
  metrics: Metrics,
  onLanded: () => void,
  log: Logger,
): Broker {
  const counted = metrics.consumerObserver();
  const observer = {
    ...counted,
    onBatch: (report: BatchReport) => {
      counted.onBatch(report);
      onLanded();
    },
  };
  const consumers = new ConsumerService(ledger, options, observer, log);
  const producer = new RecordProducer(connectKafka(options.kafka, log));
  consumers.run().catch((error: unknown) => {
    // Pages and webhook continue; `/readyz` says why nothing is consumed.
    log.error({ err: error }, 'Nothing is consumed from Kafka; repair the cause and start again');
  });
  return {
    consumers,
    sink: new TopicSink(producer, topicNames(options.kafka.topicPrefix), async (letters) => {
      const table = new DeadLetters(ledger.database);
      for (const letter of letters) await table.add(letter);
      await table.flush();
    }),
    stop: async () => {
      await consumers.stop();
      await producer.close();
    },
  };
}
