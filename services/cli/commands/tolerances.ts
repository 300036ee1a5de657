import { monthSchema } from '@ctwa-ledger/schemas/periods.ts';
import { sayTrial } from '@ctwa-ledger/schemas/tolerance-words.ts';
import { settleCharges } from '../../rating/charges.ts';
import { monthsUntil, tryTolerance } from '../../reconciliation/tolerance-trial.ts';
import { withExistingLedger } from '../open.ts';
import { isForPerson, writeResult } from '../output.ts';
import { UsageError } from '../settings.ts';
import { onlyAccount, triedTolerance, type ReconcileOptions } from './reconcile.ts';

export interface TolerancesOptions extends ReconcileOptions {
  readonly months: string;
  readonly json?: boolean;
}

const MAX_MONTHS = 36;

/** Tries tolerances on the months up to one. Prints one JSON object per month, the latest first; stores nothing. */
export async function tolerances(options: TolerancesOptions): Promise<void> {
  const { month, months, waba } = options;
  if (!monthSchema.safeParse(month).success) throw new UsageError(`"${month}" is not a month; write it as YYYY-MM.`);
  const n = Number(months);
  if (!/^\d{1,2}$/.test(months) || n < 1 || n > MAX_MONTHS)
    throw new UsageError(`--months "${months}" is not a whole number from 1 to ${MAX_MONTHS}.`);
  const tolerance = triedTolerance(options);
  await withExistingLedger('reconcile tolerances', options, async ({ database }) => {
    await settleCharges(database);
    const waba_id = waba ?? (await onlyAccount(database, month));
    let tried = 0;
    for await (const trial of tryTolerance(database, waba_id, monthsUntil(month, n), tolerance)) {
      tried += 1;
      writeResult(options, trial, () => [
        `${trial.month} of account ${waba_id}. ${sayTrial(trial, { count: String, money: (decimal, currency) => `${currency} ${decimal}` })}`,
      ]);
    }
    if (tried === 0 && isForPerson(options))
      process.stdout.write(`Meta's numbers say nothing of these months of account ${waba_id}.\n`);
  });
}
