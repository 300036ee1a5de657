import { sayBias, type BiasSpelling } from '@ctwa-ledger/schemas/bias-words.ts';
import { monthSchema } from '@ctwa-ledger/schemas/periods.ts';
import type { Database } from '../../clickhouse/database.ts';
import { ActionableError } from '../../clickhouse/errors.ts';
import { settleCharges } from '../../rating/charges.ts';
import { scaledAmount } from '../../reconciliation/amounts.ts';
import { biasesOf } from '../../reconciliation/bias.ts';
import type { Tolerance } from '../../reconciliation/judgement.ts';
import { evaluateMonth } from '../../reconciliation/case-register.ts';
import { accountsToReconcile, reconcileMonth, refuseMissingDays, summaryOf } from '../../reconciliation/reconcile.ts';
import { withExistingLedger } from '../open.ts';
import { writeLines } from '../output.ts';
import { UsageError, type CommonOptions } from '../settings.ts';
import { userName } from '../user.ts';

export interface ReconcileOptions extends CommonOptions {
  readonly month: string;
  readonly waba?: string;
  readonly tolerancePercent?: string;
  readonly toleranceMessages?: string;
}

/** Exit code of contract.md 2: done, but outside the requested tolerance. */
const OUTSIDE_TOLERANCE = 3;

/** What is asked for instead of the account's tolerance. @throws UsageError when it is none */
export function triedTolerance({ tolerancePercent, toleranceMessages }: ReconcileOptions): Partial<Tolerance> {
  const tried: { -readonly [Limit in keyof Tolerance]?: Tolerance[Limit] } = {};
  if (tolerancePercent !== undefined) {
    const percent = /^\d+(\.\d+)?$/.test(tolerancePercent) ? scaledAmount(tolerancePercent) : null;
    if (percent === null) throw new UsageError(`--tolerance-percent "${tolerancePercent}" is not a number like 0.5.`);
    tried.percent = percent;
  }
  if (toleranceMessages !== undefined) {
    if (!/^\d{1,15}$/.test(toleranceMessages))
      throw new UsageError(`--tolerance-messages "${toleranceMessages}" is not a whole number.`);
    tried.messages = BigInt(toleranceMessages);
  }
  return tried;
}

/**
 * The only account that can be reconciled in a month.
 * @throws ActionableError when there is none; UsageError when there are several
 */
export async function onlyAccount(database: Database, month: string): Promise<string> {
  const [only, ...others] = await accountsToReconcile(database, month);
  if (only === undefined)
    throw new ActionableError(
      `No account has messages or numbers of Meta's in ${month}: there is nothing to reconcile.`,
    );
  if (others.length > 0)
    throw new UsageError(
      `Several accounts have messages in ${month}: say which with --waba, of ${[only, ...others].join(', ')}.`,
    );
  return only;
}

/** Exact numbers, as reports have them. */
const PLAIN = (currency: string): BiasSpelling => ({
  count: String,
  difference: (whole) => whole,
  money: (decimal) => `${currency} ${decimal}`.trim(),
});

/** Prints one JSON object: the sums of both sides, and how many rows differ. */
export async function reconcile(options: ReconcileOptions): Promise<void> {
  const { month } = options;
  if (!monthSchema.safeParse(month).success) throw new UsageError(`"${month}" is not a month; write it as YYYY-MM.`);
  const tried = triedTolerance(options);
  await withExistingLedger('reconcile', options, async ({ database }) => {
    await settleCharges(database);
    const waba_id = options.waba ?? (await onlyAccount(database, month));
    const asked = { waba_id, month };
    const evaluated = await evaluateMonth(database, asked, { purpose: 'reconcile', by: userName() });
    // Cases are stored only for the tolerance that holds for the account.
    const isTrial = Object.keys(tried).length > 0;
    const reconciled = isTrial ? await reconcileMonth(database, asked, tried) : evaluated;
    refuseMissingDays(reconciled);
    const summary = summaryOf(reconciled);
    writeLines([summary]);
    for (const bias of biasesOf(reconciled)) process.stderr.write(`${sayBias(bias, PLAIN(summary.currency))}\n`);
    if (summary.different > 0) process.exitCode = OUTSIDE_TOLERANCE;
  });
}
