import { caseKeySchema, chosenRowsSchema, type CaseKey, type ChosenRows } from '@ctwa-ledger/schemas/cases.ts';
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
  readonly case?: string;
  readonly row?: readonly string[];
  readonly out?: string;
  readonly json?: boolean;
}

const OPTIONS: Readonly<Record<string, string>> = { month: '--month', explanation: '--case', rows: '--row' };

/** The case or the rows that are asked for. @throws UsageError when they are neither or both, or not valid */
function askedFor({
  month,
  case: explanation,
  row: rows,
}: EvidenceOptions): Omit<CaseKey, 'waba_id'> | Omit<ChosenRows, 'waba_id'> {
  if ((explanation === undefined) === (rows === undefined))
    throw new UsageError('Say either --case, like --case midnight, or --row for each row.');
  const asked =
    rows === undefined
      ? caseKeySchema.omit({ waba_id: true }).safeParse({ month, explanation })
      : chosenRowsSchema.omit({ waba_id: true }).safeParse({ month, rows });
  if (asked.success) return asked.data;
  const [issue] = asked.error.issues;
  throw new UsageError(`${OPTIONS[String(issue?.path[0])] ?? '--case'} ${issue?.message ?? 'is wrong'}.`);
}

/** Writes the evidence of a case, or of chosen rows, as a ZIP archive, and prints its path. */
export async function evidence(options: EvidenceOptions): Promise<void> {
  const { waba, out } = options;
  const asked = askedFor(options);
  const { month } = asked;
  await withExistingLedger('reconcile evidence', options, async ({ database }) => {
    await settleCharges(database);
    const waba_id = waba ?? (await onlyAccount(database, month));
    const { name, content } = await evidencePack(database, { waba_id, ...asked }, Date.now());
    const file = out ?? name;
    await writeTextFile(file, content);
    const what = 'rows' in asked ? `${asked.rows.length} chosen rows` : asked.explanation;
    writeResult(options, { waba_id, ...asked, file }, () => [
      `Evidence of ${what}, ${month} of account ${waba_id}, in ${file}.`,
    ]);
  });
}
