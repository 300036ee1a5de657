import { randomBytes } from 'node:crypto';
import {
  exportDefinition,
  EXPORT_STATES,
  type ExportDefinition,
  type ExportSchedule,
  type ExportState,
} from '@ctwa-ledger/schemas/exports.ts';
import { z } from 'zod';
import { findReport, REPORTS, type ReportName } from '../catalogue/catalogue.ts';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError, ConflictError } from '../clickhouse/errors.ts';
import { didYouMean } from '../reports/nearest.ts';
import { parametersOf, readQuestion, type GivenTexts } from '../reports/parameters.ts';
import type { AskedRows, Report } from '../reports/report.ts';
import { periodOn, type RunPeriod } from './run-period.ts';
import { occurrencesAfter, readWhen, type When } from './when.ts';

/** The author of schedules that a configuration file lists. */
export const BY_CONFIGURATION = 'the configuration file';

/** Parameters that a schedule sets through its period, not through filters. */
const SAID_BY_PERIOD: readonly string[] = ['from', 'to', 'month', 'period', 'as_of', 'changed_since'];

const scheduleRow = z.object({
  schedule_id: z.string(),
  version: z.coerce.number(),
  state: z.enum(EXPORT_STATES),
  definition: z.string().transform((text) => exportDefinition.parse(JSON.parse(text))),
  since: z.coerce.number(),
  changed_at: z.string(),
  changed_by: z.string(),
  made_by: z.string(),
});

/** The report of a definition. @throws ActionableError when there is no such report */
export function reportOfExport({ report: name }: Pick<ExportDefinition, 'report'>): Report<ReportName> {
  const report = findReport(name);
  if (report === undefined)
    throw new ActionableError(
      `There is no report "${name}". The reports are ${REPORTS.join(', ')}.${didYouMean(name, REPORTS)}`,
    );
  return report;
}

export function whenOf({ when, zone }: ExportDefinition): When {
  return readWhen(when, zone);
}

/** The folder of a schedule's files, below the directory of the exporter. */
export function folderOf({ folder, name }: ExportDefinition): string {
  return folder ?? name;
}

/**
 * The folder of a period's file. With the layout `key=value` its last parts say report, account and period, as tools that
 * read folders of files as one table expect it.
 */
export function folderOfPeriod(definition: ExportDefinition, { label }: RunPeriod): string {
  const top = folderOf(definition);
  if (definition.layout === 'flat') return top;
  const { waba_id } = definition.filters;
  const account = waba_id === undefined || waba_id === '' ? [] : [`waba_id=${waba_id}`];
  return [top, `report=${definition.report}`, ...account, `period=${label}`].join('/');
}

/** The columns of the files, in the order of the report. */
export function columnsOfExport(definition: ExportDefinition): readonly string[] {
  const { columns } = reportOfExport(definition);
  return definition.columns.length === 0 ? columns : columns.filter((name) => definition.columns.includes(name));
}

/**
 * The parameters of the report in a run.
 * @param asOf the clock for what depends on now, Unix seconds
 * @throws ActionableError for parameters that the report does not take
 */
export function questionOf(
  definition: ExportDefinition,
  period: RunPeriod,
  asOf: number,
): Pick<AskedRows, 'filters' | 'by'> {
  const report = reportOfExport(definition);
  const range = period.to === '' ? {} : { from: period.from, to: period.to };
  const zone = report.days === 'zone' ? { tz: definition.zone } : {};
  const given: GivenTexts = { ...zone, ...definition.filters, ...range };
  const question = readQuestion(report, given, asOf);
  if (!question.ok) throw new ActionableError(question.message);
  return question;
}

/**
 * A definition as it is stored. It is checked when it is added, so that mistakes are reported then and not in the first
 * run.
 * @throws ActionableError when it cannot be exported: an unknown report, column or filter, or an unreadable time
 */
export function checkedDefinition(given: ExportDefinition, nowSeconds: number): ExportDefinition {
  const report = reportOfExport(given);
  const when = whenOf(given);
  // A zone at the end of the text is the zone of the schedule.
  const words = given.when.trim();
  const definition = { ...given, zone: when.zone, when: words.replace(/\s+[A-Za-z]+\/[\w/+-]+$|\s+UTC$/i, '') };
  const unknown = given.columns.find((name) => !report.columns.includes(name));
  if (unknown !== undefined)
    throw new ActionableError(
      `The report ${report.name} has no column "${unknown}"; it has ${report.columns.join(', ')}.${didYouMean(unknown, report.columns)}`,
    );
  const taken = parametersOf(report).filter((name) => !SAID_BY_PERIOD.includes(name));
  const refused = Object.keys(given.filters).find((name) => !taken.some((known) => known === name));
  if (refused !== undefined)
    throw new ActionableError(
      `The report ${report.name} does not take ${refused} in an export; it ${taken.length === 0 ? 'takes no filters' : `takes ${taken.join(', ')}`}.${didYouMean(refused, taken)}`,
    );
  if ((report.days === 'none') !== (given.period === 'all'))
    throw new ActionableError(
      report.days === 'none'
        ? `The report ${report.name} has no days: its period is all.`
        : `The report ${report.name} is of days: say which, like yesterday or last-month.`,
    );
  const [next] = occurrencesAfter(when, nowSeconds);
  const period = periodOn(given.period, next?.day ?? '', '2026-01');
  if (period !== null) questionOf(definition, period, nowSeconds);
  return definition;
}

