import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DateTime } from 'luxon';
import { monthSchema, mustBeAccepted } from '@ctwa-ledger/schemas/periods.ts';
import { ActionableError } from '../../clickhouse/errors.ts';
import { examineMonth } from '../../periods/checklist.ts';
import { judgeMonth } from '../../periods/verdict.ts';
import { accountMonth, accountName, accountsWithCharges, type AccountMonth } from '../../periods/month.ts';
import { earliestClosing } from '../../periods/month-close.ts';
import { closableMonth, closePeriod, listPeriods, reopenPeriod } from '../../periods/periods.ts';
import { makeMonthReport, monthReportFiles, reportFolder } from '../../periods/month-report.ts';
import { refreshTextFile } from '../../exports/files.ts';
import { settleCharges } from '../../rating/charges.ts';
import type { Database } from '../../clickhouse/database.ts';
import { withExistingLedger } from '../open.ts';
import { examinationLines, periodLines } from '../close-words.ts';
import { isForPerson, writeResult } from '../output.ts';
import { UsageError, type CommonOptions } from '../settings.ts';
import { userName } from '../user.ts';

export interface CloseOptions extends CommonOptions {
  readonly waba?: readonly string[];
  readonly accept?: boolean;
  readonly check?: boolean;
  readonly note?: string;
  readonly json?: boolean;
}

export interface PeriodsOptions extends CommonOptions {
  readonly json?: boolean;
}

export interface ReopenOptions extends PeriodsOptions {
  readonly reason?: string;
}

const MAX_NOTE_CHARACTERS = 1_000;

/** The value of `--account` for messages without an account. */
const NONE = 'none';

/** The accounts with messages in the month that are not closed yet. */
async function openAccounts(database: Database, month: string): Promise<string[]> {
  const all = await accountsWithCharges(database, month);
  if (all.length === 0)
    throw new ActionableError(
      `No message was delivered in ${month}: there is nothing to close. Name an account with --waba to close it anyway.`,
    );
  const standing = (await listPeriods(database)).filter(
    (period) => period.month === month && period.state === 'closed',
  );
  const closed = new Set(standing.map(({ waba_id }) => waba_id));
  const open = all.filter((waba_id) => !closed.has(waba_id));
  if (open.length === 0)
    throw new ActionableError(
      `${month} is closed already for every account with messages in it. List the closings with "ctwa-ledger periods list".`,
    );
  return open;
}

/** Warns when it is early to close: Meta's numbers for the last days may still change. */
async function warnIfEarly(database: Database, month: AccountMonth): Promise<void> {
  const earliest = await earliestClosing(database, month);
  const today = DateTime.now().setZone(month.time_zone).toFormat('yyyy-MM-dd');
  if (today < earliest)
    process.stderr.write(
      `It is early to close ${month.month} of ${accountName(month.waba_id)}: it is closed from ${earliest} on. Until then Meta's numbers for the last days still change.\n`,
    );
}

/** Closes a month of an account, or checks it, and prints the result; false when something may be missing. */
async function closeOne(database: Database, waba_id: string, month: string, options: CloseOptions): Promise<boolean> {
  const of = await accountMonth(database, waba_id, month);
  await warnIfEarly(database, of);
  if (options.check === true) {
    const examination = await examineMonth(database, of, Date.now());
    const isComplete = !mustBeAccepted(examination);
    const { findings, verdict, checklist } = examination;
    writeResult(
      options,
      { waba_id, month, outcome: isComplete ? 'complete' : 'incomplete', findings, verdict, checklist },
      () => examinationLines(waba_id, month, examination),
    );
    return isComplete;
  }
  const closing = { waba_id, month, by: userName(), accept: options.accept === true, note: options.note ?? '' };
  const closed = await closePeriod(database, closing, Date.now);
  if (closed.outcome === 'closed')
    writeResult(options, { ...closed.period, outcome: closed.outcome }, () => periodLines(closed.period));
  else if (closed.outcome === 'requested')
    writeResult(options, { waba_id, month, ...closed }, () => [
      `${month} of ${accountName(waba_id)} is to be closed, ${closed.request.by} says. Nothing is closed yet: a second person runs the same command.`,
    ]);
  else
    writeResult(options, { waba_id, month, ...closed }, () =>
      examinationLines(waba_id, month, { ...closed, because: judgeMonth(closed.checklist).because }),
    );
  return closed.outcome !== 'incomplete';
}

