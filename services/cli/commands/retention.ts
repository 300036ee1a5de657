import { accountSchema } from '@ctwa-ledger/schemas/config.ts';
import { ActionableError } from '../../clickhouse/errors.ts';
import { readCommandAccounts } from '../../ledger/configuration/configuration.ts';
import { settleSummaries } from '../../ledger/derived/summaries.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { countPutAside, listRemovals } from '../../retention/register.ts';
import {
  finishRemovals,
  firstKeptMonth,
  planRemoval,
  removeEvents,
  type AskedRemoval,
  type RemovalResult,
} from '../../retention/remove.ts';
import { withExistingLedger } from '../open.ts';
import { writeLines, writeResult } from '../output.ts';
import { UsageError, type CommonOptions } from '../settings.ts';
import { userName } from '../user.ts';

export interface RetentionRunOptions extends CommonOptions {
  readonly waba?: string;
  readonly before?: string;
  readonly dryRun?: true;
  readonly finish?: true;
  readonly json?: boolean;
}

const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;

/** What is to be removed: as the options say, or of each account as its setting says. */
function askedOf({ accounts }: Ledger, options: RetentionRunOptions, now: number): AskedRemoval[] {
  const by = userName();
  const { waba, before } = options;
  if (before !== undefined) {
    if (waba === undefined) throw new UsageError('Say of which account with --waba, or leave out --before.');
    if (!MONTH.test(before)) throw new UsageError(`--before "${before}" is no month like 2026-03.`);
    return [{ waba_id: waba, before, by }];
  }
  const meant = accounts.filter(({ waba_id }) => waba === undefined || waba_id === waba);
  const asked = meant.flatMap(({ waba_id, keep_events_months, time_zone }) =>
    keep_events_months === undefined
      ? []
      : [{ waba_id, before: firstKeptMonth(keep_events_months, time_zone ?? 'UTC', now), by }],
  );
  if (asked.length === 0)
    throw new ActionableError(
      `${waba === undefined ? 'No account' : `Account ${waba}`} says for how long its events are kept. Set it first: ctwa-ledger retention set ${waba ?? 'WABA'} MONTHS`,
    );
  return asked;
}

function sentence({ waba_id, threads, events, cut_off }: RemovalResult, isPlan: boolean): string {
  const until = new Date(cut_off * 1_000).toISOString().slice(0, 10);
  if (threads === 0) return `${waba_id}: no conversation before ${until} has events to remove.`;
  return `${waba_id}: ${events} events of ${threads} conversations before ${until} ${isPlan ? 'would be' : 'were'} removed; marks and amounts stay.`;
}

/** Removes old events, says what that would remove, or finishes what was interrupted. */
export async function retentionRun(options: RetentionRunOptions): Promise<void> {
  await withExistingLedger('retention run', options, async (ledger) => {
    const { database } = ledger;
    if (options.finish === true) {
      const finished = await finishRemovals(ledger);
      writeResult(options, { finished }, () => [
        finished === 0 ? 'No removal was interrupted.' : `${finished} finished.`,
      ]);
      return;
    }
    const now = Date.now();
    const isPlan = options.dryRun === true;
    for (const asked of askedOf(ledger, options, now)) {
      const result = isPlan ? await planRemoval(database, asked, now) : await removeEvents(ledger, asked, now);
      writeResult(options, result, () => [sentence(result, isPlan)]);
    }
    await settleSummaries(database);
  });
}

/** Prints one JSON object per line: for how long each account keeps its events, and what was removed. */
export async function retentionShow(options: CommonOptions): Promise<void> {
  await withExistingLedger('retention show', options, async (ledger) => {
    writeLines(
      ledger.accounts.map(({ waba_id, keep_events_months }) => ({
        waba_id,
        keep_events_months: keep_events_months ?? null,
      })),
    );
    writeLines(await listRemovals(ledger.reading));
    writeLines([{ put_aside: await countPutAside(ledger.reading) }]);
  });
}

/** Says for how long an account keeps its events. */
export async function retentionSet(waba_id: string, months: string, options: CommonOptions): Promise<void> {
  await withExistingLedger('retention set', options, async (ledger) => {
    const known = (await readCommandAccounts(ledger.database)).find((account) => account.waba_id === waba_id);
    const inForce = ledger.accounts.find((account) => account.waba_id === waba_id);
    if (inForce === undefined)
      throw new ActionableError(
        `There is no account ${waba_id}. Set it first: ctwa-ledger accounts set ${waba_id} --time-zone ZONE`,
      );
    if (known === undefined)
      throw new ActionableError(
        `Account ${waba_id} is set in the configuration file. Write "keep_events_months" there.`,
      );
    const { keep_events_months: _before, ...others } = known;
    const parsed = accountSchema.safeParse({
      ...others,
      ...(months === 'off' ? {} : { keep_events_months: Number(months) }),
    });
    if (!parsed.success) throw new UsageError(`"${months}" is neither a number of months from 1 to 240 nor off.`);
    await ledger.setAccount(parsed.data);
    if (ledger.configuration.settings.file_accounts.some((listed) => listed.waba_id === waba_id))
      process.stderr.write(`The configuration file lists ${waba_id} too, and overrides this.\n`);
    process.stdout.write(`${JSON.stringify(parsed.data)}\n`);
  });
}
