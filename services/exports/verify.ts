import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExportRun, ExportSchedule } from '@ctwa-ledger/schemas/exports.ts';
import type { Database } from '../clickhouse/database.ts';
import { manifestPath, manifestSchema } from './manifest.ts';
import { listRuns } from './runs.ts';

/** A file of a schedule, and what is wrong with it; null when it is as it was written. */
export interface VerifiedFile {
  readonly schedule: string;
  readonly file: string;
  readonly problem: string | null;
}

const ALL_RUNS = 100_000;

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function sameTotals(one: ExportRun['totals'], other: ExportRun['totals']): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

async function problemOf(path: string, run: ExportRun): Promise<string | null> {
  if (!existsSync(path)) return 'The file is not there.';
  if ((await hashOf(path)) !== run.sha256) return 'The file is not the one that was written: its SHA-256 is another.';
  const beside = manifestPath(path);
  if (!existsSync(beside)) return 'The manifest is not there.';
  if ((await hashOf(beside)) !== run.manifest_sha256)
    return 'The manifest is not the one that was written: its SHA-256 is another.';
  const manifest = manifestSchema.safeParse(JSON.parse(readFileSync(beside, 'utf8')));
  if (!manifest.success) return 'The manifest cannot be read.';
  const { sha256, rows, totals } = manifest.data;
  if (sha256 !== run.sha256 || rows !== run.rows || !sameTotals(totals, run.totals))
    return 'The manifest says something else than the history.';
  return null;
}

/** Reads the files of a schedule back with their manifests, and holds them against the history in the ledger. */
export async function verifyExports(
  database: Database,
  directory: string,
  { schedule_id, definition }: ExportSchedule,
): Promise<VerifiedFile[]> {
  const done = (await listRuns(database, schedule_id, ALL_RUNS)).filter(({ state }) => state === 'done');
  // A period that goes on replaces its file: the run that was begun last wrote it.
  const files = new Map<string, ExportRun>();
  for (const run of done) if (!files.has(run.file)) files.set(run.file, run);
  const verified: VerifiedFile[] = [];
  for (const [file, run] of [...files].reverse())
    verified.push({ schedule: definition.name, file, problem: await problemOf(join(directory, file), run) });
  return verified;
}