/** All schedules by name, without the removed ones unless `removed`. */
export function listSchedules(database: Database, removed = false): Promise<ExportSchedule[]> {
  return database.query(
    scheduleRow,
    `SELECT schedule_id, version, toString(state) AS state, definition, toUnixTimestamp(export_schedules.since) AS since,
        concat(formatDateTime(export_schedules.changed_at, '%FT%T'), '+00:00') AS changed_at, changed_by, made_by
     FROM
     (
       SELECT *, first_value(changed_by) OVER (PARTITION BY schedule_id ORDER BY version) AS made_by
       FROM export_schedules ORDER BY version DESC LIMIT 1 BY schedule_id
     ) AS export_schedules
     ${removed ? '' : "WHERE state != 'removed'"}
     ORDER BY name, schedule_id`,
  );
}

/** @throws ActionableError when there is no schedule with that name */
export async function findSchedule(database: Database, name: string): Promise<ExportSchedule> {
  const schedules = await listSchedules(database);
  const found = schedules.find(({ definition }) => definition.name === name);
  if (found !== undefined) return found;
  const names = schedules.map(({ definition }) => definition.name);
  throw new ActionableError(
    `There is no scheduled export "${name}"${names.length === 0 ? '' : `; there are ${names.join(', ')}`}.${didYouMean(name, names)}`,
  );
}

async function keep(
  database: Database,
  schedule: Pick<ExportSchedule, 'schedule_id' | 'version' | 'state' | 'definition' | 'since'>,
  by: string,
): Promise<void> {
  const { schedule_id, version, state, definition, since } = schedule;
  await database.command(
    `INSERT INTO export_schedules (schedule_id, version, name, state, definition, since, changed_at, changed_by)
     SELECT {schedule_id:String}, {version:UInt64}, {name:String}, {state:String}, {definition:String},
        toDateTime({since:UInt32}, 'UTC'), now64(3, 'UTC'), {by:String}`,
    { schedule_id, version, name: definition.name, state, definition: JSON.stringify(definition), since, by },
  );
}

/**
 * Adds a schedule. It exports what is due from now on.
 * @throws ActionableError when it cannot be exported, or when the name or the folder is taken
 */
export async function addSchedule(
  database: Database,
  given: ExportDefinition,
  by: string,
  nowSeconds: number,
): Promise<ExportSchedule> {
  const definition = checkedDefinition(given, nowSeconds);
  for (const { definition: other } of await listSchedules(database)) {
    if (other.name === definition.name)
      throw new ConflictError(
        `There is a scheduled export "${other.name}" already. Remove it first, or take another name.`,
      );
    if (folderOf(other) === folderOf(definition))
      throw new ConflictError(`The folder ${folderOf(other)} is that of "${other.name}". Give another one.`);
  }
  const schedule_id = randomBytes(8).toString('hex');
  await keep(database, { schedule_id, version: 1, state: 'active', definition, since: nowSeconds }, by);
  return findSchedule(database, definition.name);
}

/**
 * Pauses, resumes or removes a schedule. What was due during a pause is not caught up; `backfill` does that.
 * @returns the schedule after the change
 */
export async function setScheduleState(
  database: Database,
  name: string,
  state: ExportState,
  by: string,
  nowSeconds: number,
): Promise<ExportSchedule> {
  const schedule = await findSchedule(database, name);
  if (schedule.state === state) return schedule;
  if (state === 'removed' && schedule.made_by === BY_CONFIGURATION)
    throw new ConflictError(
      `"${name}" is listed in the configuration file of the exporter. Remove it there, or pause it here.`,
    );
  const since = state === 'active' ? nowSeconds : schedule.since;
  await keep(database, { ...schedule, version: schedule.version + 1, state, since }, by);
  return { ...schedule, version: schedule.version + 1, state, since };
}

/** Gives a schedule another definition. What was due until now stays as it was written. */
export async function changeSchedule(
  database: Database,
  schedule: ExportSchedule,
  definition: ExportDefinition,
): Promise<void> {
  await keep(database, { ...schedule, version: schedule.version + 1, definition }, BY_CONFIGURATION);
}

/** Removes a schedule that the configuration file does not list any more. */
export async function removeConfigured(database: Database, schedule: ExportSchedule): Promise<void> {
  await keep(database, { ...schedule, version: schedule.version + 1, state: 'removed' }, BY_CONFIGURATION);
}
