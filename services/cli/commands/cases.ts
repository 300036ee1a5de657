import { readCaseDecision, type CaseAction, type WorkedCase } from '@ctwa-ledger/schemas/cases.ts';
import { monthSchema } from '@ctwa-ledger/schemas/periods.ts';
import type { Database } from '../../clickhouse/database.ts';
import { settleCharges } from '../../rating/charges.ts';
import { casesOf, decideCase, evaluateMonth, heldCases } from '../../reconciliation/case-register.ts';
import { accountsToReconcile } from '../../reconciliation/reconcile.ts';
import { caseLines } from '../case-words.ts';
import { withExistingLedger } from '../open.ts';
import { isForPerson, writeResult } from '../output.ts';
import { UsageError, type CommonOptions } from '../settings.ts';
import { userName } from '../user.ts';
import { onlyAccount } from './reconcile.ts';

export interface CasesOptions extends CommonOptions {
  readonly month: string;
  readonly waba?: string;
  readonly case?: string;
  readonly note?: string;
  readonly until?: string;
  readonly to?: string;
  readonly json?: boolean;
}

async function list(database: Database, { month, waba, json }: CasesOptions): Promise<void> {
  const accounts = waba === undefined ? await accountsToReconcile(database, month) : [waba];
  let found = 0;
  for (const waba_id of accounts) {
    const held = await evaluateMonth(database, { waba_id, month }, { purpose: 'reconcile', by: userName() });
    const { cases } = await casesOf(database, heldCases(held), Date.now());
    found += cases.length;
    for (const one of cases) write(one, json === true);
  }
  if (found === 0 && isForPerson({ json: json === true }))
    process.stdout.write(`No difference is known for ${month}.\n`);
}

function write({ seen: _, ...one }: WorkedCase, json: boolean): void {
  writeResult({ json }, one, () => caseLines(one));
}

/** Prints the cases of a month, one JSON object each; with an action, applies a person's decision to one of them. */
export async function cases(action: CaseAction | undefined, options: CasesOptions): Promise<void> {
  const { month, waba, case: explanation, note, until, to } = options;
  if (!monthSchema.safeParse(month).success) throw new UsageError(`"${month}" is not a month; write it as YYYY-MM.`);
  const decides = [explanation, note, until, to].some((option) => option !== undefined);
  if (action === undefined && decides)
    throw new UsageError('--case, --note, --until and --to need a decision, like "reconcile cases acknowledge".');
  if (action !== undefined && explanation === undefined)
    throw new UsageError('Say which case you mean with --case and its explanation, like --case midnight.');
  await withExistingLedger('reconcile cases', options, async ({ database }) => {
    await settleCharges(database);
    if (action === undefined) {
      await list(database, options);
      return;
    }
    const decision = readCaseDecision({
      ...{ waba_id: waba ?? (await onlyAccount(database, month)), month, explanation, action, by: userName() },
      ...(note === undefined ? {} : { note }),
      ...(until === undefined ? {} : { until }),
      ...(to === undefined ? {} : { assignee: to }),
    });
    if (typeof decision === 'string') throw new UsageError(decision);
    const { outcome, case: decided } = await decideCase(database, decision, Date.now());
    write(decided, options.json === true);
    if (outcome === 'unchanged') process.stderr.write('The same decision was made before: nothing changes.\n');
  });
}
