import { mkdirSync } from 'node:fs';
import type { ExportDefinition } from '@ctwa-ledger/schemas/exports.ts';
import type { Logger } from 'pino';
import { Counter } from 'prom-client';
import { applyConfigured } from '../exports/configured.ts';
import { Exports } from '../exports/runner.ts';
import { Schedule, type Times } from '../exports/schedule.ts';
import type { Metrics } from '../http/metrics.ts';
import { readFact, writeFact } from '../ledger/configuration/facts.ts';
import type { Database } from '../clickhouse/database.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** When to look for runs that are due. */
const EVERY_MINUTE: Times = { cron: '* * * * *', tz: 'UTC' };
/** The fact with the time at which an exporter last looked, Unix seconds. */
const EXPORTER_SEEN = 'exporter_seen_at';
/** An exporter that has not looked for so long is gone. */
const GONE_SECONDS = 180;

export interface ScheduledExportsOptions {
  /** @throws until the ledger is open */
  readonly ledger: () => Ledger;
  /** The folders of schedules are below it. */
  readonly directory: string;
  /**
   * Whether this process is an exporter. Other processes leave exports to an exporter, so that all files are in its
   * directory.
   */
  readonly isExporter: boolean;
  /** The schedules of the configuration file; null = it says nothing about exports. */
  readonly configured: readonly ExportDefinition[] | null;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Runs the scheduled exports of the ledger once a minute while a process runs. */
export class ScheduledExports {
  readonly #options: ScheduledExportsOptions;
  readonly #runs: Counter<'outcome'>;
  #schedule: Schedule | null = null;
  #exports: Exports | null = null;
  #isConfigured = false;
  #isStopping = false;

  constructor(options: ScheduledExportsOptions) {
    this.#options = options;
    this.#runs = new Counter({
      name: 'ctwa_export_runs_total',
      help: 'Runs of scheduled exports by outcome: done, retry (failed, and tried again) or failed (given up).',
      labelNames: ['outcome'],
      registers: [options.metrics.registry],
    });
  }

  /** Runs schedules into the directory of this process, also on request. */
  open(): Exports {
    const { ledger, directory, metrics, log } = this.#options;
    return new Exports({
      ledger: ledger(),
      directory,
      onRun: ({ definition: { name } }, { state, period, file, rows, error }) => {
        this.#runs.inc({ outcome: state });
        if (error === '') {
          log.info({ schedule: name, ...period, file, rows }, 'Exported');
          return;
        }
        metrics.failures.inc({ work: 'export' });
        const then = state === 'failed' ? 'it is given up' : 'it is tried again';
        log.error({ schedule: name, ...period, error }, `A scheduled export failed; ${then}`);
      },
    });
  }

  /** Brings the schedules of the configuration file into the ledger, once. */
  async #configure(database: Database, nowSeconds: number): Promise<void> {
    if (this.#isConfigured) return;
    if (this.#options.configured !== null) await applyConfigured(database, this.#options.configured, nowSeconds);
    this.#isConfigured = true;
  }

  /** Runs what is due, unless an exporter does it. @param nowSeconds Unix seconds */
  async runDue(nowSeconds: number): Promise<void> {
    const { metrics, log, isExporter } = this.#options;
    try {
      const { database } = this.#options.ledger();
      await this.#configure(database, nowSeconds);
      if (isExporter) await writeFact(database, EXPORTER_SEEN, String(nowSeconds));
      else if (nowSeconds - Number((await readFact(database, EXPORTER_SEEN)) ?? 0) < GONE_SECONDS) return;
      // One for all minutes: it remembers on which day it looked at earlier files.
      this.#exports ??= this.open();
      for (const error of await this.#exports.runDue(nowSeconds, () => this.#isStopping)) throw error;
    } catch (error) {
      metrics.failures.inc({ work: 'export' });
      log.error({ err: error }, 'Scheduled exports could not be run; they are tried again in a minute');
    }
  }

  begin(): void {
    try {
      // Only once: if a disk goes away later, its directory must not be made again.
      mkdirSync(this.#options.directory, { recursive: true });
    } catch {
      // Each run reports its own failure.
    }
    this.#schedule = new Schedule(EVERY_MINUTE, () => this.runDue(Math.floor(Date.now() / 1000)));
  }

  /** Resolves when the current run has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#schedule?.stop();
  }
}
