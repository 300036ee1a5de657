import { eraseCustomer, planErasure, resumeErasures } from '../../erasure/erase.ts';
import { settleSummaries } from '../../ledger/derived/summaries.ts';
import { withExistingLedger } from '../open.ts';
import { writeResult } from '../output.ts';
import { UsageError, type CommonOptions } from '../settings.ts';
import { userName } from '../user.ts';

export interface EraseOptions extends CommonOptions {
  readonly customer?: string;
  readonly number?: string;
  readonly finish?: true;
  readonly dryRun?: true;
  readonly json?: boolean;
}

const NOT_CHANGED = 'Exported files that may name the customer, and are not changed:';

/** Erases a customer, says what that would do, or finishes what was interrupted. */
export async function erase(options: EraseOptions): Promise<void> {
  if ((options.customer === undefined) === (options.finish === undefined))
    throw new UsageError('Say whom to erase with --customer NAME, or finish an interrupted erasure with --finish.');
  const customer = options.customer ?? '';
  const asked = { customer, phone_number_id: options.number ?? '', by: userName() };
  await withExistingLedger('erase', options, async ({ database }) => {
    if (options.finish === true) {
      const finished = await resumeErasures(database);
      await settleSummaries(database);
      writeResult(options, { finished }, () => [
        finished === 0 ? 'No erasure was interrupted.' : `${finished} finished.`,
      ]);
    } else if (options.dryRun === true) {
      const plan = await planErasure(database, asked);
      writeResult(options, plan, () => [
        `Names of the person: ${plan.names.join(', ')}`,
        ...Object.entries(plan.found).map(([table, texts]) => `${table}: ${texts} texts`),
        ...(plan.files.length === 0 ? [] : [NOT_CHANGED, ...plan.files]),
      ]);
    } else {
      const done = await eraseCustomer(database, asked);
      await settleSummaries(database);
      writeResult(options, done, () => [
        `Erased: ${done.rows} rows now say ${done.tokens.join(', ')}.`,
        ...(done.files.length === 0 ? [] : [NOT_CHANGED, ...done.files]),
      ]);
    }
  });
}
