import { monthSchema } from '@ctwa-ledger/schemas/periods.ts';
import { LedgerError } from '../../ledger/errors.ts';
import { completeness } from '../../periods/completeness.ts';
import { accountMonth, accountName, accountsWithCharges } from '../../periods/month.ts';
import { closableMonth, closePeriod, listPeriods, reopenPeriod } from '../../periods/periods.ts';
import { settleCharges } from '../../rating/charges.ts';
import type { Database } from '../../ledger/database.ts';
import { withExistingLedger } from '../open.ts';
import { writeLines } from '../output.ts';
import { UsageError, type CommonOptions } from '../settings.ts';
import { userName } from '../user.ts';

export interface CloseOptions extends CommonOptions {
  readonly waba?: readonly string[];
  readonly accept?: boolean;
  readonly check?: boolean;
}

/** How the messages of no account are asked for. */
const NONE = 'none';

/** The accounts with messages in the month that are not closed yet. */
async function openAccounts(database: Database, month: string): Promise<string[]> {
  const all = await accountsWithCharges(database, month);
  if (all.length === 0)
    throw new LedgerError(
      `No message was delivered in ${month}: there is nothing to close. Name an account with --waba to close it all the same.`,
    );
  const standing = (await listPeriods(database)).filter(
    (period) => period.month === month && period.state === 'closed',
  );
  const closed = new Set(standing.map(({ waba_id }) => waba_id));
  const open = all.filter((waba_id) => !closed.has(waba_id));
  if (open.length === 0)
    throw new LedgerError(
      `${month} is closed already for every account with messages in it. See the closings with "ctwa-ledger periods list".`,
    );
  return open;
}

/** Closes a month of an account, or checks it, and prints what came of it; false when something may be missing. */
async function closeOne(database: Database, waba_id: string, month: string, options: CloseOptions): Promise<boolean> {
  if (options.check === true) {
    const findings = await completeness(database, await accountMonth(database, waba_id, month), Date.now());
    writeLines([{ waba_id, month, outcome: findings.length === 0 ? 'complete' : 'incomplete', findings }]);
    return findings.length === 0;
  }
  const closing = { waba_id, month, by: userName(), accept: options.accept === true };
  const closed = await closePeriod(database, closing, Date.now);
  writeLines([
    closed.outcome === 'closed' ? { ...closed.period, outcome: closed.outcome } : { waba_id, month, ...closed },
  ]);
  return closed.outcome === 'closed';
}

/** One JSON object per account: the closing, or what may be missing. Exit code 1 when something may be, unless accepted. */
export async function close(month: string, options: CloseOptions): Promise<void> {
  if (!monthSchema.safeParse(month).success) throw new UsageError(`"${month}" is not a month; write it as YYYY-MM.`);
  if (options.check === true && options.accept === true)
    throw new UsageError('--check closes nothing, so there is nothing to --accept: leave out one of the two.');
  await withExistingLedger('close', options, async ({ database }) => {
    await settleCharges(database);
    const named = options.waba?.map((waba_id) => (waba_id === NONE ? '' : waba_id));
    const accounts = [...new Set(named ?? (await openAccounts(database, month)))];
    // All of them first, so that a slip of the pen in one closes none.
    for (const waba_id of accounts) await closableMonth(database, waba_id, month, Date.now());
    const incomplete: string[] = [];
    for (const waba_id of accounts) if (!(await closeOne(database, waba_id, month, options))) incomplete.push(waba_id);
    if (incomplete.length > 0)
      throw new LedgerError(
        `${month} may not be complete for ${incomplete.map(accountName).join(', ')}, and is not closed: see the findings. Bring what is missing, or close it all the same with --accept.`,
      );
  });
}

/** One JSON object per closing, also of those that were reopened. */
export async function periodsList(options: CommonOptions): Promise<void> {
  await withExistingLedger('periods list', options, async ({ database }) => {
    writeLines(await listPeriods(database));
  });
}

export async function periodsReopen(period_id: string, options: CommonOptions): Promise<void> {
  await withExistingLedger('periods reopen', options, async ({ database }) => {
    const { outcome, period } = await reopenPeriod(database, period_id, userName());
    writeLines([{ ...period, outcome }]);
    if (outcome === 'unchanged') process.stderr.write(`${period_id} was reopened before: nothing changes.\n`);
  });
}
