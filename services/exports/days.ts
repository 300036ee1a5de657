import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DateTime } from 'luxon';
import { LedgerAwayError, ActionableError } from '../clickhouse/errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { PART, refreshTextFile } from './files.ts';
import { csvReport, settleReports, type ReportName } from './report.ts';

/** What is written day by day, and where. */
export interface DayExports {
  /** Files are `<directory>/<report>/<report>-YYYY-MM-DD.csv`. */
  readonly directory: string;
  readonly reports: readonly ReportName[];
  /** How many finished days are looked at: events that come late change rows of days that are over. */
  readonly days: number;
  /** IANA zone whose days are meant. */
  readonly tz: string;
}

/** What one run did, in files. */
export interface RunCounts {
  readonly written: number;
  readonly unchanged: number;
}

/** The last days that are over in a zone, the oldest first, as `YYYY-MM-DD`. */
export function finishedDays(tz: string, days: number, nowSeconds: number): string[] {
  const today = DateTime.fromSeconds(nowSeconds, { zone: tz });
  return Array.from({ length: days }, (_, i) => today.minus({ days: days - i }).toFormat('yyyy-MM-dd'));
}

function dayAfter(day: string): string {
  return DateTime.fromISO(day, { zone: 'utc' }).plus({ days: 1 }).toFormat('yyyy-MM-dd');
}

/** Makes the directories and removes what a process that died left half-written; one exporter per directory. */
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
 * keep the others from it.
 * @param nowSeconds the clock: which days are finished, and what is pending in them; Unix seconds
 * @param isStopping asked before each file: true ends the run there
 * @throws the first failure, when all that could be done is done; at once when ClickHouse is away
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
