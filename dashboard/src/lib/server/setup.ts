import type { LedgerStatus, Reports } from '@ctwa-ledger/schemas/reports.ts';
import type { ProcessFigures } from '@ctwa-ledger/schemas/health.ts';
import type { SetupFacts } from '../setup/setup.ts';

type AskedReports = Pick<Reports, 'accounts' | 'rateCards' | 'spendImports' | 'metaImports'>;

/** Reads what the checklist of setting up is made from. */
export async function readSetup(
  reports: AskedReports,
  status: LedgerStatus,
  process: ProcessFigures | null,
): Promise<SetupFacts> {
  const [accounts, cards, spend_imports, meta_imports] = await Promise.all([
    reports.accounts(),
    reports.rateCards(),
    reports.spendImports(),
    reports.metaImports(),
  ]);
  return { status, webhook: process?.webhook ?? null, accounts, cards, spend_imports, meta_imports };
}
