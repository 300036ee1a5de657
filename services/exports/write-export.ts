import { join } from 'node:path';
import type { ExportDefinition, ExportRun, ExportSchedule, ExportTotals } from '@ctwa-ledger/schemas/exports.ts';
import { reportOf } from '../catalogue/catalogue.ts';
import { writtenUpTo } from '../catalogue/remembered.ts';
import { LedgerAwayError, ActionableError } from '../clickhouse/errors.ts';
import type { Lease } from '../clickhouse/lease.ts';
import { readMigrations } from '../clickhouse/migrations.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { tablesOf, type Column } from '../reports/report.ts';
import { VERSION } from '../version.ts';
import { contentOf } from './content.ts';
import { putFiles } from './destinations/put-files.ts';
import { stemOf } from './file-name.ts';
import { manifestPath, manifestText, type Manifest } from './manifest.ts';
import { closingsIn, settleReports } from './report.ts';
import type { RunPeriod } from './run-period.ts';
import { columnsOfExport, folderOf, questionOf, reportOfExport } from './schedules.ts';
import type { Passage } from './passage.ts';
import { totalsLess } from './totals.ts';
import { readyFolder, writeBeside, type WrittenFile } from './written-file.ts';

/** Another process holds the lease now, and writes the same period. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

/** The parameters of writing an export. */
export interface WriteOptions {
  readonly ledger: Pick<Ledger, 'database' | 'reading'>;
  /** The folders of schedules are below it. */
  readonly directory: string;
  readonly lease: Lease;
  readonly asked_by: string;
  /** Unix seconds. */
  readonly as_of: number;
  /** The last run of the same period that was done, if any. */
  readonly before: ExportRun | null;
  readonly manifest_before: string | null;
}

/** The result. */
export interface WrittenExport {
  /** Path below the directory of the exporter. */
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly manifest_sha256: string;
  readonly totals: ExportTotals;
  readonly is_frozen: boolean;
}

/** The name of the file that points to a schedule's last file. */
const LATEST = 'latest.json';

/**
 * Gives files their names, one after another: first at the other destination, if any, then here, so that a run whose
 * files could not be sent is tried again. Files that get no name are removed.
 * @throws LeaseLostError when another process holds the lease now
 */
async function publish(
  definition: ExportDefinition,
  lease: Lease,
  files: Readonly<Record<string, WrittenFile>>,
): Promise<void> {
  const written = Object.entries(files);
  try {
    if (definition.to !== undefined)
      await putFiles(
        definition.to,
        written.map(([name, { beside }]) => ({ local: beside, name: `${folderOf(definition)}/${name}` })),
        () => lease.holds(),
      );
    if (!(await lease.holds())) throw new LeaseLostError('Another process writes this export now.');
  } catch (error) {
    for (const [, file] of written) file.discard();
    throw error;
  }
  for (const [, file] of written) await file.publish();
}

function said(error: unknown, path: string): unknown {
  if (error instanceof LedgerAwayError || error instanceof ActionableError || error instanceof LeaseLostError)
    return error;
  if (!(error instanceof Error) || !('code' in error)) return error;
  return new ActionableError(`${path} could not be written (${error.message}). Nothing was left behind.`);
}

/** What is known of a file once it was written. */
interface Written {
  readonly name: string;
  readonly file: WrittenFile;
  readonly passage: Passage;
  readonly columns: readonly Column[];
  readonly closings: Manifest['closings'];
  readonly ledger_state: string;
}

function manifestOf(
  { schedule_id, definition }: ExportSchedule,
  period: RunPeriod,
  { as_of, before, manifest_before, asked_by }: WriteOptions,
  { name, file, passage, columns, closings, ledger_state }: Written,
): Manifest {
  const { filters, by } = questionOf(definition, period, as_of);
  const totals = passage.byCurrency();
  return {
    manifest_version: 1,
    schedule: definition.name,
    schedule_id,
    report: reportOfExport(definition).name,
    query: Object.fromEntries(
      Object.entries(filters).flatMap(([key, value]: [string, unknown]) =>
        typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number' ? [[key, value]] : [],
      ),
    ),
    by,
    zone: filters.tz,
    period: { label: period.label, from: filters.from, to: filters.to, status: passage.isFrozen ? 'closed' : 'open' },
    as_of: new Date(as_of * 1000).toISOString().replace('.000Z', '+00:00'),
    is_frozen: passage.isFrozen,
    closings: closings.map(({ waba_id, month, closed_at, checksum }) => ({ waba_id, month, closed_at, checksum })),
    file: name,
    format: definition.format,
    compression: definition.compression,
    rows: passage.rows,
    bytes: file.bytes,
    sha256: file.sha256,
    totals,
    columns: columns.map(({ name: column, type, is_nullable, meaning }) => ({
      name: column,
      type,
      is_nullable,
      meaning,
    })),
    replaces: before === null ? null : { sha256: before.sha256, rows: before.rows, totals: before.totals },
    changes: before === null ? null : { rows: passage.rows - before.rows, totals: totalsLess(totals, before.totals) },
    manifest_before,
    product_version: VERSION,
    schema_version: readMigrations().at(-1)?.version ?? 0,
    ledger_state,
    asked_by,
  };
}

/**
 * Writes the file of a period, then its manifest, then `latest.json`. Each is written beside its place and renamed, so
 * that the file named in `latest.json` is always complete.
 * @throws LeaseLostError when another process holds the lease now
 */
export async function writeExport(
  schedule: ExportSchedule,
  period: RunPeriod,
  options: WriteOptions,
): Promise<WrittenExport> {
  const { schedule_id, definition } = schedule;
  const { ledger, lease, as_of } = options;
  const report = reportOf(reportOfExport(definition).name);
  const question = questionOf(definition, period, as_of);
  const columns = columnsOfExport(definition);
  const folder = folderOf(definition);
  const stem = await stemOf(report, question.filters, ledger.database, period.label);
  const name = `${stem}.${definition.format}${definition.compression === 'gzip' ? '.gz' : ''}`;
  const path = join(options.directory, folder, name);
  try {
    const directory = readyFolder(options.directory, folder);
    await settleReports([report.name], ledger.database);
    // Read before the rows: if something is written in between, the rows are newer than this state, never older.
    const ledger_state = await writtenUpTo(ledger.database, tablesOf(report, question.filters));
    const { parts, passage, described } = await contentOf(
      { report: report.name, question, columns, format: definition.format, run: schedule_id },
      ledger,
    );
    const file = await writeBeside(path, parts, definition.compression);
    try {
      const closings = await closingsIn(report.name, ledger.reading, question.filters);
      const written = { name, file, passage, columns: described, closings, ledger_state };
      const manifest = manifestOf(schedule, period, options, written);
      const beside = await writeBeside(manifestPath(path), [manifestText(manifest)]);
      const latest = await writeBeside(join(directory, LATEST), [
        `${JSON.stringify({ file: name, manifest: manifestPath(name), sha256: file.sha256, manifest_sha256: beside.sha256, period: manifest.period, as_of: manifest.as_of }, null, 2)}\n`,
      ]);
      await publish(definition, lease, { [name]: file, [manifestPath(name)]: beside, [LATEST]: latest });
      return {
        file: `${folder}/${name}`,
        rows: passage.rows,
        bytes: file.bytes,
        sha256: file.sha256,
        manifest_sha256: beside.sha256,
        totals: manifest.totals,
        is_frozen: passage.isFrozen,
      };
    } catch (error) {
      file.discard();
      throw error;
    }
  } catch (error) {
    throw said(error, path);
  }
}
