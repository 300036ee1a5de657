import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Metrics } from '../http/metrics.ts';
import type { BatchReport } from '../kafka/gathered-batch.ts';
import { ConsumerService, type ConsumerOptions } from '../kafka/consumer-service.ts';
import { LedgerAwayError } from '../clickhouse/errors.ts';
import { Ledger, type OpenOptions } from '../ledger/ledger.ts';
import { toldWebhook, watchDrift } from './drift.ts';
import { Keepers } from './recompute.ts';
import { beginListening, createLog, type Listening } from './listening.ts';
import { probeServer } from './probes.ts';
import { fireTriggers } from './triggers.ts';

export interface ConsumeOptions {
  readonly ledger: OpenOptions;
  readonly consumer: ConsumerOptions;
  /** Signs requests of triggers; null = none is sent. */
  readonly triggerSecret: string | null;
  /** The address to tell when a day departs from Meta's numbers; null = none. */
  readonly alarmUrl: string | null;
  /** Where `/healthz`, `/readyz` and `/metrics` are served; null = nowhere. */
  readonly listen: { readonly host: string; readonly port: number } | null;
  /** Called once it listens, if it does. */
  readonly onListening: (url: string) => void;
  /** Called for every batch that is in the ledger. */
  readonly onBatch?: (report: BatchReport) => void;
}

const LONGEST_PAUSE_MS = 10_000;
/**
 * How long the end of the process may wait for a ClickHouse that is away; an operator would kill it if it took longer.
 */
const FAREWELL_MS = 5_000;

async function atMost(milliseconds: number, work: Promise<unknown> | undefined): Promise<void> {
  const impatience = new AbortController();
  await Promise.race([
    work,
    sleep(milliseconds, undefined, { signal: impatience.signal }).catch(() => undefined),
  ]).finally(() => {
    impatience.abort();
  });
}

/**
 * Runs the consumers until the signal.
 * @param signal aborted when it should stop; the current batch is finished first
 * @throws ActionableError when a person must act before it can work
 */
export async function consume(options: ConsumeOptions, signal: AbortSignal): Promise<void> {
  const log = createLog();
  const metrics = new Metrics();
  let consumers: ConsumerService | null = null;
  let ledger: Ledger | null = null;
  let why = 'The ledger is being opened.';
  let listening: Listening | null = null;
  if (options.listen !== null) {
    const server = probeServer({
      metrics,
      log,
      isAlive: () => consumers?.isAlive ?? true,
      checkReady: async () => {
        const reason = consumers === null ? why : consumers.notReadyBecause;
        if (reason !== null) throw new Error(reason);
        await ledger?.checkReachable();
      },
    });
    listening = await beginListening(server, options.listen);
    options.onListening(listening.url);
  }
  try {
    ledger = await openPatiently(options.ledger, signal, (reason) => {
      why = reason;
      log.warn(`Waiting: ${reason}`);
    });
    if (ledger !== null)
      await consumeInto(ledger, options, { metrics, log, signal }, (made) => {
        consumers = made;
      });
  } finally {
    await atMost(FAREWELL_MS, ledger?.close());
    await listening?.close();
  }
}

/**
 * Consumes into an open ledger until the signal, with recomputation, triggers and drift in the background.
 * @param onMade called with the consumers before they run
 */
async function consumeInto(
  ledger: Ledger,
  options: ConsumeOptions,
  { metrics, log, signal }: { readonly metrics: Metrics; readonly log: Logger; readonly signal: AbortSignal },
  onMade: (consumers: ConsumerService) => void,
): Promise<void> {
  await ledger.beginWriting();
  const keepers = new Keepers(ledger, (what, error) => {
    log.error({ err: error }, what);
  });
  const triggers = fireTriggers(ledger.database, { kafka: options.consumer.kafka, secret: options.triggerSecret }, log);
  const drift = watchDrift(ledger.database, toldWebhook(options), { metrics, log });
  const counted = metrics.consumerObserver();
  const observer = {
    ...counted,
    onBatch: (report: BatchReport) => {
      counted.onBatch(report);
      options.onBatch?.(report);
      keepers.nudge();
      triggers.keeper.nudge();
    },
  };
  const consumers = new ConsumerService(ledger, options.consumer, observer, log);
  onMade(consumers);
  signal.addEventListener('abort', () => void consumers.stop(), { once: true });
  try {
    if (signal.aborted) return;
    log.info({ group: options.consumer.group, brokers: options.consumer.kafka.brokers }, 'consuming');
    keepers.nudge();
    await consumers.run();
  } finally {
    await atMost(FAREWELL_MS, Promise.all([keepers, triggers, drift].map((one) => one.stop())));
  }
}

/** Waits for a ClickHouse that is away: it may be starting beside this process. Null when stopped meanwhile. */
async function openPatiently(
  options: OpenOptions,
  signal: AbortSignal,
  onWaiting: (reason: string) => void,
): Promise<Ledger | null> {
  for (let pause = 500; !signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await Ledger.open(options);
    } catch (error) {
      if (!(error instanceof LedgerAwayError)) throw error;
      onWaiting(error.message);
    }
    await sleep(pause * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
  }
  return null;
}
