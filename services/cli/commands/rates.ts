import { effectiveDateSchema, type RateModel } from '@ctwa-ledger/schemas/rate-file.ts';
import {
  importRateFile,
  listRateCards,
  previewRateFile,
  withdrawRateCard,
  type RateFile,
} from '../../rating/rate-cards.ts';
import { readGivenFile } from '../given-file.ts';
import { withExistingLedger, withLedger } from '../open.ts';
import { writeLines, wouldBe } from '../output.ts';
import { UsageError, type CommonOptions } from '../settings.ts';
import { userName } from '../user.ts';
import { FIRST_GIVEN_DAY, LAST_GIVEN_DAY } from '@ctwa-ledger/schemas/time-limits.ts';

export interface RatesImportOptions extends CommonOptions {
  readonly effective?: string;
  readonly effectiveAnyway?: boolean;
  readonly model?: RateModel;
  readonly dryRun?: boolean;
}

function rateFile(path: string, { effective, effectiveAnyway, model }: RatesImportOptions): RateFile {
  const day = effectiveDateSchema.safeParse(effective);
  if (effective !== undefined && !day.success)
    throw new UsageError(
      `--effective "${effective}" is not a date from ${FIRST_GIVEN_DAY} to ${LAST_GIVEN_DAY}; write it as YYYY-MM-DD.`,
    );
  if (effective === undefined && effectiveAnyway === true)
    throw new UsageError('--effective-anyway needs --effective: it uses that day although the file names another one.');
  return {
    ...readGivenFile(path),
    ...(day.data === undefined ? {} : { effective: day.data }),
    ...(effectiveAnyway === true ? { effective_anyway: true } : {}),
    ...(model === undefined ? {} : { model }),
  };
}

/** Prints one JSON object per card of the file: the result or, with `--dry-run`, what would happen. */
export async function ratesImport(path: string, options: RatesImportOptions): Promise<void> {
  const file = rateFile(path, options);
  await withLedger('rates import', options, async ({ database }) => {
    if (options.dryRun === true) {
      writeLines((await previewRateFile(database, file)).map(wouldBe));
      return;
    }
    const cards = await importRateFile(database, { ...file, by: userName() });
    writeLines(cards);
    for (const { card_id, currency, outcome } of cards)
      if (outcome === 'unchanged')
        process.stderr.write(
          `The ${currency} card ${card_id} of this file and date was imported before and is in force: nothing changes.\n`,
        );
  });
}

/** Prints one JSON object per card, replaced and withdrawn ones included. */
export async function ratesList(options: CommonOptions): Promise<void> {
  await withExistingLedger('rates list', options, async ({ database }) => {
    writeLines(await listRateCards(database));
  });
}

export async function ratesWithdraw(card_id: string, options: CommonOptions): Promise<void> {
  await withExistingLedger('rates withdraw', options, async ({ database }) => {
    const withdrawn = await withdrawRateCard(database, card_id, userName());
    writeLines([withdrawn]);
    if (withdrawn.outcome === 'unchanged')
      process.stderr.write(`The card ${card_id} was withdrawn before: nothing changes.\n`);
  });
}
