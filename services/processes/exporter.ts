import type { ExportDefinition } from '@ctwa-ledger/schemas/exports.ts';
import type { Logger } from 'pino';
import { Counter, Gauge } from 'prom-client';
import { exportDays, type DayExports } from '../exports/days.ts';
import { checkTimes, Schedule, type Times } from '../exports/schedule.ts';
import { Metrics } from '../http/metrics.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { Ledger, type OpenOptions } from '../ledger/ledger.ts';
import { beginListening, createLog, type Serving } from './listening.ts';
import { Opening } from './opening.ts';
import { probeServer } from './probes.ts';
import { ScheduledExports } from './scheduled-exports.ts';

export interface ExporterOptions {
  readonly ledger: Pick<OpenOptions, 'location' | 'database' | 'command'>;
  readonly exports: DayExports;
  /** The schedules of the configuration file; null = it says nothing about exports. */
  readonly configured: readonly ExportDefinition[] | null;
  readonly times: Times;
  readonly host: string;
  readonly port: number;
}

/** Runs the export of the last finished days. A run that failed is logged, counted and remembered. */
class DayRuns {
  readonly #exports: DayExports;
  readonly #ledger: () => Ledger;
  readonly #metrics: Metrics;
  readonly #log: Logger;
  readonly #files: Counter<'outcome'>;
  readonly #lastSuccess: Gauge;
  #failure: string | null = null;
  #isStopping = false;

  /** @param ledger throws until the ledger is open */
  constructor(exports: DayExports, ledger: () => Ledger, metrics: Metrics, log: Logger) {
    this.#exports = exports;
    this.#ledger = ledger;
    this.#metrics = metrics;
    this.#log = log;
    this.#files = new Counter({
      name: 'ctwa_export_files_total',
      help: 'Files of exports by outcome: written, or unchanged and left alone.',
      labelNames: ['outcome'],
      registers: [metrics.registry],
    });
    this.#lastSuccess = new Gauge({
      name: 'ctwa_export_last_success_timestamp_seconds',
      help: 'When the last run ended that wrote everything, Unix seconds; 0 before the first.',
      registers: [metrics.registry],
    });
  }

  /** Why the last run failed; null when it did not. */
  get failure(): string | null {
    return this.#failure;
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Ends the current run after its current file. */
  stop(): void {
    this.#isStopping = true;
  }

  async run(): Promise<void> {
    const began = performance.now();
    try {
      const now = Math.floor(Date.now() / 1000);
      const counts = await exportDays(this.#ledger(), this.#exports, now, () => this.#isStopping);
      this.#files.inc({ outcome: 'written' }, counts.written);
      this.#files.inc({ outcome: 'unchanged' }, counts.unchanged);
      if (this.#isStopping) return;
      this.#failure = null;
      this.#lastSuccess.setToCurrentTime();
      this.#log.info({ ...counts, seconds: Math.round(performance.now() - began) / 1000 }, 'Exported');
    } catch (error) {
      this.#failure = error instanceof ActionableError ? error.message : String(error);
      this.#metrics.failures.inc({ work: 'export' });
      this.#log.error({ err: error }, 'The export failed; it is tried again at its next time');
    }
  }
}

/**
 * Writes the CSVs of the last finished days, at once and then at its times. A run that failed is reported by `/readyz`,
 * and tried again at the next time. It also runs the scheduled exports of the ledger.
 */
export async function serveExporter(options: ExporterOptions): Promise<Serving> {
  checkTimes(options.times);
  const log = createLog();
  const metrics = new Metrics();
  const opening = new Opening(
    () => Ledger.openExisting(options.ledger),
    (reason) => {
      log.warn(`Waiting: ${reason}`);
    },
  );
  const ledger = (): Ledger => opening.demand();
  const days = new DayRuns(options.exports, ledger, metrics, log);
  const { directory } = options.exports;
  const { configured } = options;
  const scheduled = new ScheduledExports({ ledger, directory, isExporter: true, configured, metrics, log });
  const server = probeServer({
    metrics,
    log,
    checkReady: () => {
      opening.demand();
      return days.failure === null
        ? Promise.resolve()
        : Promise.reject(new ActionableError(`The last export failed: ${days.failure}`));
    },
  });
  try {
    const listening = await beginListening(server, options);
    let schedule: Schedule | null = null;
    const begun = opening.over.then(() => {
      if (days.isStopping || opening.opened === null) return;
      scheduled.begin();
      schedule = new Schedule(options.times, () => days.run());
    });
    return {
      url: listening.url,
      loaded: () => begun,
      stop: async () => {
        days.stop();
        await listening.close();
        await schedule?.stop();
        await scheduled.stop();
        await opening.stop();
      },
    };
  } catch (error) {
    await opening.stop();
    throw error;
  }
}
