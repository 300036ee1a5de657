import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { ExportRun, ExportSchedule, ExportTotals } from '@ctwa-ledger/schemas/exports.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { writtenUpTo } from '../clickhouse/table-state.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { tablesOf } from '../reports/report.ts';
import { contentOf } from './content.ts';
import { placeOf } from './destinations/destination.ts';
import { hashesAt } from './destinations/sent-files.ts';
import { manifestPath, manifestSchema, type Manifest } from './manifest.ts';
import { closingsIn, settleReports } from './report.ts';
import { listRuns } from './runs.ts';
import { questionOf, reportOfExport } from './schedules.ts';

/** A file of a schedule, and what is wrong with it. */
export interface VerifiedFile {
  readonly schedule: string;
  readonly file: string;
  /** Null when the file is unchanged and does not contradict the ledger. */
  readonly problem: string | null;
  /**
   * Whether the ledger gives the same rows now: `same`, or `changed` because something was written since; null when it
   * was not compared because of the problem.
   */
  readonly ledger: 'same' | 'changed' | null;
}

type Held = Pick<VerifiedFile, 'problem' | 'ledger'>;

const ALL_RUNS = 100_000;

async function hashOf(parts: AsyncIterable<string | Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of parts) hash.update(part);
  return hash.digest('hex');
}

function sameTotals(one: ExportTotals, other: ExportTotals): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The manifest, if it and its file are unchanged; a text = what is wrong. */
async function readBack(path: string, run: ExportRun): Promise<Manifest | string> {
  if (!existsSync(path)) return 'The file is not there.';
  if ((await hashOf(createReadStream(path))) !== run.sha256)
    return 'The file is not the one that was written: its SHA-256 is another.';
  const beside = manifestPath(path);
  if (!existsSync(beside)) return 'The manifest is not there.';
  if ((await hashOf(createReadStream(beside))) !== run.manifest_sha256)
    return 'The manifest is not the one that was written: its SHA-256 is another.';
  const manifest = manifestSchema.safeParse(JSON.parse(readFileSync(beside, 'utf8')));
  if (!manifest.success) return 'The manifest cannot be read.';
  const { sha256, rows, totals } = manifest.data;
  if (sha256 !== run.sha256 || rows !== run.rows || !sameTotals(totals, run.totals))
    return 'The manifest says something else than the history.';
  return manifest.data;
}

/**
 * What is wrong with the copies of a file and its manifest at their destination; null when they are the ones that were
 * written.
 */
function wrongAt(place: string, there: ReadonlyMap<string, string | null>, run: ExportRun): string | null {
  for (const [name, sha256, what] of [
    [run.file, run.sha256, 'file'],
    [manifestPath(run.file), run.manifest_sha256, 'manifest'],
  ] as const) {
    const found = there.get(name) ?? null;
    if (found === null) return `The ${what} is not at ${place}.`;
    if (found !== sha256) return `The ${what} at ${place} is not the one that was written: its SHA-256 is another.`;
  }
  return null;
}

/** What is wrong at the destination of a schedule, by file; empty without a destination. */
async function wrongThere(to: string | undefined, runs: Iterable<ExportRun>): Promise<ReadonlyMap<string, string>> {
  const wrong = new Map<string, string>();
  if (to === undefined) return wrong;
  const files = [...runs];
  try {
    const there = await hashesAt(
      to,
      files.flatMap(({ file }) => [file, manifestPath(file)]),
    );
    for (const run of files) {
      const problem = wrongAt(placeOf(to), there, run);
      if (problem !== null) wrong.set(run.file, problem);
    }
  } catch (error) {
    if (!(error instanceof ActionableError)) throw error;
    for (const { file } of files) wrong.set(file, error.message);
  }
  return wrong;
}

/** SHA-256 of the uncompressed content of a file. */
async function contentHash(path: string, { compression }: Manifest): Promise<string> {
  const hash = createHash('sha256');
  const unpack = compression === 'gzip' ? [createGunzip()] : [];
  await pipeline([createReadStream(path), ...unpack, hash]);
  return hash.digest('hex');
}

/** The closings that freeze the rows of a file, as one text. */
const closingsText = (closings: Manifest['closings']): string =>
  JSON.stringify(closings.map(({ waba_id, month, checksum }) => [waba_id, month, checksum]));

/** Compares a file with the rows that the ledger gives now, for the same parameters, clock and columns. */
async function heldAgainst(
  ledger: Pick<Ledger, 'database' | 'reading'>,
  { definition, schedule_id }: ExportSchedule,
  run: ExportRun,
  manifest: Manifest,
  path: string,
): Promise<Held> {
  const report = reportOfExport(definition);
  const { label } = manifest.period;
  const period = { from: run.period_from, to: run.period_to, label };
  const question = questionOf(definition, period, Date.parse(manifest.as_of) / 1000);
  await settleReports([report.name], ledger.database);
  const state = await writtenUpTo(ledger.database, tablesOf(report, question.filters));
  const closings = await closingsIn(report.name, ledger.reading, question.filters);
  const columns = manifest.columns.map(({ name }) => name);
  // Bytes of workbooks and Parquet depend on the version of their writer, so their rows and sums are compared as CSV.
  const format = 'csv';
  const { parts, passage } = await contentOf(
    { report: report.name, question, columns, format, run: schedule_id },
    ledger,
  );
  const content = await hashOf(parts);
  const isSame =
    passage.rows === manifest.rows &&
    sameTotals(passage.byCurrency(), manifest.totals) &&
    (definition.format !== format || content === (await contentHash(path, manifest)));
  if (isSame) return { problem: null, ledger: 'same' };
  const now = `${passage.rows} rows with ${JSON.stringify(passage.byCurrency())}, where the file has ${manifest.rows} with ${JSON.stringify(manifest.totals)}`;
  if (manifest.is_frozen && closingsText(manifest.closings) === closingsText(closings))
    return { problem: `The month is closed, and the ledger gives something else: ${now}.`, ledger: null };
  if (manifest.ledger_state !== '' && manifest.ledger_state === state)
    return { problem: `Nothing was written since, and the ledger gives something else: ${now}.`, ledger: null };
  return { problem: null, ledger: 'changed' };
}

/**
 * Reads the files of a schedule and their manifests back, and compares them with the history in the ledger and with the
 * rows that the ledger gives now. Rows of closed months, and rows whose tables were not written to since, must be the
 * same. Where the schedule has a destination, its copies must be the same files.
 * @param directory of the exporter
 */
export async function verifyExports(
  ledger: Pick<Ledger, 'database' | 'reading'>,
  directory: string,
  schedule: ExportSchedule,
): Promise<VerifiedFile[]> {
  const { schedule_id, definition } = schedule;
  const done = (await listRuns(ledger.database, schedule_id, ALL_RUNS)).filter(({ state }) => state === 'done');
  // A period that is not over replaces its file: the most recently begun run wrote it.
  const files = new Map<string, ExportRun>();
  for (const run of done) if (!files.has(run.file)) files.set(run.file, run);
  const wrong = await wrongThere(definition.to, files.values());
  const verified: VerifiedFile[] = [];
  for (const [file, run] of [...files].reverse()) {
    const path = join(directory, file);
    const readHere = await readBack(path, run);
    const manifest = typeof readHere === 'string' ? readHere : (wrong.get(file) ?? readHere);
    const held: Held =
      typeof manifest === 'string'
        ? { problem: manifest, ledger: null }
        : await heldAgainst(ledger, schedule, run, manifest, path);
    verified.push({ schedule: definition.name, file, ...held });
  }
  return verified;
}
