import { resolve } from 'node:path';
import { parseFilters } from '@ctwa-ledger/schemas/report-filters.ts';
import { checkTimes } from '../../exports/schedule.ts';
import { serveExporter } from '../../processes/exporter.ts';
import { REPORTS, reportOf, type ReportName } from '../../catalogue/catalogue.ts';
import { didYouMean } from '../../reports/nearest.ts';
import { databaseName, locationOf, readConfig, UsageError, type CommonOptions } from '../settings.ts';
import { portOf, serveUntilStopped } from './start.ts';

/** Reports that can be written day by day. */
const DAILY: readonly ReportName[] = REPORTS.filter((report) => !['month', 'none'].includes(reportOf(report).days));

export interface ExporterTexts extends CommonOptions {
  readonly dir: string;
  readonly schedule: string;
  readonly tz: string;
  readonly reports: string;
  readonly days: string;
  readonly port: string;
  readonly host: string;
}

/** Limit of the days to write again. More than a few years is a mistake. */
const MAX_DAYS = 1_000;

function reportsOf(text: string): ReportName[] {
  return text.split(',').map((name) => {
    const report = DAILY.find((known) => known === name.trim());
    if (report === undefined)
      throw new UsageError(
        `--reports "${name}" is not a report by day. Choose from ${DAILY.join(', ')}, separated by commas.${didYouMean(name.trim(), DAILY)}`,
      );
    return report;
  });
}

export async function exporter(options: ExporterTexts): Promise<void> {
  const parsed = parseFilters({ tz: options.tz }, Math.floor(Date.now() / 1000));
  if (!parsed.ok) throw new UsageError(parsed.message);
  const { tz } = parsed.filters;
  const days = Number(options.days);
  if (!/^\d+$/.test(options.days) || days < 1 || days > MAX_DAYS)
    throw new UsageError(`--days "${options.days}" is not a number of days from 1 to ${MAX_DAYS}.`);
  const times = { cron: options.schedule, tz };
  try {
    checkTimes(times);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const location = locationOf(options);
  await serveUntilStopped(location, () =>
    serveExporter({
      ledger: { location, database: databaseName(), command: 'ctwa-ledger exporter' },
      exports: { directory: resolve(options.dir), reports: reportsOf(options.reports), days, tz },
      configured: readConfig(options)?.exports ?? null,
      times,
      host: options.host,
      port: portOf(options.port),
    }),
  );
}
