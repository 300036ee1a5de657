import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { exportDefinition, type ExportRun, type ExportState, type ShownExport } from '@ctwa-ledger/schemas/exports.ts';
import { isDay } from '@ctwa-ledger/schemas/report-filters.ts';
import { optionOf } from '@ctwa-ledger/schemas/report-parameters.ts';
import { NARROWINGS } from '@ctwa-ledger/schemas/asked.ts';
import { ActionableError } from '../../clickhouse/errors.ts';
import { Exports, showExports, type EndedRun } from '../../exports/runner.ts';
import { listRuns } from '../../exports/runs.ts';
import { addSchedule, findSchedule, listSchedules, setScheduleState } from '../../exports/schedules.ts';
import { verifyExports } from '../../exports/verify.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { withExistingLedger, withLedger } from '../open.ts';
import { isForPerson, writeResult } from '../output.ts';
import { EXPORTS_FOLDER, locationOf, UsageError, type CommonOptions } from '../settings.ts';
import { userName } from '../user.ts';

export interface ExportsOptions extends CommonOptions {
  readonly json?: boolean;
}

export interface ExportsRunOptions extends ExportsOptions {
  readonly dir?: string;
}

export interface ExportsBackfillOptions extends ExportsRunOptions {
  readonly from: string;
  readonly to: string;
}

