import { explainMessages } from '../../ledger/explain.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { LedgerError } from '../../ledger/errors.ts';
import { parseFilters } from '@ctwa-ledger/schemas/report-filters.ts';
import { withExistingLedger, withSample } from '../open.ts';
import { UsageError, type CommonOptions } from '../settings.ts';

export async function explain(id: string, options: CommonOptions & { tz?: string; sample?: boolean }): Promise<void> {
  const parsed = parseFilters({ tz: options.tz }, Math.floor(Date.now() / 1000));
  if (!parsed.ok) throw new UsageError(parsed.message);
  const run = async (ledger: Ledger): Promise<void> => {
    const sentences = await explainMessages(ledger, id, parsed.filters.tz);
    if (sentences.length === 0)
      throw new LedgerError(
        `The ledger knows no outbound message "${id}". Give the id as it stands in the report messages.`,
      );
    for (const sentence of sentences) process.stdout.write(`${sentence}\n`);
  };
  await (options.sample === true ? withSample(options, run) : withExistingLedger('explain', options, run));
}
