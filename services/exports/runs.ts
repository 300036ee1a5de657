import { exportTotals, RUN_STATES, type ExportRun } from '@ctwa-ledger/schemas/exports.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import type { RunPeriod } from './run-period.ts';

const runRow = z.object({
  schedule_id: z.string(),
  period_from: z.string(),
  period_to: z.string(),
  state: z.enum(RUN_STATES),
  attempt: z.coerce.number(),
  due_at: z.string().nullable(),
  asked_by: z.string(),
  began_at: z.string(),
  ended_at: z.string().nullable(),
  seconds: z.coerce.number().nullable(),
  next_attempt_at: z.string().nullable(),
  file: z.string(),
  rows: z.coerce.number(),
  bytes: z.coerce.number(),
  sha256: z.string(),
  manifest_sha256: z.string(),
  totals: z.string().transform((text) => exportTotals.parse(JSON.parse(text === '' ? '{}' : text))),
  is_frozen: z.boolean(),
  error: z.string(),
});

/** A time as ISO 8601 in UTC; null when it is not set. */
function timeOf(column: string): string {
  return `if(toUnixTimestamp(${column}) = 0, NULL, concat(formatDateTime(${column}, '%FT%T'), '+00:00'))`;
}

/** One step in the history of a run. */
export interface RunStep {
  readonly schedule_id: string;
  readonly period: RunPeriod;
  readonly state: ExportRun['state'];
  readonly attempt: number;
  /** Unix seconds; 0 = somebody asked for it. */
  readonly due_at: number;
  readonly asked_by: string;
  /** Unix milliseconds. */
  readonly began_ms: number;
  readonly ended_ms: number;
  /** Unix seconds; 0 = never. */
  readonly next_attempt_at: number;
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly manifest_sha256: string;
  readonly totals: ExportRun['totals'];
  readonly is_frozen: boolean;
  readonly error: string;
}

const STEP_COLUMNS = [
  'schedule_id',
  'period_from',
  'period_to',
  'token',
  'step',
  'state',
  'attempt',
  'due_at',
  'asked_by',
  'began_at',
  'ended_at',
  'next_attempt_at',
  'file',
  'rows',
  'bytes',
  'sha256',
  'manifest_sha256',
  'totals',
  'is_frozen',
  'error',
] as const;

/** A time as ClickHouse reads it, UTC. */
function storedTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('T', ' ').replace('Z', '');
}

/**
 * Stores a step of a run. As a row: a statement with a parameter for each column has to be planned first.
 * @param token of the lease: steps that an earlier holder stores after it are ignored
 */
export async function writeStep(database: Database, step: RunStep, token: string, number: number): Promise<void> {
  const row: Readonly<Record<(typeof STEP_COLUMNS)[number], unknown>> = {
    ...step,
    period_from: step.period.from,
    period_to: step.period.to,
    token,
    step: number,
    began_at: storedTime(step.began_ms),
    ended_at: storedTime(step.ended_ms),
    totals: JSON.stringify(step.totals),
  };
  const line = JSON.stringify(STEP_COLUMNS.map((column) => row[column]));
  await database.insertLines('export_runs', STEP_COLUMNS, `${line}\n`);
}

const RUN = `schedule_id, period_from, period_to, toString(state) AS state, attempt, ${timeOf('export_runs.due_at')} AS due_at,
    asked_by, concat(formatDateTime(export_runs.began_at, '%FT%T'), '+00:00') AS began_at,
    ${timeOf('export_runs.ended_at')} AS ended_at,
    if(toUnixTimestamp(export_runs.ended_at) = 0, NULL,
       dateDiff('millisecond', export_runs.began_at, export_runs.ended_at) / 1000) AS seconds,
    ${timeOf('export_runs.next_attempt_at')} AS next_attempt_at, file, rows, bytes, sha256, manifest_sha256, totals, is_frozen,
    error`;

/** The latest step of each period of a schedule, the most recently begun first. */
export function listRuns(database: Database, schedule_id: string, limit = 1_000): Promise<ExportRun[]> {
  return database.query(
    runRow,
    `SELECT ${RUN} FROM (SELECT * FROM export_runs WHERE schedule_id = {schedule_id:String}
       ORDER BY token DESC, step DESC LIMIT 1 BY period_from, period_to) AS export_runs
     ORDER BY export_runs.began_at DESC, token DESC, step DESC LIMIT {limit:UInt32}`,
    { schedule_id, limit },
  );
}

/** The most recently begun period of each schedule. */
export function lastRuns(database: Database): Promise<ExportRun[]> {
  return database.query(
    runRow,
    `SELECT ${RUN} FROM (SELECT * FROM export_runs ORDER BY token DESC, step DESC LIMIT 1 BY schedule_id) AS export_runs
     ORDER BY schedule_id`,
  );
}
