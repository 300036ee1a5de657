import { Counter, Gauge } from 'prom-client';
import { exportDays, type DayExports } from '../exports/days.ts';
import { checkTimes, Schedule, type Times } from '../exports/schedule.ts';
import { Metrics } from '../http/metrics.ts';
import { createHttpServer } from '../http/server.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { Ledger, type OpenOptions } from '../ledger/ledger.ts';
import { beginListening, createLog, type Serving } from './listening.ts';
import { Opening } from './opening.ts';
import { ScheduledExports } from './scheduled-exports.ts';

export interface ExporterOptions {
  readonly ledger: Pick<OpenOptions, 'location' | 'database' | 'command'>;
  readonly exports: DayExports;
  readonly times: Times;
  readonly host: string;
  readonly port: number;
}

/**
 * Writes the CSVs of the last finished days, at once and then at its times. A run that failed is logged, counted,
 * reported by `/readyz`, and tried again at the next time. It also runs the scheduled exports of the ledger.
 */
export async function serveExporter(options: ExporterOptions): Promise<Serving> {
  checkTimes(options.times);
  const log = createLog();
  const metrics = new Metrics();
  const files = new Counter({
    name: 'ctwa_export_files_total',
    help: 'Files of exports by outcome: written, or unchanged and left alone.',
    labelNames: ['outcome'],
    registers: [metrics.registry],
  });
  const lastSuccess = new Gauge({
    name: 'ctwa_export_last_success_timestamp_seconds',
    help: 'When the last run ended that wrote everything, Unix seconds; 0 before the first.',
    registers: [metrics.registry],
  });
  const opening = new Opening(
    () => Ledger.openExisting(options.ledger),
    (reason) => {
      log.warn(`Waiting: ${reason}`);
    },
  );
  let failure: string | null = null;
  let schedule: Schedule | null = null;
  let isStopping = false;

  const run = async (): Promise<void> => {
    const began = performance.now();
    try {
      const now = Math.floor(Date.now() / 1000);
      const counts = await exportDays(opening.demand(), options.exports, now, () => isStopping);
      files.inc({ outcome: 'written' }, counts.written);
      files.inc({ outcome: 'unchanged' }, counts.unchanged);
      if (isStopping) return;
      failure = null;
      lastSuccess.setToCurrentTime();
      log.info({ ...counts, seconds: Math.round(performance.now() - began) / 1000 }, 'Exported');
    } catch (error) {
      failure = error instanceof ActionableError ? error.message : String(error);
      metrics.failures.inc({ work: 'export' });
      log.error({ err: error }, 'The export failed; it is tried again at its next time');
    }
  };

  const scheduled = new ScheduledExports({
    ledger: () => opening.demand(),
    directory: options.exports.directory,
    isExporter: true,
    metrics,
    log,
  });

  const server = createHttpServer({
    secrets: { appSecret: null, verifyToken: null },
    sink: null,
    reports: null,
    metrics,
    hosts: null,
    checkReady: () => {
      opening.demand();
      return failure === null
        ? Promise.resolve()
        : Promise.reject(new ActionableError(`The last export failed: ${failure}`));
    },
    onError: (what, error) => {
      log.error({ err: error }, what);
    },
  });
  try {
    const listening = await beginListening(server, options);
    const begun = opening.over.then(() => {
      if (isStopping || opening.opened === null) return;
      scheduled.begin();
      schedule = new Schedule(options.times, run);
    });
    return {
      url: listening.url,
      loaded: () => begun,
      stop: async () => {
        isStopping = true;
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
