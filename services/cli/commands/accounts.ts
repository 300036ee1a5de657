import { accountSchema, type Account } from '@ctwa-ledger/schemas/config.ts';
import { settleReports } from '../../exports/report.ts';
import { readCommandAccounts } from '../../ledger/configuration/configuration.ts';
import { settleSummaries } from '../../ledger/derived/summaries.ts';
import { settleCharges } from '../../rating/charges.ts';
import { accounts } from '../../reports/accounts.ts';
import { withLedger } from '../open.ts';
import { writeLines } from '../output.ts';
import { Progress } from '../progress.ts';
import { UsageError, type CommonOptions } from '../settings.ts';

export interface AccountOptions extends CommonOptions {
  readonly name?: string;
  readonly timeZone?: string;
  readonly currency?: string;
  readonly portfolio?: string;
  readonly closingDay?: string;
  readonly secondPerson?: string;
  readonly writeOffAmount?: string;
  readonly writeOffMessages?: string;
  readonly tolerancePercent?: string;
  readonly toleranceMessages?: string;
  readonly phoneNumberId?: string[];
  /** `id=displayed`, each. */
  readonly phoneNumber?: string[];
}

/**
 * Prints one JSON object per line: the configured accounts with the place of their configuration, and those that only
 * messages name.
 */
export async function accountsList(options: CommonOptions): Promise<void> {
  const progress = new Progress();
  await withLedger('accounts list', options, async (ledger) => {
    progress.show('bringing sums up to date');
    await settleReports(['accounts'], ledger.database);
    progress.end();
    for (const { account, set_by, delivered_messages, phone_number_ids } of await accounts(ledger.reading))
      writeLines([{ ...account, set_by, delivered_messages, seen_phone_number_ids: phone_number_ids }]);
  });
}

function displayedNumber(text: string): { readonly id: string; readonly display: string } {
  const [, id, display] = /^(\S+?)=(.+)$/.exec(text) ?? [];
  if (id === undefined || display === undefined)
    throw new UsageError(
      `--phone-number "${text}" does not say how a number is displayed: write its id, = and the number, like 106540352242922=15550783881.`,
    );
  return { id, display };
}

function yesOrNo(text: string): boolean {
  if (text !== 'yes' && text !== 'no') throw new UsageError(`--second-person "${text}" must be yes or no.`);
  return text === 'yes';
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
      ...(options.closingDay === undefined ? {} : { closing_day: Number(options.closingDay) }),
      ...(options.secondPerson === undefined ? {} : { second_person: yesOrNo(options.secondPerson) }),
      ...(options.writeOffAmount === undefined ? {} : { write_off_amount: options.writeOffAmount }),
      ...(options.writeOffMessages === undefined ? {} : { write_off_messages: Number(options.writeOffMessages) }),
      ...(options.tolerancePercent === undefined ? {} : { tolerance_percent: options.tolerancePercent }),
      ...(options.toleranceMessages === undefined ? {} : { tolerance_messages: Number(options.toleranceMessages) }),
      ...(options.phoneNumberId === undefined ? {} : { phone_number_ids: options.phoneNumberId }),
      ...(options.phoneNumber === undefined ? {} : { phone_numbers: options.phoneNumber.map(displayedNumber) }),
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
      process.stderr.write(`The configuration file lists ${waba_id} too, and overrides this.\n`);
    process.stdout.write(`${JSON.stringify(account)}\n`);
  });
}
