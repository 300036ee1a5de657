import { onlyValue, type ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { DateTime } from 'luxon';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import { watchNumbers } from '../reports/gaps.ts';
import type { Report } from '../reports/report.ts';
import { firstMoment, narrowedSql } from '../reports/sql.ts';
import type { Manifest } from './manifest.ts';

/** Days around the file in which a number must have messages to be watched for gaps. */
const DAYS_AROUND = 28;

/** A day of a file, Unix seconds; `to` is exclusive. */
interface FileDay {
  readonly day: string;
  readonly from: number;
  readonly to: number;
}

/** The zone in which the days of a file begin. */
async function zoneOf(database: Database, { days }: Report, filters: ReportFilters): Promise<string> {
  const account = onlyValue(filters.waba_id);
  if (days === 'zone' || filters.is_tz_given === true || account === null) return filters.tz;
  const accounts = (await readConfiguration(database))?.accounts ?? [];
  return accounts.find(({ waba_id }) => waba_id === account)?.time_zone ?? 'UTC';
}

function daysBetween(from: string, to: string, zone: string): FileDay[] {
  const days: FileDay[] = [];
  for (let day = from; day < to;) {
    const next = DateTime.fromISO(day, { zone: 'utc' }).plus({ days: 1 }).toFormat('yyyy-MM-dd');
    days.push({ day, from: firstMoment(day, zone).toSeconds(), to: firstMoment(next, zone).toSeconds() });
    day = next;
  }
  return days;
}

async function numbersAround(
  database: Database,
  days: { readonly from: string; readonly to: string },
  filters: ReportFilters,
): Promise<string[]> {
  const narrowed = narrowedSql(filters, { waba_id: 'waba_id', phone_number_id: 'phone_number_id' });
  const rows = await database.query(
    z.object({ phone_number_id: z.string() }),
    `SELECT DISTINCT toString(phone_number_id) AS phone_number_id FROM charge_days
     WHERE day >= {first_day:Date} - {around:UInt16} AND day < {end_day:Date} + {around:UInt16} AND volume > 0
       AND ${narrowed.where}`,
    {
      first_day: days.from,
      end_day: days.to,
      around: DAYS_AROUND,
      ...narrowed.parameters,
    },
  );
  return rows.map(({ phone_number_id }) => phone_number_id);
}

async function lastEventAt(database: Database): Promise<number> {
  const [row] = await database.query(
    z.object({ at: z.number() }),
    'SELECT toUnixTimestamp(max(timestamp)) AS at FROM events',
  );
  return row?.at ?? 0;
}

/**
 * Says of each day of a file whether all its events are here, as far as the ledger can tell. Empty for a report without
 * days.
 */
export async function completenessOf(
  database: Database,
  report: Report,
  filters: ReportFilters,
): Promise<Manifest['days']> {
  const { from, to } = filters;
  if (report.days === 'none' || from === null || to === null) return [];
  const zone = await zoneOf(database, report, filters);
  const days = daysBetween(from, to, zone);
  const range = { from: firstMoment(from, zone).toSeconds(), to: firstMoment(to, zone).toSeconds(), time_zone: zone };
  const [watched, lastAt] = await Promise.all([
    numbersAround(database, { from, to }, filters).then((numbers) => watchNumbers(database, numbers, range)),
    lastEventAt(database),
  ]);
  const gaps = watched.flatMap((number) => number.gaps);
  const statusOf = (day: FileDay): Manifest['days'][number]['status'] => {
    if (filters.as_of < day.to) return 'not_over';
    if (gaps.some((gap) => gap.from < day.to && day.from < gap.to)) return 'gap';
    return lastAt < day.to ? 'no_later_event' : 'complete';
  };
  return days.map((day) => ({ day: day.day, status: statusOf(day) }));
}
