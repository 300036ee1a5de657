import { accountSchema, type Account } from '@ctwa-ledger/schemas/config.ts';
import { readCommandAccounts } from '../../ledger/configuration.ts';
import { settleSummaries } from '../../ledger/summaries.ts';
import { settleCharges } from '../../rating/charges.ts';
import { withLedger } from '../open.ts';
import { Progress } from '../progress.ts';
import { UsageError, type CommonOptions } from '../settings.ts';

export interface AccountOptions extends CommonOptions {
  readonly name?: string;
  readonly timeZone?: string;
  readonly currency?: string;
  readonly portfolio?: string;
  readonly phoneNumberId?: string[];
}

/** One JSON object per line, each with where it is set. */
export async function accountsList(options: CommonOptions): Promise<void> {
  await withLedger('accounts list', options, (ledger) => {
    const fromFile = new Set(ledger.configuration.settings.file_accounts.map((account) => account.waba_id));
    for (const account of ledger.accounts)
      process.stdout.write(
        `${JSON.stringify({ ...account, set_by: fromFile.has(account.waba_id) ? 'configuration file' : 'command' })}\n`,
      );
    return Promise.resolve();
  });
}

export async function accountsSet(waba_id: string, options: AccountOptions): Promise<void> {
  const progress = new Progress();
  await withLedger('accounts set', options, async (ledger) => {
    const known = (await readCommandAccounts(ledger.database)).find((account) => account.waba_id === waba_id);
    const parsed = accountSchema.safeParse({
      ...known,
      waba_id,
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.timeZone === undefined ? {} : { time_zone: options.timeZone }),
      ...(options.currency === undefined ? {} : { currency: options.currency }),
      ...(options.portfolio === undefined ? {} : { portfolio_id: options.portfolio }),
      ...(options.phoneNumberId === undefined ? {} : { phone_number_ids: options.phoneNumberId }),
    });
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw new UsageError(`${issue?.path.join('.') ?? 'account'}: ${issue?.message ?? 'wrong'}.`);
    }
    const account: Account = parsed.data;
    await ledger.setAccount(account, (threads) => progress.show(`${threads} threads folded`));
    progress.show('summing up');
    await settleSummaries(ledger.database);
    progress.show('rating');
    await settleCharges(ledger.database);
    progress.end();
    if (ledger.configuration.settings.file_accounts.some((listed) => listed.waba_id === waba_id))
      process.stderr.write(`The configuration file lists ${waba_id} too, and wins over this.\n`);
    process.stdout.write(`${JSON.stringify(account)}\n`);
  });
}
