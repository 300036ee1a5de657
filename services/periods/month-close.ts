import { DEFAULT_CLOSING_DAY } from '@ctwa-ledger/schemas/config.ts';
import type { MonthClose } from '@ctwa-ledger/schemas/periods.ts';
import { DateTime } from 'luxon';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import type { Database } from '../clickhouse/database.ts';
import { examineMonth } from './checklist.ts';
import { needsSecondPerson, standingRequest } from './closing-requests.ts';
import { accountsToReconcile } from '../reconciliation/reconcile.ts';
import { accountMonth, accountsWithCharges, type AccountMonth } from './month.ts';
import { examinationKept, monthReport } from './month-report.ts';
import { listPeriods } from './periods.ts';
import { changedDays, laterCauses } from './since-closed.ts';

/** The earliest day on which a month can be closed without a warning, in the account's zone. */
export async function earliestClosing(database: Database, month: AccountMonth): Promise<string> {
  const accounts = (await readConfiguration(database))?.accounts ?? [];
  const account = accounts.find(({ waba_id }) => waba_id === month.waba_id);
  const day = account?.closing_day ?? DEFAULT_CLOSING_DAY;
  return `${month.end_day.slice(0, 8)}${String(day).padStart(2, '0')}`;
}

/**
 * A month of an account with what a page needs to close it: the current checklist or, for a closed month, the one of
 * its closing and the changes since. Settle the charges first.
 * @param now in Unix milliseconds
 * @throws ActionableError when there is no such account
 */
export async function monthClose(database: Database, waba_id: string, month: string, now: number): Promise<MonthClose> {
  const of = await accountMonth(database, waba_id, month);
  const closings = (await listPeriods(database)).filter((one) => one.waba_id === waba_id && one.month === month);
  // Of several closings that were not reopened the first is in force.
  const closed = closings.filter(({ state }) => state === 'closed').at(-1) ?? null;
  const earliest_day = await earliestClosing(database, of);
  const today = DateTime.fromMillis(now, { zone: of.time_zone }).toFormat('yyyy-MM-dd');
  const is_over = of.to * 1_000 <= now;
  const currencies = closed?.totals.map(({ currency }) => currency) ?? [];
  return {
    waba_id,
    month,
    time_zone: of.time_zone,
    is_over,
    earliest_day,
    is_early: today < earliest_day,
    needs_second_person: await needsSecondPerson(database, waba_id),
    requested: closed === null ? await standingRequest(database, of) : null,
    closed,
    examination: closed === null ? await examineMonth(database, of, now) : examinationKept(closed),
    report: closed === null ? null : await monthReport(database, closed.period_id),
    closings,
    changed: closed === null ? [] : await changedDays(database, of),
    causes: closed === null ? [] : await laterCauses(database, of, closed.cut_off, currencies),
  };
}

/** Accounts with messages in a month, numbers of Meta's or a closing, by id; empty = messages of no account. */
export async function accountsToClose(database: Database, month: string): Promise<string[]> {
  const [charged, reconciled, closings] = await Promise.all([
    accountsWithCharges(database, month),
    accountsToReconcile(database, month),
    listPeriods(database),
  ]);
  const closed = closings.filter((one) => one.month === month).map(({ waba_id }) => waba_id);
  return [...new Set([...charged, ...reconciled, ...closed])].sort();
}
