import { onlyValue, type ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { DateTime } from 'luxon';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import type { Database } from '../clickhouse/database.ts';
import type { Report } from '../reports/report.ts';

const MAX_CHARACTERS = 60;

/**
 * A part of a file name, with characters that all file systems and shells accept and without the separator of parts.
 */
function part(text: string): string {
  return text
    .replaceAll(/[^A-Za-z0-9.-]+/g, '-')
    .replaceAll(/^[-.]+|[-.]+$/g, '')
    .slice(0, MAX_CHARACTERS);
}

/** The days of a range as text: a month, a day, or the first and the last day. */
function periodOf({ from, to }: ReportFilters): string {
  if (from === null) return to === null ? '' : `before-${to}`;
  if (to === null) return `from-${from}`;
  const [first, end] = [DateTime.fromISO(from, { zone: 'utc' }), DateTime.fromISO(to, { zone: 'utc' })];
  if (first.day === 1 && +first.plus({ months: 1 }) === +end) return from.slice(0, 7);
  const last = end.minus({ days: 1 }).toFormat('yyyy-MM-dd');
  return from === last ? from : `${from}_${last}`;
}

/** The zone of the days; empty when they are in the zones of several accounts. */
async function zoneOf({ days }: Report, filters: ReportFilters, database: Database): Promise<string> {
  if (days === 'none') return '';
  if (filters.is_tz_given === true && (days === 'zone' || days === 'accounts')) return filters.tz;
  if (days === 'zone') return filters.from === null && filters.to === null ? '' : filters.tz;
  const account = onlyValue(filters.waba_id);
  if (account === null) return '';
  const accounts = (await readConfiguration(database))?.accounts ?? [];
  return accounts.find(({ waba_id }) => waba_id === account)?.time_zone ?? 'UTC';
}

/** The name of a file without its extension: report, account, period and zone, as far as they were requested; whether it has changes alone. */
export async function stemOf(
  report: Report,
  filters: ReportFilters,
  database: Database,
  period: string = periodOf(filters),
): Promise<string> {
  const account = onlyValue(filters.waba_id);
  const zone = await zoneOf(report, filters, database);
  const changes = filters.changed_since == null ? '' : 'changes';
  const parts = [report.name, changes, account === '' ? 'no-account' : part(account ?? ''), period, part(zone)];
  return parts.filter((text) => text !== '').join('_');
}

/** The file name of a download. */
export async function fileNameOf(
  report: Report,
  filters: ReportFilters,
  database: Database,
  format: 'csv' | 'xlsx' = 'csv',
): Promise<string> {
  return `${await stemOf(report, filters, database)}.${format}`;
}
