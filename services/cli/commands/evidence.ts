import { caseKeySchema } from '@ctwa-ledger/schemas/cases.ts';
import { writeTextFile } from '../../exports/files.ts';
import { evidencePack } from '../../periods/evidence-pack.ts';
import { settleCharges } from '../../rating/charges.ts';
import { withExistingLedger } from '../open.ts';
import { writeResult } from '../output.ts';
import { UsageError, type CommonOptions } from '../settings.ts';
import { onlyAccount } from './reconcile.ts';

export interface EvidenceOptions extends CommonOptions {
  readonly month: string;
  readonly waba?: string;
  readonly case: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** Writes the evidence of a case as a ZIP archive, and prints its path. */
export async function evidence(options: EvidenceOptions): Promise<void> {
  const { month, waba, case: explanation, out } = options;
  const key = caseKeySchema.omit({ waba_id: true }).safeParse({ month, explanation });
  if (!key.success) {
    const [issue] = key.error.issues;
    throw new UsageError(`${issue?.path[0] === 'month' ? '--month' : '--case'} ${issue?.message ?? 'is wrong'}.`);
  }
  await withExistingLedger('reconcile evidence', options, async ({ database }) => {
    await settleCharges(database);
    const waba_id = waba ?? (await onlyAccount(database, month));
    const { name, content } = await evidencePack(database, { waba_id, ...key.data }, Date.now());
    const file = out ?? name;
    await writeTextFile(file, content);
    writeResult(options, { waba_id, ...key.data, file }, () => [
      `Evidence of ${explanation}, ${month} of account ${waba_id}, in ${file}.`,
    ]);
  });
}
