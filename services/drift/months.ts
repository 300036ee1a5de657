import type { DayVariance } from '@ctwa-ledger/schemas/meta.ts';
import { DateTime } from 'luxon';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import { settleCharges } from '../rating/charges.ts';
import { readSources } from '../reconciliation/case-evaluation.ts';
import { evaluateMonth } from '../reconciliation/case-register.ts';
import type { AskedMonth, ReconciledMonth } from '../reconciliation/reconcile.ts';
import { dayVariances } from '../reconciliation/variances.ts';
import { monthAfter, settledAt } from '../reconciliation/whole-days.ts';
import { departuresIn, lastDepartures, writeDepartures, type Departure } from './departures.ts';

/** Meta keeps its numbers for a year: older ones do not change any more. */
const MONTHS_BACK = 13;
/** The author of evaluations in the background. */
const BY = 'ctwa-ledger';

const spanRow = z.object({ waba_id: z.string(), first_day: z.string(), last_day: z.string() });

/** Months of accounts in the last year that Meta's numbers cover, or covered before these were withdrawn. */
async function monthsToLookAt(database: Database, now: number): Promise<AskedMonth[]> {
  const spans = await database.query(
    spanRow,
    `SELECT DISTINCT waba_id, toString(first) AS first_day, toString(last) AS last_day
     FROM (SELECT waba_id, first_days, last_days FROM meta_imports FINAL WHERE field IN ('pricing_analytics', 'conversation_analytics'))
     ARRAY JOIN first_days AS first, last_days AS last`,
  );
  const earliest = DateTime.fromMillis(now, { zone: 'utc' }).minus({ months: MONTHS_BACK }).toFormat('yyyy-MM-01');
  const months = new Map<string, AskedMonth>();
  for (const { waba_id, first_day, last_day } of spans) {
    const from = `${first_day.slice(0, 7)}-01`;
    for (let day = from < earliest ? earliest : from; day <= last_day; day = monthAfter(day)) {
      const month = day.slice(0, 7);
      months.set(`${waba_id}\n${month}`, { waba_id, month });
    }
  }
  return [...months.values()].toSorted((a, b) =>
    a.month === b.month ? (a.waba_id < b.waba_id ? -1 : 1) : a.month < b.month ? 1 : -1,
  );
}

/** The days for which Meta's numbers had settled when they were fetched: earlier they still change. */
async function settledDays(database: Database, held: ReconciledMonth): Promise<DayVariance[]> {
  const accounts = (await readConfiguration(database))?.accounts ?? [];
  const zone = accounts.find(({ waba_id }) => waba_id === held.waba_id)?.time_zone ?? 'UTC';
  return dayVariances(held).filter(({ day }) => {
    const taken = held.taken_at.get(day);
    return taken !== undefined && taken >= settledAt(day, zone) * 1_000;
  });
}

/** For each month, a fingerprint of what it was last made from. */
export type Seen = Map<string, string>;

const kept = z.object({ waba_id: z.string(), month: z.string(), sources: z.string() });

/** The fingerprints of earlier background evaluations, so that a new process need not evaluate everything again. */
export async function seenBefore(database: Database): Promise<Seen> {
  const rows = await database.query(
    kept,
    `SELECT waba_id, substring(toString(case_evaluations.month), 1, 7) AS month, argMax(sources, case_evaluations.evaluated_at) AS sources
     FROM case_evaluations FINAL WHERE purpose = 'background' GROUP BY waba_id, case_evaluations.month`,
  );
  return new Map(rows.map(({ waba_id, month, sources }) => [`${waba_id}\n${month}`, sources]));
}

/**
 * Holds every month of the last year against Meta's numbers if something of it has changed: an import, a late event, a
 * card or an account. Stores each evaluation, and notes days that departed beyond tolerance or came back.
 * @param seen the fingerprints of earlier looks; this one is added
 * @param now Unix milliseconds
 * @param isStopping whether to leave the rest to the next look
 * @returns the days that departed or returned, as they were noted
 */
export async function lookAtMonths(
  database: Database,
  seen: Seen,
  now: number,
  isStopping: () => boolean = () => false,
): Promise<Departure[]> {
  const noted: Departure[] = [];
  const months = await monthsToLookAt(database, now);
  if (months.length > 0) await settleCharges(database);
  for (const asked of months) {
    if (isStopping()) break;
    const key = `${asked.waba_id}\n${asked.month}`;
    const sources = JSON.stringify(await readSources(database, asked));
    if (seen.get(key) === sources) continue;
    const held = await evaluateMonth(database, asked, { purpose: 'background', by: BY });
    const first = `${asked.month}-01`;
    const last = await lastDepartures(database, asked.waba_id, { first, end: monthAfter(first) });
    const departures = departuresIn(await settledDays(database, held), last, now);
    await writeDepartures(database, departures, now);
    noted.push(...departures);
    seen.set(key, sources);
  }
  return noted;
}
