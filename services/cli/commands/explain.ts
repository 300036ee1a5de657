import type { Ledger } from '../../ledger/ledger.ts';
import { LedgerError } from '../../ledger/errors.ts';
import { parseFilters } from '@ctwa-ledger/schemas/report-filters.ts';
import { settleCharges } from '../../rating/charges.ts';
import { explain as explainMessage } from '../../reports/message.ts';
import { withExistingLedger, withSample } from '../open.ts';
import { UsageError, type CommonOptions } from '../settings.ts';

export async function explain(id: string, options: CommonOptions & { tz?: string; sample?: boolean }): Promise<void> {
  const parsed = parseFilters({ tz: options.tz }, Math.floor(Date.now() / 1000));
  if (!parsed.ok) throw new UsageError(parsed.message);
  const run = async (ledger: Ledger): Promise<void> => {
    await settleCharges(ledger.database);
    const explained = await explainMessage(ledger, {
      message_id: id,
      phone_number_id: null,
      tz: parsed.filters.tz,
    });
    if (explained.length === 0)
      throw new LedgerError(
        `The ledger knows no outbound message "${id}". Give the id as it stands in the report messages.`,
      );
    for (const { mark_sentence, amount_sentence } of explained)
      process.stdout.write(`${mark_sentence}\n${amount_sentence}\n`);
  };
  await (options.sample === true ? withSample(options, run) : withExistingLedger('explain', options, run));
}