/**
 * Prints the closing of each account, or what may be missing. Exit code 1 when something may be, unless it is accepted.
 */
export async function close(month: string, options: CloseOptions): Promise<void> {
  if (!monthSchema.safeParse(month).success) throw new UsageError(`"${month}" is not a month; write it as YYYY-MM.`);
  if (options.check === true && options.accept === true)
    throw new UsageError('--check closes nothing, so there is nothing to --accept: leave out one of the two.');
  if ((options.note ?? '').length > MAX_NOTE_CHARACTERS)
    throw new UsageError(`A note can have at most ${MAX_NOTE_CHARACTERS} characters.`);
  await withExistingLedger('close', options, async ({ database }) => {
    await settleCharges(database);
    const named = options.waba?.map((waba_id) => (waba_id === NONE ? '' : waba_id));
    const accounts = [...new Set(named ?? (await openAccounts(database, month)))];
    // All accounts are checked first, so that a mistake in one name closes nothing.
    for (const waba_id of accounts) await closableMonth(database, waba_id, month, Date.now());
    const incomplete: string[] = [];
    for (const waba_id of accounts) if (!(await closeOne(database, waba_id, month, options))) incomplete.push(waba_id);
    if (incomplete.length > 0)
      throw new ActionableError(
        `${month} may not be complete for ${incomplete.map(accountName).join(', ')}, and is not closed: see the findings and the checklist. Add what is missing, or close the month anyway with --accept.`,
      );
  });
}

/** Prints all closings, reopened ones included. */
export async function periodsList(options: PeriodsOptions): Promise<void> {
  await withExistingLedger('periods list', options, async ({ database }) => {
    const periods = await listPeriods(database);
    for (const period of periods) writeResult(options, period, () => periodLines(period));
    if (periods.length === 0 && isForPerson(options)) process.stdout.write('No month was ever closed.\n');
  });
}

export interface PeriodsReportOptions extends PeriodsOptions {
  readonly out?: string;
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new ActionableError(
      `The directory ${folder} cannot be made (${error instanceof Error ? error.message : String(error)}). Give another one with --out.`,
    );
  }
}

/** Writes the report of a closing into a folder. The report is made once: written again it has the same bytes. */
export async function periodsReport(period_id: string, options: PeriodsReportOptions): Promise<void> {
  await withExistingLedger('periods report', options, async ({ database }) => {
    const { outcome, report } = await makeMonthReport(database, period_id, userName(), Date.now());
    const folder = options.out ?? reportFolder(report);
    makeFolder(folder);
    for (const { name, content } of (await monthReportFiles(database, period_id)) ?? [])
      await refreshTextFile(join(folder, name), content());
    writeResult(options, { ...report, outcome, folder }, () => [
      `Report of ${report.month} of ${accountName(report.waba_id)} in ${folder}, ${outcome === 'made' ? 'made now' : `as it was made ${report.made_at} by ${report.made_by}`}.`,
      ...report.files.map(({ name, bytes, sha256 }) => `  ${sha256}  ${name}, ${bytes} bytes`),
    ]);
  });
}

export async function periodsReopen(period_id: string, options: ReopenOptions): Promise<void> {
  const because = options.reason ?? '';
  if (because.length > MAX_NOTE_CHARACTERS)
    throw new UsageError(`A reason can have at most ${MAX_NOTE_CHARACTERS} characters.`);
  await withExistingLedger('periods reopen', options, async ({ database }) => {
    const { outcome, period } = await reopenPeriod(database, period_id, userName(), because);
    writeResult(options, { ...period, outcome }, () => periodLines(period));
    if (outcome === 'unchanged') process.stderr.write(`${period_id} was reopened before: nothing changes.\n`);
  });
}