export interface ExportsAddOptions extends ExportsOptions {
  readonly report: string;
  readonly when: string;
  readonly period: string;
  readonly zone: string;
  readonly format: string;
  readonly compression: string;
  readonly layout: string;
  readonly columns?: string;
  readonly folder?: string;
  readonly destination?: string;
  readonly notify?: string;
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

/** The directory with the folders of schedules. */
export function exportsDirectory(options: ExportsRunOptions): string {
  if (options.dir !== undefined) return resolve(options.dir);
  const location = locationOf(options);
  if (location.kind === 'embedded') return join(location.dataDir, EXPORTS_FOLDER);
  throw new UsageError('Say where the files are, with --dir: the ledger is on a server.');
}

function printed(lines: readonly (readonly string[])[]): string[] {
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Writes a table for a person, JSON objects for a program. */
function writeTable(
  options: ExportsOptions,
  rows: readonly object[],
  heads: readonly string[],
  cells: readonly (readonly string[])[],
  nothing: string,
): void {
  if (!isForPerson(options)) for (const row of rows) writeResult(options, row, () => []);
  else if (rows.length === 0) process.stdout.write(`${nothing}\n`);
  else writeResult(options, {}, () => printed([heads, ...cells]));
}

function lastOf({ last_run }: ShownExport): string {
  if (last_run === null) return 'never run';
  return last_run.error === '' ? `${last_run.state}, ${last_run.rows} rows` : `${last_run.state}: ${last_run.error}`;
}

export async function exportsList(options: ExportsOptions): Promise<void> {
  await withExistingLedger('exports list', options, async ({ database }) => {
    const shown = await showExports(database, now());
    writeTable(
      options,
      shown,
      ['NAME', 'STATE', 'REPORT', 'PERIOD', 'FORMAT', 'WHEN', 'NEXT', 'LAST'],
      shown.map((one) => [
        one.name,
        one.state,
        one.report,
        one.period,
        one.format,
        `${one.when} ${one.zone}`,
        one.next[0] ?? 'not while it is paused',
        lastOf(one),
      ]),
      'Nothing is exported on a schedule. Add something with "ctwa-ledger exports add".',
    );
  });
}

export async function exportsAdd(
  name: string,
  options: ExportsAddOptions & Readonly<Record<string, unknown>>,
): Promise<void> {
  const optionKey = (parameter: string): string =>
    parameter.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const filters = Object.fromEntries(
    (['tz', 'by', ...NARROWINGS] as const).flatMap((parameter) => {
      const value = options[optionKey(optionOf(parameter))];
      return typeof value === 'string' ? [[parameter, value]] : [];
    }),
  );
  const parsed = exportDefinition.safeParse({
    name,
    report: options.report,
    filters,
    columns: options.columns?.split(',').map((column) => column.trim()) ?? [],
    when: options.when,
    zone: options.zone,
    period: options.period,
    format: options.format,
    compression: options.compression,
    layout: options.layout,
    folder: options.folder,
    to: options.destination,
    notify: options.notify,
  });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UsageError(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unknown'}.`);
  }
  await withLedger('exports add', options, async ({ database }) => {
    const added = await addSchedule(database, parsed.data, userName(), now());
    const shown = (await showExports(database, now())).find(({ schedule_id }) => schedule_id === added.schedule_id);
    writeResult(options, shown ?? added, () => [
      `"${name}" exports ${parsed.data.report} of ${parsed.data.period}: ${added.definition.when} ${added.definition.zone}.`,
      `Next: ${shown?.next.join(', ') ?? ''}. An exporter has to run: "ctwa-ledger exporter --dir DIR".`,
    ]);
  });
}

const DONE: Readonly<Record<ExportState, string>> = {
  active: 'runs again, from now on',
  paused: 'is paused',
  removed: 'is removed; its files stay',
};

export async function exportsSetState(name: string, state: ExportState, options: ExportsOptions): Promise<void> {
  await withExistingLedger('exports', options, async ({ database }) => {
    const schedule = await setScheduleState(database, name, state, userName(), now());
    writeResult(options, { name, schedule_id: schedule.schedule_id, state }, () => [`"${name}" ${DONE[state]}.`]);
  });
}

const HEADS = ['FROM', 'TO', 'STATE', 'ROWS', 'BYTES', 'FILE'];

function cellsOf(period: { readonly from: string; readonly to: string }, run: EndedRun | ExportRun): string[] {
  const { state, rows, bytes, file, error } = run;
  return [period.from, period.to, state, String(rows), String(bytes), error === '' ? file : error];
}

async function runAndTell(
  options: ExportsRunOptions,
  work: (exports: Exports) => Promise<readonly EndedRun[]>,
): Promise<void> {
  await withExistingLedger('exports run', options, async (ledger: Ledger) => {
    const directory = exportsDirectory(options);
    mkdirSync(directory, { recursive: true });
    const ended = await work(new Exports({ ledger, directory, onRun: () => undefined }));
    writeTable(
      options,
      ended,
      HEADS,
      ended.map((run) => cellsOf(run.period, run)),
      'There was nothing to run.',
    );
    const failed = ended.find(({ state }) => state === 'failed');
    if (failed !== undefined) throw new ActionableError(`Some periods could not be exported: ${failed.error}`);
  });
}

export async function exportsRun(name: string, options: ExportsRunOptions): Promise<void> {
  await runAndTell(options, (exports) => exports.runNow(name, userName(), now()));
}

export async function exportsBackfill(name: string, options: ExportsBackfillOptions): Promise<void> {
  const { from, to } = options;
  for (const [option, day] of Object.entries({ from, to }))
    if (!isDay(day)) throw new UsageError(`--${option} "${day}" is not a date; use YYYY-MM-DD.`);
  if (from >= to) throw new UsageError(`--from ${from} is not before --to ${to}.`);
  await runAndTell(options, (exports) => exports.backfill(name, { from, to }, userName()));
}

export async function exportsHistory(name: string, options: ExportsOptions): Promise<void> {
  await withExistingLedger('exports history', options, async ({ database }) => {
    const { schedule_id } = await findSchedule(database, name);
    const runs = await listRuns(database, schedule_id);
    writeTable(
      options,
      runs,
      ['BEGAN', 'BY', ...HEADS],
      runs.map((run) => [run.began_at, run.asked_by, ...cellsOf({ from: run.period_from, to: run.period_to }, run)]),
      `"${name}" was never run.`,
    );
  });
}

export async function exportsVerify(name: string | undefined, options: ExportsRunOptions): Promise<void> {
  await withExistingLedger('exports verify', options, async (ledger: Ledger) => {
    const { database } = ledger;
    const directory = exportsDirectory(options);
    const schedules = name === undefined ? await listSchedules(database) : [await findSchedule(database, name)];
    const files = [];
    for (const schedule of schedules) files.push(...(await verifyExports(ledger, directory, schedule)));
    writeTable(
      options,
      files,
      ['FILE', 'OUTCOME'],
      files.map(({ file, problem, ledger: rows }) => [
        file,
        problem ?? (rows === 'same' ? 'as the ledger gives it' : 'as it was written; the ledger has changed since'),
      ]),
      'Nothing was exported yet.',
    );
    const wrong = files.filter(({ problem }) => problem !== null);
    if (wrong.length > 0)
      throw new ActionableError(
        `${wrong.length} of ${files.length} files differ from their manifest, starting with ${wrong[0]?.file ?? ''}.`,
      );
  });
}
