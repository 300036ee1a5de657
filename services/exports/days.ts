import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DateTime } from 'luxon';
import { LedgerAwayError, ActionableError } from '../clickhouse/errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { PART, refreshTextFile } from './files.ts';
import { csvReport, settleReports, type ReportName } from './report.ts';

/** The reports that are written day by day, and where to. */
export interface DayExports {
  /** Files are `<directory>/<report>/<report>-YYYY-MM-DD.csv`. */
  readonly directory: string;
  readonly reports: readonly ReportName[];
  /** How many finished days are written again: late events change rows of past days. */
  readonly days: number;
  /** IANA zone of the days. */
  readonly tz: string;
}

/** The result of one run, in files. */
export interface RunCounts {
  readonly written: number;
  readonly unchanged: number;
}

/** The last days that have ended in a zone, oldest first, as `YYYY-MM-DD`. */
export function finishedDays(tz: string, days: number, nowSeconds: number): string[] {
  const today = DateTime.fromSeconds(nowSeconds, { zone: tz });
  return Array.from({ length: days }, (_, i) => today.minus({ days: days - i }).toFormat('yyyy-MM-dd'));
}

function dayAfter(day: string): string {
  return DateTime.fromISO(day, { zone: 'utc' }).plus({ days: 1 }).toFormat('yyyy-MM-dd');
}

/**
 * Makes the directories, and removes half-written files of a process that died. Each directory belongs to one exporter.
 */
function prepareDirectories(exports: Pick<DayExports, 'directory' | 'reports'>): void {
  for (const report of exports.reports) {
    const directory = join(exports.directory, report);
    try {
      mkdirSync(directory, { recursive: true });
    } catch (error) {
      throw new ActionableError(
        `The directory ${directory} cannot be made (${error instanceof Error ? error.message : String(error)}). Give another one with --dir.`,
      );
    }
    for (const name of readdirSync(directory))
      if (name.startsWith(`${report}-`) && PART.test(name)) rmSync(join(directory, name));
  }
}

/**
 * Writes every report of every finished day, one file after another, streamed. A file that cannot be written does not
 * stop the others.
 * @param nowSeconds the clock: it decides which days are finished, and what is pending in them; Unix seconds
 * @param isStopping called before each file: true ends the run there
 * @throws the first failure, after all other files were tried; at once when ClickHouse is away
 */
export async function exportDays(
  ledger: Ledger,
  exports: DayExports,
  nowSeconds: number,
  isStopping: () => boolean,
): Promise<RunCounts> {
  prepareDirectories(exports);
  await settleReports(exports.reports, ledger.database);
  const counts = { written: 0, unchanged: 0 };
  const failures: unknown[] = [];
  for (const day of finishedDays(exports.tz, exports.days, nowSeconds))
    for (const report of exports.reports) {
      if (isStopping()) return counts;
      const filters = { from: day, to: dayAfter(day), tz: exports.tz, as_of: nowSeconds };
      try {
        const path = join(exports.directory, report, `${report}-${day}.csv`);
        counts[await refreshTextFile(path, csvReport(report, ledger.reading, filters))] += 1;
      } catch (error) {
        if (error instanceof LedgerAwayError) throw error;
        failures.push(error);
      }
    }
  if (failures.length > 0) throw failures[0];
  return counts;
}
