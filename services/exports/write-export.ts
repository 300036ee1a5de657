import { join } from 'node:path';
import type { ExportDefinition, ExportRun, ExportSchedule, ExportTotals } from '@ctwa-ledger/schemas/exports.ts';
import { reportOf } from '../catalogue/catalogue.ts';
import { writtenUpTo } from '../clickhouse/table-state.ts';
import { LedgerAwayError, ActionableError } from '../clickhouse/errors.ts';
import type { Lease } from '../clickhouse/lease.ts';
import { readMigrations } from '../clickhouse/migrations.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { tablesOf, type Column } from '../reports/report.ts';
import { VERSION } from '../version.ts';
import { contentOf } from './content.ts';
import { putFiles } from './destinations/sent-files.ts';
import { stemOf } from './file-name.ts';
import { manifestPath, manifestText, type Manifest } from './manifest.ts';
import { closingsIn, settleReports } from './report.ts';
import type { RunPeriod } from './run-period.ts';
import { completenessOf } from './completeness.ts';
import { columnsOfExport, folderOf, folderOfPeriod, questionOf, reportOfExport } from './schedules.ts';
import type { Passage } from './passage.ts';
import { totalsLess } from './totals.ts';
import { readyFolder, writeBeside, type WrittenFile } from './written-file.ts';

/** Another process holds the lease now, and writes the same period. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

/** A file that was written before, as the history of runs has it. */
export type FileBefore = Pick<ExportRun, 'file' | 'sha256' | 'rows' | 'totals' | 'is_frozen'>;

/** The parameters of writing an export. */
export interface WriteOptions {
  readonly ledger: Pick<Ledger, 'database' | 'reading'>;
  /** The folders of schedules are below it. */
  readonly directory: string;
  readonly lease: Lease;
  readonly asked_by: string;
  /** Unix seconds. */
  readonly as_of: number;
  /** The file of the same period that was written before, if any. */
  readonly before: FileBefore | null;
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
        written.map(([name, { beside }]) => ({ local: beside, name })),
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
  /** Below the directory of the exporter. */
  readonly folder: string;
  readonly name: string;
  readonly file: WrittenFile;
  readonly passage: Passage;
  readonly columns: readonly Column[];
  readonly closings: Manifest['closings'];
  readonly days: Manifest['days'];
  readonly ledger_state: string;
}

function manifestOf(
  { schedule_id, definition }: ExportSchedule,
  period: RunPeriod,
  { as_of, before, manifest_before, asked_by }: WriteOptions,
  { folder, name, file, passage, columns, closings, days, ledger_state }: Written,
): Manifest {
  // A file of the same days under another name is not replaced by this one.
  const replaced = before?.file === `${folder}/${name}` ? before : null;
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
    replaces: replaced === null ? null : { sha256: replaced.sha256, rows: replaced.rows, totals: replaced.totals },
    changes:
      replaced === null ? null : { rows: passage.rows - replaced.rows, totals: totalsLess(totals, replaced.totals) },
    days,
    manifest_before,
    product_version: VERSION,
    schema_version: readMigrations().at(-1)?.version ?? 0,
    ledger_state,
    asked_by,
  };
}

/** Whether a file has the content and the status of the one before it, so that nobody needs it. */
function isAsBefore(before: FileBefore | null, file: WrittenFile, passage: Passage): boolean {
  return before !== null && before.sha256 === file.sha256 && before.is_frozen === passage.isFrozen;
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
  const written = await write(schedule, period, { ...options, isRestatement: false });
  if (written === null) throw new RangeError('Only a restatement may find nothing to write.');
  return written;
}

/**
 * Writes the file of an earlier period again if its rows, or whether they are closed, have changed. `latest.json` stays.
 * @returns null when nothing has changed
 * @throws LeaseLostError when another process holds the lease now
 */
export function restateExport(
  schedule: ExportSchedule,
  period: RunPeriod,
  options: WriteOptions,
): Promise<WrittenExport | null> {
  return write(schedule, period, { ...options, isRestatement: true });
}

async function write(
  schedule: ExportSchedule,
  period: RunPeriod,
  options: WriteOptions & { readonly isRestatement: boolean },
): Promise<WrittenExport | null> {
  const { schedule_id, definition } = schedule;
  const { ledger, as_of } = options;
  const report = reportOf(reportOfExport(definition).name);
  const question = questionOf(definition, period, as_of);
  const columns = columnsOfExport(definition);
  const folder = folderOfPeriod(definition, period);
  const stem = await stemOf(report, question.filters, ledger.database, period.label);
  const name = `${stem}.${definition.format}${definition.compression === 'gzip' ? '.gz' : ''}`;
  const path = join(options.directory, folder, name);
  try {
    for (const each of new Set([folderOf(definition), folder])) readyFolder(options.directory, each);
    await settleReports([report.name], ledger.database);
    // Read before the rows: if something is written in between, the rows are newer than this state, never older.
    const ledger_state = await writtenUpTo(ledger.database, tablesOf(report, question.filters));
    const { parts, passage, described } = await contentOf(
      { report: report.name, question, columns, format: definition.format, run: schedule_id },
      ledger,
    );
    const file = await writeBeside(path, parts, definition.compression);
    try {
      if (options.isRestatement && isAsBefore(options.before, file, passage)) {
        file.discard();
        return null;
      }
      const closings = await closingsIn(report.name, ledger.reading, question.filters);
      const days = await completenessOf(ledger.reading, report, question.filters);
      const written = { folder, name, file, passage, columns: described, closings, days, ledger_state };
      return await finish(schedule, period, options, written);
    } catch (error) {
      file.discard();
      throw error;
    }
  } catch (error) {
    throw said(error, path);
  }
}

/** Writes the manifest of a file, and publishes both and what points to them. */
async function finish(
  schedule: ExportSchedule,
  period: RunPeriod,
  options: WriteOptions & { readonly isRestatement: boolean },
  written: Written,
): Promise<WrittenExport> {
  const { definition } = schedule;
  const { folder, name, file, passage } = written;
  const path = join(options.directory, folder, name);
  const manifest = manifestOf(schedule, period, options, written);
  const beside = await writeBeside(manifestPath(path), [manifestText(manifest)]);
  const files = { [`${folder}/${name}`]: file, [`${folder}/${manifestPath(name)}`]: beside };
  if (options.isRestatement) await publish(definition, options.lease, files);
  else {
    const top = folderOf(definition);
    const below = `${folder}/${name}`.slice(top.length + 1);
    const latest = await writeBeside(join(options.directory, top, LATEST), [
      `${JSON.stringify({ file: below, manifest: manifestPath(below), sha256: file.sha256, manifest_sha256: beside.sha256, period: manifest.period, as_of: manifest.as_of }, null, 2)}\n`,
    ]);
    await publish(definition, options.lease, { ...files, [`${top}/${LATEST}`]: latest });
  }
  return {
    file: `${folder}/${name}`,
    rows: passage.rows,
    bytes: file.bytes,
    sha256: file.sha256,
    manifest_sha256: beside.sha256,
    totals: manifest.totals,
    is_frozen: passage.isFrozen,
  };
}
